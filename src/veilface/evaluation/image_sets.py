"""Which images an evaluation makes, and which targets look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from veilface.errors import ShapeError, WeightsError
from veilface.jobs.cache import Job
from veilface.jobs.sets import transform
from veilface.protectors.base import FaceProtector
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import Preset
from veilface.recognizers.registry import available, get_spec
from veilface.recognizers.table import RECOGNIZERS, SURROGATES

AnyProtector = str | Preset | FaceProtector
"""A name of the registry, a preset with parameters of the caller's own, or an object."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """The images of one protector and one ensemble.

    Attributes:
        name: Of the protector.
        job: What to optimise with; None for what only transforms.
        protector: What only transforms: a control, a method of other authors, or an object of the
            caller; None for a job.
        targets: The recognisers that decide about these images.
    """

    name: str
    job: Job | None
    protector: FaceProtector | None
    targets: tuple[str, ...]

    @property
    def kind(self) -> Literal["preset", "control"]:
        """Anything that is no control is under test."""
        return "control" if self.name in CONTROLS else "preset"

    @property
    def surrogates(self) -> tuple[str, ...]:
        """Of the job; none for what only transforms."""
        return () if self.job is None else self.job.surrogates

    @property
    def preset(self) -> Preset | None:
        """Of the job."""
        return None if self.job is None else self.job.preset

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Of the preset, as JSON-ready values."""
        return {} if self.preset is None else asdict(self.preset)

    def transformed(self, faces: Tensor, *, seed: int) -> Tensor:
        """The images of what only transforms."""
        if self.protector is None:
            raise ShapeError(f"{self.name} is optimised, not transformed")
        return transform(self.protector, faces, seed=seed)


def image_sets(
    protectors: Sequence[AnyProtector],
    targets: Sequence[str],
    surrogates: Sequence[str],
    *,
    controls: bool = True,
) -> tuple[ImageSet, ...]:
    """Every protector against every target, whose own gradient it never sees.

    Args:
        protectors: Under test.
        targets: Names of recognisers.
        surrogates: Names of recognisers; each target is left out of its own ensemble.
        controls: Whether the controls stand beside them.

    Raises:
        UnknownNameError: A name is in no registry.
        ShapeError: Two protectors have the same name.
        WeightsError: A target leaves no surrogate.
    """
    for name in (*targets, *surrogates):
        get_spec(name)
    sets: list[ImageSet] = []
    names: set[str] = set()
    for protector in (*protectors, *(CONTROLS if controls else ())):
        made = _sets_of(protector, targets, surrogates)
        name = made[0].name
        if name in names and name not in CONTROLS:
            raise ShapeError(f"two protectors are called {name}; give each a name of its own")
        if name not in names:
            sets += made
        names.add(name)
    return tuple(sets)


def default_recognizers() -> tuple[str, ...]:
    """The verified recognisers that are present.

    Raises:
        WeightsError: There is none.
    """
    names = tuple(name for name in available() if RECOGNIZERS[name].verified)
    if not names:
        raise WeightsError("no recogniser is present; run: veilface recognizers list")
    return names


def default_surrogates(present: Sequence[str] | None = None) -> tuple[str, ...]:
    """The recognisers that a protection is made against unless others are named.

    Args:
        present: Those to choose from; by default those that are here.

    Raises:
        WeightsError: None is here.
    """
    names = default_recognizers() if present is None else tuple(present)
    return tuple(name for name in SURROGATES if name in names) or names


def _sets_of(
    protector: AnyProtector, targets: Sequence[str], surrogates: Sequence[str]
) -> list[ImageSet]:
    if not isinstance(protector, str | Preset):
        return [ImageSet(protector.name, None, protector, tuple(targets))]
    job = Job(protector)  # says which names there are
    if job.is_transform:
        return [ImageSet(job.name, None, build_protector(protector), tuple(targets))]
    by_ensemble: dict[tuple[str, ...], list[str]] = {}
    for target in targets:
        ensemble = tuple(name for name in surrogates if name != target)
        if not ensemble:
            raise WeightsError(
                f"the target {target} leaves no surrogate: a target is never a surrogate; "
                "name others, or see: veilface recognizers list"
            )
        by_ensemble.setdefault(ensemble, []).append(target)
    return [
        ImageSet(job.name, Job(protector, ensemble), None, tuple(group))
        for ensemble, group in by_ensemble.items()
    ]
