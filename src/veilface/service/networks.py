"""The networks of a service, each loaded once; used by the worker's thread alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veilface.core.devices import one_thread, resolve_device
from veilface.errors import UnknownNameError
from veilface.imaging.cover import COVERS
from veilface.pipeline.cover import Coverer
from veilface.pipeline.crops import FaceFinder
from veilface.pipeline.ensemble import assemble, choose
from veilface.pipeline.prepared import Worker
from veilface.pipeline.protector import Protector
from veilface.pipeline.verify import ALL
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer


@dataclass(frozen=True, slots=True)
class Method:
    """How photos are protected; those of one method go through the networks together.

    Attributes:
        preset: A name of `PRESETS`.
        recognizers: Names of the surrogates; none for all of the service.
        cover: ``box``, ``blur`` or ``pixelate`` instead of a stranger.
        accept_doubt: As of `Protector`.
    """

    preset: str = "persona"
    recognizers: tuple[str, ...] = ()
    cover: str | None = None
    accept_doubt: bool = False


class Networks:
    """Recognisers and the protectors that use them.

    Args:
        surrogates: Those that protected faces are made against, by default.
        others: Those that only compare.
        presets: The protections.
        device: Where all of them are.
        batch_size: Most faces at once.
    """

    def __init__(
        self,
        surrogates: Sequence[Recognizer],
        *,
        others: Sequence[Recognizer] = (),
        presets: Mapping[str, Preset] = PRESETS,
        device: str = "cpu",
        batch_size: int = 8,
    ) -> None:
        self.surrogates = {one.name: one for one in surrogates}
        self.recognizers = self.surrogates | {one.name: one for one in others}
        self.presets = presets
        self.device = device
        self.batch_size = batch_size
        self._workers: dict[Method, Worker] = {}
        self._finders = {aligned: FaceFinder(aligned=aligned) for aligned in (False, True)}

    @classmethod
    def load(
        cls, names: Sequence[str] | None = None, *, device: str = "auto", batch_size: int = 8
    ) -> Networks:
        """The named recognisers as surrogates, or all that are present.

        Loaded with one CPU thread, so that the thread that asks, which is not the one that
        protects, gets no helpers of OpenMP: see `veilface.core.devices.apart`.

        Raises:
            UnknownNameError: A recogniser or device that there is not.
            WeightsError: Weights are missing or damaged.
            DeviceError: The device is not there.
        """
        place = resolve_device(device)
        with one_thread():
            surrogates = assemble(choose(names), place)
            known = {one.name for one in surrogates}
            others = [
                load_recognizer(name, device=str(place), differentiable=False)
                for name in ([] if names else available())
                if name not in known
            ]
        return cls(surrogates, others=others, device=str(place), batch_size=batch_size)

    def compared_with(self, names: Sequence[str]) -> list[Recognizer]:
        """The recognisers that compare; all for ``all``.

        Raises:
            UnknownNameError: One is not loaded here.
        """
        chosen = list(self.recognizers) if list(names) in ([], [ALL]) else names
        return [_named(name, self.recognizers) for name in dict.fromkeys(chosen)]

    def check(self, method: Method) -> None:
        """Raise `UnknownNameError` when a method has a name that this service does not know."""
        if method.preset not in self.presets:
            raise UnknownNameError("preset", method.preset, self.presets)
        for name in method.recognizers:
            _named(name, self.surrogates)
        if method.cover is not None and method.cover not in COVERS:
            raise UnknownNameError("cover", method.cover, COVERS)

    def worker(self, method: Method) -> Worker:
        """What protects by a method."""
        if method not in self._workers:
            self._workers[method] = self._build(method)
        return self._workers[method]

    def finder(self, *, aligned: bool) -> FaceFinder:
        """What finds the faces of pictures that are only looked at."""
        return self._finders[aligned]

    def _build(self, method: Method) -> Worker:
        if method.cover is not None:
            return Coverer(method.cover, accept_doubt=method.accept_doubt)
        names = method.recognizers or tuple(self.surrogates)
        return Protector(
            preset=self.presets[method.preset],
            recognizers=[self.surrogates[name] for name in names],
            device=self.device,
            batch_size=self.batch_size,
            accept_doubt=method.accept_doubt,
        )


def _named(name: str, known: Mapping[str, Recognizer]) -> Recognizer:
    if name not in known:
        raise UnknownNameError("recogniser", name, known)
    return known[name]
