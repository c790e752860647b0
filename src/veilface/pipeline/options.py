"""How the photos of a run are treated, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veilface.pipeline.inputs import PassedOver
from veilface.pipeline.manifest import Record


@dataclass(frozen=True, slots=True)
class Options:
    """How the photos of a run are treated.

    Attributes:
        aligned: They are 112x112 crops in the ArcFace template.
        largest: Only the largest face of each.
        paste: Write the whole photo with its faces replaced instead of one file a face.
        format: png or jpeg.
        overwrite: Replace outputs that exist.
        seed: For results that can be repeated; None for the operating system's randomness.
        names: ``source`` names outputs like their photos, in mirrored folders; ``neutral`` by
            twelve random digits.
        strict: What is passed over in folders counts as failed.
    """

    aligned: bool = False
    largest: bool = False
    paste: bool = False
    format: str = "png"
    overwrite: bool = False
    seed: int | None = None
    names: str = "source"
    strict: bool = False

    def parameters(self) -> dict[str, Any]:
        """What the outputs depend on, for the manifest; no seed."""
        return {
            "aligned": self.aligned,
            "largest": self.largest,
            "paste": self.paste,
            "format": self.format,
            "names": self.names,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run.

    Attributes:
        records: One an input, in the order in which they were finished.
        manifest: Where the record is.
        passed_over: What lies in the folders and was not taken.
        interrupted: Whether Ctrl-C ended it.
        stopped: Why it could not go on; None when it did.
    """

    records: tuple[Record, ...]
    manifest: Path
    passed_over: tuple[PassedOver, ...] = ()
    interrupted: bool = False
    stopped: str | None = None

    def count(self, status: str) -> int:
        """Number of inputs that are ``done``, ``skipped`` or ``failed``."""
        return sum(record.status == status for record in self.records)

    @property
    def ok(self) -> bool:
        """Whether every input is done."""
        return not (self.interrupted or self.stopped or self.count("failed"))
