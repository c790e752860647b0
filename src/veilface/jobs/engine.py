"""Aligned faces through a protector: the one place where faces become batches.

Everything that protects goes through it: a photo in memory, a run over folders, a kept chunk in a
process of a pool. An engine keeps nothing of a call, so that the threads of a service share one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from veilface.core.devices import is_out_of_memory, one_thread, usual_threads
from veilface.errors import DeviceError, ProtectionError, UnknownNameError
from veilface.protectors.base import SteppingProtector, Steps
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.protector import VeilProtector
from veilface.recognizers.recognizer import Recognizer
from veilface.types import Protected

_log = logging.getLogger(__name__)

Progress = Callable[[float], None]
"""Told the number of faces done, fractions included."""


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

    Raises:
        UnknownNameError: There is no such preset.
        ShapeError: No surrogate is given.
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
        if isinstance(preset, str):
            if preset not in PRESETS:
                raise UnknownNameError("preset", preset, PRESETS)
            preset = PRESETS[preset]
        self.protector: SteppingProtector = VeilProtector(preset, self.surrogates)

    def protect(
        self,
        crops: Sequence[Tensor],
        *,
        generators: Sequence[Generator] | None = None,
        on_progress: Progress | None = None,
    ) -> list[FaceResult]:
        """Protect faces.

        Args:
            crops: Each (3, 112, 112) float RGB in [0, 1].
            generators: One a face for results that can be repeated, else the operating system's
                randomness. Faces with a generator are computed one by one and by one thread: the
                last bits of a convolution depend on both.
            on_progress: Told how far it is.

        Returns:
            One result a face, in order.

        Raises:
            DeviceError: Not even one face fits into the memory.
        """
        size = 1 if generators else self.batch_size

        def less(smaller: int) -> None:
            self.batch_size = smaller

        return self._protect(
            crops, size=size, generators=generators, on_progress=on_progress, less=less
        )

    def protect_together(
        self, faces: Sequence[Tensor], *, generators: Sequence[Generator]
    ) -> list[FaceResult]:
        """Protect faces as one batch, by one thread, whatever the batch size.

        Equal faces and generators give equal bits. Only where the memory does not suffice for all
        at once are they protected in parts, which shows in the last bits.

        Args:
            faces: As in `protect`.
            generators: One a face.

        Raises:
            DeviceError: As in `protect`.
        """
        return self._protect(faces, size=len(faces), generators=generators)

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

    def _protect(
        self,
        faces: Sequence[Tensor],
        *,
        size: int,
        generators: Sequence[Generator] | None,
        on_progress: Progress | None = None,
        less: Callable[[int], None] = lambda smaller: None,
    ) -> list[FaceResult]:
        """Protect faces in batches of a size; ``less`` is told when it has to be halved."""
        results: list[FaceResult] = []
        with _threads(repeatable=bool(generators)):
            while len(results) < len(faces):
                done = len(results)
                batch = torch.stack(list(faces[done : done + size])).to(self.device)
                streams = list(generators[done : done + size]) if generators else None
                steps = _scaled(on_progress, done, len(batch))
                protected = self._attempt(batch, streams, steps)
                if protected is None:
                    size = self._back_off(len(batch))
                    less(size)
                else:
                    results += _split(protected)
        return results

    def _attempt(
        self, batch: Tensor, generators: list[Generator] | None, steps: Steps | None
    ) -> Protected | None:
        """The protected batch, or None when the memory is full."""
        try:
            return self.protector.protect(batch, generator=generators, progress=steps)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            # The traceback keeps the tensors of the attempt alive: leave before trying again.
            return None

    def _back_off(self, size: int) -> int:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if size == 1:
            raise DeviceError(
                f"the memory of {self.device} does not suffice for one face; free some, use fewer "
                "recognisers or another device"
            )
        _log.warning(
            "the memory of %s is full: at most %d faces at once now", self.device.type, size // 2
        )
        return size // 2


def check_image(image: Tensor, *, what: str = "the protected face") -> None:
    """Check that an image has content, before it is kept or written.

    Raises:
        ProtectionError: It has values that are not finite, or all of them are equal.
    """
    if not bool(torch.isfinite(image).all()):
        raise ProtectionError(f"{what} has values that are not finite; not written")
    if bool(image.amax() == image.amin()):
        raise ProtectionError(f"{what} is a constant image; not written")


def _threads(*, repeatable: bool) -> AbstractContextManager[object]:
    if repeatable:
        return one_thread()
    usual_threads()
    return nullcontext()


def _scaled(on_progress: Progress | None, done: int, size: int) -> Steps | None:
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
