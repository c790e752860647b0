"""The table of protectors: the presets of our method, and the controls beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veilface.errors import UnknownNameError
from veilface.protectors.base import FaceProtector, Surrogate
from veilface.protectors.controls import CONTROLS
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.protector import VeilProtector

PROTECTORS: Mapping[str, str] = {
    **{name: preset.summary for name, preset in PRESETS.items()},
    **{name: control.summary for name, control in CONTROLS.items()},
}
"""Every name that `build_protector` takes, with one line about it."""


def build_protector(name: str | Preset, surrogates: Sequence[Surrogate] = ()) -> FaceProtector:
    """Make a protector.

    Args:
        name: A name of `PROTECTORS`, or a preset with parameters of the caller's own.
        surrogates: The ensemble; controls need none.

    Raises:
        UnknownNameError: The name is not in the table.
        ShapeError: A preset was given no surrogate.
    """
    if isinstance(name, str) and name in CONTROLS:
        return CONTROLS[name]
    if isinstance(name, str) and name not in PRESETS:
        raise UnknownNameError("protector", name, PROTECTORS)
    preset = PRESETS[name] if isinstance(name, str) else name
    return VeilProtector(preset, surrogates)
