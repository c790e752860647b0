"""Tables that other packages add to, by entry points of their own.

A package is looked at when a name is not in our own table, or when all names are wanted. One that
does not work is told of and left out; only who asks for it by name gets an error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from veilface.errors import PluginError
from veilface.text import printable

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Our own entries, in their order, and then those of other packages.

    Args:
        own: Our own, which nobody replaces.
        group: Of the entry points, such as ``veilface.protectors``. Each one's name is the name in
            this table, and what it points to the entry.
        kind: What an entry is.
        reserved: Further names that are taken.
    """

    def __init__(
        self, own: Mapping[str, T], *, group: str, kind: type[T], reserved: tuple[str, ...] = ()
    ) -> None:
        self._own = own
        self._group = group
        self._kind = kind
        self._taken = {*own, *reserved}
        self._loaded: dict[str, T] = {}
        self._told: set[str] = set()

    def __getitem__(self, name: str) -> T:
        """The entry of a name.

        Raises:
            KeyError: There is none.
            PluginError: A package has one that does not work.
        """
        if name in self._own:
            return self._own[name]
        if name in self._taken:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(self._points[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Our names, and those of packages that work; of the others the log tells once."""
        yield from self._own
        for name in self._points:
            try:
                self[name]
            except PluginError as error:
                self._tell(str(error))
            else:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self._group):
            if point.name in self._taken or point.name in found:
                self._tell(f"{self._called(point)} is left out: the name is taken")
            else:
                found[point.name] = point
        return found

    def _load(self, point: EntryPoint) -> T:
        try:
            entry = point.load()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise PluginError(
                printable(f"{self._called(point)} does not work: {reason}")
            ) from error
        if not isinstance(entry, self._kind):
            raise PluginError(
                f"{self._called(point)} must be of the type {self._kind.__name__}, "
                f"not {type(entry).__name__}"
            )
        if getattr(entry, "name", point.name) != point.name:
            raise PluginError(f"{self._called(point)} calls itself by another name")
        return entry

    def _called(self, point: EntryPoint) -> str:
        package = "a package" if point.dist is None else f"the package {point.dist.name}"
        return printable(f"'{point.name}' of {package} ({self._group}, {point.value})")

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            _log.warning(sentence)
