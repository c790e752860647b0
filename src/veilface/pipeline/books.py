"""What a run has done, may replace, and has still to do: the photos' files and their record.

One process keeps the books of an output folder, wherever the outputs are made. A photo is written,
and its line added to the record, as soon as it is made, and each of them once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from veilface.core.files import read_bytes
from veilface.errors import ImageError, VeilfaceError
from veilface.imaging.provenance import Mark, read_mark
from veilface.pipeline.inputs import Source
from veilface.pipeline.making import Made, Opened, Outcome
from veilface.pipeline.manifest import Manifest, OutputRecord, Record
from veilface.pipeline.options import Options
from veilface.pipeline.outputs import output_paths
from veilface.pipeline.progress import Reporter
from veilface.pipeline.writing import check_free, discard, is_hopeless, write_all

_NEUTRAL = re.compile(r"[0-9a-f]{12}")

_log = logging.getLogger(__name__)


class StopRunError(Exception):
    """No other photo can be written either."""


class Books:
    """The books of one run.

    Args:
        manifest: The record.
        options: How the photos are treated.
        parameters: All that outputs depend on, except for a seed.
        chosen: Whether a seed or a key of the caller's makes the results.
        reporter: Is told about the progress.
        again: Asked whether a photo that veilface protected already is protected again.

    Attributes:
        records: What became of the inputs so far.
    """

    def __init__(
        self,
        manifest: Manifest,
        options: Options,
        *,
        parameters: Mapping[str, Any],
        chosen: bool,
        reporter: Reporter,
        again: Callable[[Path, Mark], bool],
    ) -> None:
        self.manifest = manifest
        self.options = options
        self.parameters = parameters
        self.reporter = reporter
        self.again = again
        self.records: list[Record] = []
        self._far = 0.0
        # Under another seed or key the outputs would be others, and the manifest knows none.
        self._anew = options.overwrite and chosen

    def open(self, source: Source, name: str) -> Opened | None:
        """Read a photo; None when it is done already, or cannot be."""
        record = self._record(_given(source.path), name)
        try:
            data = read_bytes(source.path)
            record = replace(record, sha256=hashlib.sha256(data).hexdigest())
            earlier = self.manifest.find(record)
            if earlier is not None and not self._anew:
                self._settle(replace(earlier, input=record.input, status="skipped"))
                return None
            self._ask(source.path, data)
        except VeilfaceError as error:
            self.fail(record, str(error))
            return None
        if self.options.names == "neutral":
            record = replace(record, name=self._neutral(record))
        return Opened(str(source.path), data, record)

    def check(self, photo: Opened, faces: int) -> None:
        """Check that the outputs of a photo may be written.

        Raises:
            ImageError: One exists and may not be replaced.
        """
        paths = self._paths(photo.record, 1 if self.options.paste else faces)
        check_free(paths, replaceable=self._replaceable(photo.record, paths))

    def settle(self, photo: Opened, outcome: Outcome) -> None:
        """Write what was made of a photo, and its line.

        Raises:
            StopRunError: No other photo could be written either.
        """
        if isinstance(outcome, str):
            self.fail(photo.record, outcome)
        else:
            self._write(photo.record, outcome)

    def refuse(self, given: str, sentence: str) -> None:
        """An input that is no photo."""
        self.fail(self._record(given, given), sentence)

    def moved(self, partial: float = 0.0) -> None:
        """So much is done of what is not finished; a way that says less has said it before."""
        self._far = max(self._far, len(self.records) + partial)
        self.reporter.moved(self._far)

    def fail(self, record: Record, sentence: str) -> None:
        """A photo cannot be protected.

        Raises:
            StopRunError: The record cannot be written.
        """
        record = replace(record, status="failed", error=sentence)
        self._settle(record)
        try:
            self.manifest.append(record)
        except OSError as error:
            raise StopRunError(f"cannot write {self.manifest.path}: {error.strerror}") from error

    def _record(self, given: str, name: str) -> Record:
        seeded = self.options.seed is not None
        return Record(given, name, "failed", None, self.parameters, seeded)

    def _ask(self, path: Path, data: bytes) -> None:
        mark = read_mark(data)
        if mark is not None and not self.again(path, mark):
            raise ImageError(
                f"{path} was made by veilface already (preset {mark.preset}), and a second "
                "protection lowers its similarity; --again protects it all the same"
            )

    def _neutral(self, record: Record) -> str:
        """Digits that say nothing about the photo; the same again for one that has some."""
        former = self.manifest.name_of(record.input)
        return former if former and _NEUTRAL.fullmatch(former) else secrets.token_hex(6)

    def _paths(self, record: Record, files: int) -> list[Path]:
        options = self.options
        return output_paths(
            self.manifest.root, record.name, count=files, form=options.format, whole=options.paste
        )

    def _replaceable(self, record: Record, paths: Sequence[Path]) -> frozenset[Path]:
        """Those outputs that may exist: made from this photo by an earlier run, or all of them."""
        return frozenset(
            path for path in paths if self.options.overwrite or self._is_former(record, path)
        )

    def _is_former(self, record: Record, path: Path) -> bool:
        maker = self.manifest.maker(self._relative(path))
        if maker is None and not self.manifest.damaged:
            return False
        if maker is not None and record.input != maker.input and record.sha256 != maker.sha256:
            return False
        return path.is_file() and read_mark(path) is not None

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.manifest.root).as_posix()

    def _write(self, former: Record, made: Made) -> None:
        began = time.perf_counter()
        paths = self._paths(former, len(made.files))
        files = list(zip(paths, made.files, strict=True))
        outputs = [
            OutputRecord(self._relative(path), faces)
            for path, faces in zip(paths, made.faces, strict=True)
        ]
        former = replace(former, too_small=made.too_small)
        record = replace(former, status="done", outputs=tuple(outputs))
        new: list[tuple[Path, bytes]] = []
        try:
            replaceable = self._replaceable(record, paths)
            check_free(paths, replaceable=replaceable)
            self.manifest.announce(record)
            new = [(path, data) for path, data in files if not os.path.lexists(path)]
            write_all(files, replaceable=replaceable)
            seconds = round(made.seconds + time.perf_counter() - began, 3)
            record = replace(record, seconds=seconds)
            self.manifest.append(record)
        except VeilfaceError as error:
            self.fail(former, str(error))
            if is_hopeless(error):
                raise StopRunError(str(error)) from error
        except OSError as error:
            # Without its line the photo is not done, and its files would be in the way.
            self._undo(new)
            reason = f"cannot write {self.manifest.path}: {error.strerror}"
            self._settle(replace(former, error=reason))
            raise StopRunError(reason) from error
        except BaseException:
            # Ctrl-C may arrive when the line is already written: then the photo is done.
            self.manifest.load()
            if self.manifest.find(record) is None:
                self._undo(new)
            raise
        else:
            self._settle(record)

    def _undo(self, new: Sequence[tuple[Path, bytes]]) -> None:
        discard(new)
        self.manifest.withdraw()

    def _settle(self, record: Record) -> None:
        self.records.append(record)
        _log.info("photo %d: %s", len(self.records), record.status)
        self.reporter.finished(record)
        self.moved()


def _given(path: Path) -> str:
    """The path relative to the working folder where it is below it, else as given."""
    try:
        # Not resolved: a link is known by the name under which it was given.
        return Path(os.path.abspath(path)).relative_to(Path.cwd()).as_posix()  # noqa: PTH100
    except ValueError:
        return path.as_posix()
