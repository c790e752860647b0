"""The table of protectors: presets of our method, the compared methods, and the controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from veilface.core.plugins import Registry
from veilface.errors import UnknownNameError
from veilface.protectors import duetface, ldp_slicing, minusface, partialface, proface
from veilface.protectors.base import FaceProtector, Surrogate
from veilface.protectors.controls import CONTROLS
from veilface.protectors.spec import MethodSpec
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.protector import VeilProtector

METHODS: Mapping[str, MethodSpec] = Registry(
    {
        spec.name: spec
        for spec in (
            duetface.SPEC,
            partialface.SPEC,
            minusface.SPEC,
            *proface.SPECS,
            ldp_slicing.SPEC,
        )
    },
    group="veilface.protectors",
    kind=MethodSpec,
    reserved=(*PRESETS, *CONTROLS),
)
"""The methods of other authors, built from their papers, and those of other packages."""


class _Summaries(Mapping[str, str]):
    """One line about every protector, read when it is asked for: packages may add to the table."""

    def __getitem__(self, name: str) -> str:
        if name in PRESETS:
            return PRESETS[name].summary
        return (CONTROLS[name] if name in CONTROLS else METHODS[name]).summary

    def __iter__(self) -> Iterator[str]:
        return chain(PRESETS, METHODS, CONTROLS)

    def __len__(self) -> int:
        return len(PRESETS) + len(METHODS) + len(CONTROLS)


PROTECTORS: Mapping[str, str] = _Summaries()
"""Every name that `build_protector` takes, with one line about it."""


def build_protector(name: str | Preset, surrogates: Sequence[Surrogate] = ()) -> FaceProtector:
    """Make a protector.

    Args:
        name: A name of `PROTECTORS`, or a preset with parameters of the caller's own.
        surrogates: The ensemble of a preset; methods and controls need none.

    Raises:
        UnknownNameError: The name is not in the table.
        UntrainedError: The method has to be trained first.
        PluginError: A package adds a method of this name that does not work.
        ShapeError: A preset was given no surrogate.
    """
    if isinstance(name, str) and name in CONTROLS:
        return CONTROLS[name]
    if isinstance(name, str) and name not in PRESETS:
        if name not in METHODS:
            raise UnknownNameError("protector", name, PROTECTORS)
        return METHODS[name].build()
    preset = PRESETS[name] if isinstance(name, str) else name
    return VeilProtector(preset, surrogates)
