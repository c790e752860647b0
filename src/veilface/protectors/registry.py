"""The table of protectors: presets of our method, the compared methods, and the controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from veilface.errors import UnknownNameError
from veilface.protectors import duetface, ldp_slicing, minusface, partialface, proface
from veilface.protectors.base import FaceProtector, Surrogate
from veilface.protectors.controls import CONTROLS
from veilface.protectors.spec import MethodSpec
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.protector import VeilProtector

METHODS: Mapping[str, MethodSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            duetface.SPEC,
            partialface.SPEC,
            minusface.SPEC,
            *proface.SPECS,
            ldp_slicing.SPEC,
        )
    }
)
"""The methods of other authors, built from their papers."""

PROTECTORS: Mapping[str, str] = {
    **{name: preset.summary for name, preset in PRESETS.items()},
    **{name: spec.summary for name, spec in METHODS.items()},
    **{name: control.summary for name, control in CONTROLS.items()},
}
"""Every name that `build_protector` takes, with one line about it."""


def build_protector(
    name: str | Preset,
    surrogates: Sequence[Surrogate] = (),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> FaceProtector:
    """Make a protector.

    Args:
        name: A name of `PROTECTORS`, or a preset with parameters of the caller's own.
        surrogates: The ensemble of a preset; methods and controls need none.
        progress: Called with finished and all steps; methods and controls never call it.

    Raises:
        UnknownNameError: The name is not in the table.
        UntrainedError: The method has to be trained first.
        ShapeError: A preset was given no surrogate.
    """
    if isinstance(name, str) and name in CONTROLS:
        return CONTROLS[name]
    if isinstance(name, str) and name in METHODS:
        return METHODS[name].build()
    if isinstance(name, str) and name not in PRESETS:
        raise UnknownNameError("protector", name, PROTECTORS)
    preset = PRESETS[name] if isinstance(name, str) else name
    return VeilProtector(preset, surrogates, progress=progress)
