"""The record beside the outputs that makes a run resumable: JSON, one line an input.

A line says what went in (name and hash), with what parameters, what came out, and how well it
matches. It never says the seed: with it, and the photo, the randomness would be known. A line is
written when its photo is complete, so that a run that is cut off loses the photo under work only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = "veilface-manifest.jsonl"


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One written file.

    Attributes:
        path: Below the output folder, with forward slashes.
        faces: Its faces: ``box`` and ``landmarks`` in pixels of the upright photo (null for
            aligned crops) and ``similarity`` by recogniser.
    """

    path: str
    faces: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one input.

    Attributes:
        input: The file, relative to the working folder where it is below it.
        name: The planned name of the outputs.
        status: ``done`` or ``failed``; a run reports ``skipped`` ones too but does not write them.
        sha256: Hash of the input's bytes; None when it could not be read.
        parameters: All that the outputs depend on, except for the seed.
        reproducible: Whether the caller chose the seed.
        outputs: The files, empty for a failure.
        seconds: Computing time of this photo.
        error: The sentence of a failure.
    """

    input: str
    name: str
    status: str
    sha256: str | None
    parameters: Mapping[str, Any]
    reproducible: bool
    outputs: tuple[OutputRecord, ...] = ()
    seconds: float = 0.0
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)


@dataclass(slots=True)
class Manifest:
    """The records of an output folder.

    Args:
        root: The output folder.
    """

    root: Path
    _done: dict[str, list[Record]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.root / NAME

    def load(self) -> None:
        """Read what earlier runs did; lines that are torn or of another kind are passed over."""
        self._done.clear()
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            record = _parse(line)
            if record is not None:
                self._remember(record)

    def _remember(self, record: Record) -> None:
        if record.status == "done" and record.sha256 is not None:
            self._done.setdefault(record.sha256, []).append(record)

    def find(self, wanted: Record) -> Record | None:
        """The earlier record that makes an input superfluous.

        It has the same content and parameters, is for the same file or name, and its outputs are
        still there.
        """
        for record in reversed(self._done.get(wanted.sha256 or "", [])):
            if (
                (record.name == wanted.name or record.input == wanted.input)
                and record.parameters == wanted.parameters
                and record.reproducible == wanted.reproducible
                and record.outputs
                and all((self.root / output.path).is_file() for output in record.outputs)
            ):
                return record
        return None

    def append(self, record: Record) -> None:
        """Write one line and hand it to the operating system.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps(record.to_dict(), ensure_ascii=False).encode() + b"\n"
        with self.path.open("ab+") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a run was cut off in the middle of a line
                    line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._remember(record)


def _parse(line: bytes) -> Record | None:
    try:
        values = json.loads(line)
        values["outputs"] = tuple(
            OutputRecord(path=str(item["path"]), faces=tuple(item["faces"]))
            for item in values["outputs"]
        )
        return Record(**values)
    except (ValueError, TypeError, KeyError):
        return None
