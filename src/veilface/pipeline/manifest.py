"""The record of a run that makes it resumable: JSON, one line an input.

A line says what went in (name and hash), with what parameters, what came out, and how well it
matches. It never says the seed: with it, and the photo, the randomness would be known. A line is
written when its photo is complete, so that a run that is cut off loses the photo under work only.

Names, hashes and places of faces tell on people, and an output folder is what is sent away: the
record lies beside the folder, not in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veilface.core.files import write_atomic
from veilface.errors import ImageError
from veilface.jobs.recipe import FORMER, is_shipped

SUFFIX = ".veilface.jsonl"
"""Of the record; while files are written, one with ``.now`` behind it says which."""

_FORMER = "veilface-manifest.jsonl"  # once it lay inside of the folder
_ENCODING = ("utf-8", "backslashreplace")  # of a name that is no text, JSON escapes the odd bytes


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
        too_small: Faces that were seen and left as they are, because they are too small to tell
            who it is.
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
    too_small: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)


def default_path(root: Path) -> Path:
    """Where the record of an output folder lies: ``photos.veilface.jsonl`` beside ``photos``.

    Raises:
        ImageError: The folder is the root of the file system, beside which there is nothing.
    """
    place = root.resolve() if root.name in ("", "..") else root
    if not place.name:
        raise ImageError(f"there is no place beside {place}; say where with --manifest")
    return place.with_name(place.name + SUFFIX)


class Manifest:
    """The records of an output folder.

    Args:
        root: The output folder.
        path: The file; None for `default_path`, where the file of a former version is moved to.

    Attributes:
        damaged: Number of lines that cannot be read.
    """

    def __init__(self, root: Path, path: Path | None = None) -> None:
        self.root = root
        self.path = default_path(root) if path is None else path
        self.damaged = 0
        self._former = root / _FORMER if path is None else self.path
        self._now = self.path.with_name(self.path.name + ".now")
        self._done: dict[str, list[Record]] = {}
        self._makers: dict[str, Record] = {}
        self._cut_off: Record | None = None

    def load(self) -> None:
        """Read what earlier runs did; lines that are torn or of another kind are counted.

        Raises:
            ImageError: The file cannot be read, or nothing can be written where it belongs.
        """
        self._done.clear()
        self._makers.clear()
        self.damaged = 0
        try:
            if self._former.exists() and not self.path.exists():
                self._former.replace(self.path)
            lines = self.path.read_bytes().splitlines() if self.path.exists() else []
            self._cut_off = _parse(self._now.read_bytes()) if self._now.exists() else None
            with self.path.open("ab"):  # now rather than after the first photo's work
                pass
        except OSError as error:
            raise ImageError(
                f"cannot use the manifest {self.path}: {error.strerror}; --manifest names another"
            ) from error
        for line in lines:
            record = _parse(line)
            if record is None:
                self.damaged += bool(line.strip())
            else:
                self._remember(record)
        if self._cut_off is not None:
            for output in self._cut_off.outputs:
                self._makers.setdefault(output.path, self._cut_off)

    def _remember(self, record: Record) -> None:
        if record.status == "done" and record.sha256 is not None:
            self._done.setdefault(record.sha256, []).append(record)
            self._makers.update((output.path, record) for output in record.outputs)

    def maker(self, output: str) -> Record | None:
        """What the file at a path below the output folder was made of last."""
        return self._makers.get(output)

    def name_of(self, given: str) -> str | None:
        """The name that the outputs of an input have had, those of a killed run included."""
        if self._cut_off is not None and self._cut_off.input == given:
            return self._cut_off.name
        names = [r.name for records in self._done.values() for r in records if r.input == given]
        return names[-1] if names else None

    def find(self, wanted: Record) -> Record | None:
        """The earlier record that makes an input superfluous.

        It has the same content and parameters, is for the same file or name, and its outputs are
        still there and were not made anew since.
        """
        for record in reversed(self._done.get(wanted.sha256 or "", [])):
            if (
                (record.name == wanted.name or record.input == wanted.input)
                and _agree(record.parameters, wanted.parameters)
                and record.reproducible == wanted.reproducible
                and record.outputs
                and all(self._makers[output.path] is record for output in record.outputs)
                and all((self.root / output.path).is_file() for output in record.outputs)
            ):
                return record
        return None

    def announce(self, record: Record) -> None:
        """Say which files are about to be written, in case that this is cut off before the line.

        Raises:
            ImageError: That cannot be written.
        """
        write_atomic(self._now, _line(record), overwrite=True)

    def withdraw(self) -> None:
        """The announced files were not written, or are gone again."""
        self._now.unlink(missing_ok=True)

    def append(self, record: Record) -> None:
        """Write one line and hand it to the operating system.

        Raises:
            OSError: It cannot be written.
        """
        line = _line(record)
        with self.path.open("ab+") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a run was cut off in the middle of a line
                    line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._remember(record)
        self.withdraw()


def _agree(earlier: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two records have the same parameters.

    A line of a former version says of the method no more than the name of its preset and its
    steps: it stands for the preset that ships under this name, and for no other.
    """
    if "method" in wanted and "method" not in earlier:
        if not is_shipped(wanted["method"], wanted["preset"]):
            return False
        wanted = {name: value for name, value in wanted.items() if name not in FORMER}
    return earlier == wanted


def _line(record: Record) -> bytes:
    return json.dumps(record.to_dict(), ensure_ascii=False).encode(*_ENCODING) + b"\n"


def _parse(line: bytes) -> Record | None:
    try:
        values = json.loads(line)
        values["outputs"] = tuple(
            OutputRecord(path=str(item["path"]), faces=tuple(item["faces"]))
            for item in values["outputs"]
        )
        record = Record(**values)
        # What is looked up has to be hashable, and a hostile line could hold anything.
        texts = (record.input, record.name, record.status, record.sha256 or "")
        if not isinstance(record.parameters, dict):
            return None
        return record if all(isinstance(text, str) for text in texts) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
