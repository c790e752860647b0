"""The paper's six recognisers and those that are here, as the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veilface.paper.published import FAMILIES
from veilface.recognizers.registry import get_spec


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a recogniser of the paper, of this machine, or both.

    Attributes:
        published: Its name in the paper; None for a recogniser of no family of the paper.
        recognizer: Its name in the registry; None where none of the family is here.
    """

    published: str | None
    recognizer: str | None

    @property
    def title(self) -> str:
        """Heading: a stand-in is named as what it is, never by the paper's name alone."""
        if self.published is None or self.recognizer is None:
            return self.published or self.recognizer or ""
        return f"{self.published} ({self.recognizer})"

    @property
    def here(self) -> tuple[str, ...]:
        """The recogniser as a target, or nothing."""
        return () if self.recognizer is None else (self.recognizer,)

    def value(self, published: Mapping[str, float]) -> float | None:
        """What the paper prints for this recogniser."""
        return None if self.published is None else published[self.published]


def arrange(recognizers: Sequence[str]) -> tuple[Column, ...]:
    """The columns: the paper's recognisers in its order, then the others that are here.

    Args:
        recognizers: Names of those that are evaluated.

    Raises:
        UnknownNameError: A name is not in the registry.
    """
    families = {name: get_spec(name).family for name in recognizers}
    columns: list[Column] = []
    for published, family in FAMILIES.items():
        here = [Column(published, name) for name in recognizers if families[name] == family]
        columns += here or [Column(published, None)]
    others = [name for name in recognizers if families[name] not in FAMILIES.values()]
    return (*columns, *(Column(None, name) for name in others))
