"""What the study compares: presets, ensembles and black boxes, and what each must reach."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.recognizers.registry import available
from veilface.recognizers.table import SURROGATES

BLACK_BOXES = ("fr_feature", "sface", "mobilefacenet")
"""Left out one at a time; the figures of an operating point are means over the three."""

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "persona": "viewers ≤ .20 (asked), line-up ≤ .25, source ≥ .995, XDR ≥ .90, pFMR ≤ .005, "
        "face found ≥ .99",
    }
)
"""What an operating point must reach, by name of the preset."""


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line of the study.

    Attributes:
        preset: Name or parameters.
        surrogates: The ensemble, from which each target is left out.
        targets: The black boxes.
    """

    preset: str | Preset
    surrogates: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the preset."""
        return self.preset if isinstance(self.preset, str) else self.preset.name


def study_rows() -> Mapping[str, StudyRow]:
    """Every line by its name on the command line; an ensemble needs its recognisers present."""
    every = tuple(available())
    fine = tuple(name for name in SURROGATES if name in every)
    rows = {name: StudyRow(name, fine, BLACK_BOXES) for name in PRESETS}
    for label, few in (("two", ("dlib", "sface")), ("three", ("dlib", "sface", "mobilefacenet"))):
        unseen = tuple(name for name in every if name not in few)
        rows[f"persona-{label}"] = StudyRow("persona", few, unseen)
    return rows | {"persona-all": StudyRow("persona", fine, every)}


def changed(preset: Preset, changes: str) -> Preset:
    """A preset with other parameters and a name that says so.

    Args:
        preset: What is changed.
        changes: Such as ``steps=100 diversity.scale=.2 modulation=None``.

    Raises:
        ValueError: A parameter that the preset does not have, or no Python value.
    """
    result = replace(preset, name=f"{preset.name} {changes}")
    for change in changes.split():
        path, _, value = change.partition("=")
        result = _with(result, path.split("."), ast.literal_eval(value))
    return result


_Part = TypeVar("_Part")


def _with(part: _Part, path: list[str], value: Any) -> _Part:  # noqa: ANN401 - of any parameter
    name, *rest = path
    if not is_dataclass(part) or name not in {field.name for field in fields(part)}:
        raise ValueError(f"there is no parameter {name}")
    inner = _with(getattr(part, name), rest, value) if rest else value
    return replace(part, **{name: inner})  # type: ignore[type-var]
