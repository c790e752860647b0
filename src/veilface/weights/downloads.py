"""What fetching a network would download, without doing it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from veilface.weights import frbench_assets, store
from veilface.weights.spec import Fetchable


@dataclass(frozen=True, slots=True)
class Plan:
    """What fetching one network would do.

    Attributes:
        name: Registry name.
        source: Where its files come from.
        files: Web addresses, or paths inside the package.
        size: Bytes that the files have, roughly where no exact size is published.
        folder: Where they go.
        needed: Whether anything would be downloaded.
    """

    name: str
    source: str
    files: tuple[str, ...]
    size: int
    folder: str
    needed: bool

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)


def plan(spec: Fetchable) -> Plan:
    """What `fetch` would do; nothing is downloaded or written."""
    source = spec.source
    web = source.registry == "http"
    files = tuple(store.address(spec, f) if web else f.member for f in source.files)
    folder = store.cache_folder() / "weights" / spec.name
    if source.registry == "frbench":
        folder = frbench_assets.asset_cache()
    needed = not store.present(spec) and not store.unrecorded(spec)
    return Plan(spec.name, str(source), files, source.size, str(folder), needed)
