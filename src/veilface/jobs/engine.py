"""Aligned faces through the protector, in batches that fit into the memory."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from veilface.core.devices import is_out_of_memory, one_thread
from veilface.errors import DeviceError
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import Preset
from veilface.recognizers.recognizer import Recognizer
from veilface.types import Protected

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceResult:
    """One protected face.

    Attributes:
        image: (3, 112, 112) float RGB in [0, 1] on the CPU, rounded to 8 bits.
        similarity: Cosine to the source face by surrogate.
    """

    image: Tensor
    similarity: Mapping[str, float]


class Engine:
    """A protector with its surrogates on one device.

    Args:
        preset: Name or preset.
        surrogates: The recognisers, on ``device``.
        device: Where to compute.
        batch_size: Most faces at once; halved for good when the memory does not suffice.

    Attributes:
        batch_size: The current one.
    """

    def __init__(
        self,
        preset: str | Preset,
        surrogates: Sequence[Recognizer],
        *,
        device: torch.device,
        batch_size: int = 8,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"the batch size must be at least 1, not {batch_size}")
        self.surrogates = tuple(surrogates)
        self.device = device
        self.batch_size = batch_size
        self._on_step: Callable[[int, int], None] | None = None
        self.protector = build_protector(preset, self.surrogates, progress=self._step)

    def protect(
        self,
        crops: Sequence[Tensor],
        *,
        generators: Sequence[Generator] | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> list[FaceResult]:
        """Protect faces.

        Args:
            crops: Each (3, 112, 112) float RGB in [0, 1].
            generators: One a face for results that can be repeated, else the operating system's
                randomness. Faces with a generator are computed one by one and by one thread: the
                last bits of a convolution depend on both.
            on_progress: Called with the number of faces done, fractions included.

        Returns:
            One result a face, in order.

        Raises:
            DeviceError: Not even one face fits into the memory.
        """
        results: list[FaceResult] = []
        with one_thread() if generators else contextlib.nullcontext():
            while len(results) < len(crops):
                done = len(results)
                size = min(1 if generators else self.batch_size, len(crops) - done)
                self._on_step = _scaled(on_progress, done, size)
                batch = torch.stack(list(crops[done : done + size])).to(self.device)
                chosen = list(generators[done : done + size]) if generators else None
                protected = self._attempt(batch, chosen)
                if protected is None:
                    self._back_off(size)
                else:
                    results += _split(protected)
        return results

    def similarity(self, sources: Tensor, images: Tensor) -> list[dict[str, float]]:
        """Cosines by surrogate for pairs of (N, 3, 112, 112) faces."""
        found: list[dict[str, float]] = [{} for _ in sources]
        with torch.no_grad():
            for surrogate in self.surrogates:
                first = surrogate.embed(sources.to(self.device))
                second = surrogate.embed(images.to(self.device))
                for entry, score in zip(found, (first * second).sum(1).tolist(), strict=True):
                    entry[surrogate.name] = float(score)
        return found

    def _step(self, step: int, steps: int) -> None:
        if self._on_step is not None:
            self._on_step(step, steps)

    def _attempt(self, batch: Tensor, generators: list[Generator] | None) -> Protected | None:
        """The protected batch, or None when the memory is full."""
        try:
            return self.protector.protect(batch, generator=generators)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            # The traceback keeps the tensors of the attempt alive: leave before trying again.
            return None

    def _back_off(self, size: int) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if size == 1:
            raise DeviceError(
                f"the memory of {self.device} does not suffice for one face; free some, use fewer "
                "recognisers or another device"
            )
        self.batch_size = size // 2
        _log.warning(
            "the memory of %s is full: at most %d faces at once now", self.device.type, size // 2
        )


def _scaled(
    on_progress: Callable[[float], None] | None, done: int, size: int
) -> Callable[[int, int], None] | None:
    if on_progress is None:
        return None
    return lambda step, steps: on_progress(done + size * step / max(steps, 1))


def _split(protected: Protected) -> list[FaceResult]:
    images = protected.images.detach().cpu()
    scores = {name: values.tolist() for name, values in protected.similarity.items()}
    return [
        FaceResult(image, {name: float(values[k]) for name, values in scores.items()})
        for k, image in enumerate(images)
    ]
