"""The methods of other authors that exist here, under the names of the paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from veilface.core.template import SIDE
from veilface.errors import UntrainedError
from veilface.paper.comparison import NOT_TRAINED, Line
from veilface.paper.published import METHODS
from veilface.protectors.base import FaceProtector
from veilface.protectors.display import Stretch, to_image
from veilface.protectors.registry import METHODS as REGISTRY
from veilface.protectors.registry import build_protector
from veilface.types import Protected


@dataclass(frozen=True, slots=True)
class Compared:
    """One method of the registry.

    Attributes:
        title: As tables call it: the paper's name, and the variant where there are several.
        name: In the registry.
        published: The paper's name for it; None for a method that the paper does not compare.
        ready: Whether it can protect: it needs no training, or has been trained here.
    """

    title: str
    name: str
    published: str | None
    ready: bool


def compared_methods() -> tuple[Compared, ...]:
    """Every method of the registry, in the paper's order and then those that it does not have."""
    found = []
    for title, name in METHODS.items():
        stem = name.split("-")[0]
        names = [each for each in REGISTRY if each.split("-")[0] == stem]
        for each in names:
            variant = each[len(stem) :].strip("-")
            found.append(Compared(f"{title} {variant}".strip(), each, title, _is_ready(each)))
    known = {each.name for each in found}
    others = [name for name in REGISTRY if name not in known]
    return (*found, *(Compared(name, name, None, _is_ready(name)) for name in others))


def _is_ready(name: str) -> bool:
    try:
        build_protector(name)
    except UntrainedError:
        return False
    return True


def lines_of_methods(
    published: Callable[[str], Line], measured: Callable[[str, str], Sequence[Line]]
) -> list[Line]:
    """The upper half of a table: every published line above what was measured here.

    Args:
        published: The line of a method of the paper, by its name there.
        measured: The lines of a title and the registry name of a method that is ready.
    """
    lines: list[Line] = []
    methods = compared_methods()
    for title in METHODS:
        lines.append(published(title))
        mine = [each for each in methods if each.published == title]
        for each in mine:
            lines += measured(each.title, each.name) if each.ready else [_empty(lines[-1], each)]
    for each in methods:
        if each.published is None and each.ready:
            lines += measured(each.title, each.name)
    return lines


def _empty(like: Line, method: Compared) -> Line:
    cells = tuple(None if cell is None else NOT_TRAINED for cell in like.cells)
    return Line(method.title, "measured", cells)


class OtherRule:
    """What a method transmits as a picture under the rule that is not its own.

    Args:
        method: One whose picture is stretched, which is then clamped, or the other way round.
        stretch: The other rule.
    """

    def __init__(self, method: FaceProtector, stretch: Stretch) -> None:
        self.name = f"{method.name}, {RULES[stretch]}"
        self._method, self._stretch = method, stretch

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`."""
        made = self._method.protect(x, generator=generator)
        if made.picture is None:
            return made
        images, flat = to_image(made.picture, stretch=self._stretch)
        return Protected(images.to(x.dtype), {}, data=made.data, degenerate=flat)


RULES: Mapping[Stretch, str] = {"none": "unstretched", "minmax": "stretched"}


def other_rules() -> tuple[OtherRule, ...]:
    """For every method that is ready and whose picture another rule would change."""
    grey = torch.full((1, 3, SIDE, SIDE), 0.5)
    found = []
    for each in compared_methods():
        if each.ready:
            method = build_protector(each.name)
            made = method.protect(grey)
            if made.picture is not None:
                found.append(OtherRule(method, "minmax" if made.degenerate is None else "none"))
    return tuple(found)
