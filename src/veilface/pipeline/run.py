"""Many photos, one run: faces are batched over photos, and every photo stands for itself.

A photo is written, and its line added to the manifest, as soon as its last face is done. What
fails is reported and the rest goes on; what cannot go on (a full disk, Ctrl-C) ends the run with
everything finished so far in place, and the same command continues it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from veilface.core.files import read_bytes
from veilface.errors import DoubtError, ImageError, VeilfaceError
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import Format, encode
from veilface.imaging.provenance import Mark, read_mark
from veilface.jobs.engine import FaceResult
from veilface.pipeline.inputs import Found, PassedOver, Source, collect
from veilface.pipeline.manifest import Manifest, OutputRecord, Record
from veilface.pipeline.outputs import check_format, check_names, output_paths, plan_names
from veilface.pipeline.prepared import Prepared, Worker
from veilface.pipeline.progress import Reporter
from veilface.pipeline.writing import (
    check_free,
    discard,
    is_hopeless,
    only_one,
    prepare_folder,
    write_all,
)
from veilface.types import ProtectedPhoto

_MOST_BYTES = 200_000_000
"""Pixels of photos that wait for the rest of a batch."""

_NEUTRAL = re.compile(r"[0-9a-f]{12}")


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


class _StopRunError(Exception):
    """No other photo can be written either."""


@dataclass(slots=True)
class _Job:
    """A photo under work."""

    record: Record
    prepared: Prepared
    paths: Sequence[Path]
    replaceable: frozenset[Path]
    seconds: float
    results: list[FaceResult] = field(default_factory=list)


def refuse_again(path: Path, mark: Mark) -> bool:
    """The answer, when nobody can be asked, to whether a protected photo is protected again."""
    return False


def run(
    protector: Worker,
    given: Sequence[str | os.PathLike[str]],
    root: Path,
    options: Options,
    *,
    manifest: Path | None = None,
    reporter: Reporter | None = None,
    again: Callable[[Path, Mark], bool] = refuse_again,
) -> Summary:
    """Protect files, folders and globs into a folder.

    Args:
        protector: Does the work.
        given: Files, folders and glob patterns.
        root: The output folder, made when it is not there. While another run writes into it, this
            one waits.
        options: How to treat the photos.
        manifest: Where the record is kept; None for beside the output folder.
        reporter: Is told about the progress.
        again: Asked whether a photo that veilface protected already is protected again.

    Raises:
        UnknownNameError: The format, or the kind of names.
        ImageError: The output folder or the manifest cannot be used.
    """
    check_format(options.format)
    check_names(options.names)
    prepare_folder(root)
    told = reporter or Reporter()
    with only_one(
        root,
        lambda: told.note(f"another veilface writes into {root}; waiting until it is done"),
    ):
        return _Run(protector, Manifest(root, manifest), options, told, again).work(given)


class _Run:
    def __init__(
        self,
        protector: Worker,
        manifest: Manifest,
        options: Options,
        reporter: Reporter,
        again: Callable[[Path, Mark], bool],
    ) -> None:
        self.protector = protector
        self.manifest = manifest
        self.root = manifest.root
        self.options = options
        self.reporter = reporter
        self.again = again
        self.parameters: Mapping[str, Any] = {
            **protector.parameters(seeded=options.seed is not None),
            **options.parameters(),
        }
        self.records: list[Record] = []
        self.jobs: list[_Job] = []

    def work(self, given: Sequence[str | os.PathLike[str]]) -> Summary:
        self.manifest.load()
        found = collect(given, output=self.root)
        interrupted, stopped = False, None
        try:
            self._all(found)
        except KeyboardInterrupt:
            interrupted = True
        except _StopRunError as stop:
            stopped = str(stop)
        return Summary(
            tuple(self.records), self.manifest.path, found.passed_over, interrupted, stopped
        )

    def _all(self, found: Found) -> None:
        if self.manifest.damaged:
            self.reporter.note(
                f"{self.manifest.damaged} lines of {self.manifest.path} cannot be read; outputs "
                "that carry the mark of veilface and are in no other line are made anew"
            )
        failing = found.passed_over if self.options.strict else ()
        self.reporter.begin(len(found.sources) + len(found.problems) + len(failing))
        for one in found.passed_over:
            if self.options.strict:
                self._fail(
                    self._record(one.path, one.path), f"{one.path} is passed over: {one.reason}"
                )
            else:
                self.reporter.passed_over(one)
        for problem in found.problems:
            self._fail(self._record(problem.given, problem.given), problem.sentence)
        for source, name in zip(found.sources, plan_names(found.sources), strict=True):
            self._open(source, name)
            while self._enough():
                self._batch()
        while self.jobs:
            self._batch()

    def _record(self, given: str, name: str) -> Record:
        seeded = self.options.seed is not None
        return Record(given, name, "failed", None, self.parameters, seeded)

    def _open(self, source: Source, name: str) -> None:
        """Read a photo and find its faces, unless it is done already."""
        began = time.perf_counter()
        record = self._record(_given(source.path), name)
        try:
            data = read_bytes(source.path)
            record = replace(record, sha256=hashlib.sha256(data).hexdigest())
            earlier = self.manifest.find(record)
            # Under another seed or key the outputs would be others, and the manifest knows none.
            chosen = self.options.seed is not None or self.protector.keyed
            anew = self.options.overwrite and chosen
            if earlier is not None and not anew:
                self._settle(replace(earlier, input=record.input, status="skipped"))
                return
            if self.options.names == "neutral":
                record = replace(record, name=self._neutral(record))
            job = self._prepare(source.path, data, record, began)
        except VeilfaceError as error:
            self._fail(record, _sentence(error))
        else:
            self.jobs.append(job)

    def _neutral(self, record: Record) -> str:
        """Digits that say nothing about the photo; the same again for one that has some."""
        former = self.manifest.name_of(record.input)
        return former if former and _NEUTRAL.fullmatch(former) else secrets.token_hex(6)

    def _replaceable(self, record: Record, paths: Sequence[Path]) -> frozenset[Path]:
        """Those outputs that may exist: made from this photo by an earlier run, or all of them."""
        return frozenset(
            path for path in paths if self.options.overwrite or self._is_former(record, path)
        )

    def _is_former(self, record: Record, path: Path) -> bool:
        maker = self.manifest.maker(path.relative_to(self.root).as_posix())
        if maker is None and not self.manifest.damaged:
            return False
        if maker is not None and record.input != maker.input and record.sha256 != maker.sha256:
            return False
        return path.is_file() and read_mark(path) is not None

    def _prepare(self, path: Path, data: bytes, record: Record, began: float) -> _Job:
        options = self.options
        photo = decode_photo(data, name=str(path), accept_damage=self.protector.accept_doubt)
        if photo.mark is not None and not self.again(path, photo.mark):
            raise ImageError(
                f"{path} was made by veilface already (preset {photo.mark.preset}), and a second "
                "protection lowers its similarity; --again protects it all the same"
            )
        prepared = self.protector.prepare(
            photo,
            name=str(path),
            aligned=options.aligned,
            largest=options.largest,
            seed=options.seed,
        )
        paths = output_paths(
            self.root,
            record.name,
            count=len(prepared.faces),
            form=options.format,
            whole=options.paste,
        )
        replaceable = self._replaceable(record, paths)
        check_free(paths, replaceable=replaceable)
        if options.paste and options.format == "jpeg" and photo.alpha is not None:
            raise ImageError(f"{path} has transparency, which JPEG cannot keep; use --format png")
        if not options.paste:
            # Only its crops are needed from here on: large photos must not wait in memory.
            bare = replace(photo, pixels=photo.pixels[:0].copy(), alpha=None)
            prepared = replace(prepared, photo=bare)
        record = replace(record, too_small=prepared.found.too_small)
        return _Job(record, prepared, paths, replaceable, time.perf_counter() - began)

    def _enough(self) -> bool:
        """Whether enough faces wait for a batch, or their photos hold enough memory."""
        waiting = sum(len(job.prepared.faces) - len(job.results) for job in self.jobs)
        held = sum(job.prepared.photo.pixels.size for job in self.jobs)
        return waiting >= self.protector.batch_size or held > _MOST_BYTES

    def _batch(self) -> None:
        """Protect the next faces, from as many photos as it takes, and finish what is complete."""
        began = time.perf_counter()
        chosen = [
            (job, face)
            for job in self.jobs
            for face in range(len(job.results), len(job.prepared.faces))
        ][: self.protector.batch_size]
        streams = [job.prepared.generators[k] for job, k in chosen if job.prepared.generators]
        try:
            results = self.protector.protect_crops(
                [job.prepared.faces[k].crop for job, k in chosen],
                generators=streams or None,
                on_progress=lambda done: self._moved([job for job, _ in chosen], done),
            )
        except VeilfaceError as error:
            for job in {id(job): job for job, _ in chosen}.values():
                self.jobs.remove(job)
                self._fail(job.record, _sentence(error))
            return
        share = (time.perf_counter() - began) / len(chosen)
        for (job, _), result in zip(chosen, results, strict=True):
            job.results.append(result)
            job.seconds += share
        for job in [job for job in self.jobs if len(job.results) == len(job.prepared.faces)]:
            self.jobs.remove(job)
            self._finish(job)

    def _moved(self, batch: Sequence[_Job] = (), done: float = 0.0) -> None:
        """Tell how many photos are done, with ``done`` faces of a batch under work."""
        partial = sum(len(job.results) / len(job.prepared.faces) for job in self.jobs)
        if batch:
            weight = sum(1 / len(job.prepared.faces) for job in batch)
            partial += weight * done / len(batch)
        self.reporter.moved(len(self.records) + partial)

    def _finish(self, job: _Job) -> None:
        """Write a complete photo and its line."""
        began = time.perf_counter()
        record = job.record
        new: list[tuple[Path, bytes]] = []
        try:
            photo = self.protector.finish(job.prepared, job.results, paste=self.options.paste)
            files = self._files(job, photo)
            record = replace(job.record, status="done", outputs=self._outputs(job, photo))
            self.manifest.announce(record)
            new = [(path, data) for path, data in files if not os.path.lexists(path)]
            write_all(files, replaceable=job.replaceable)
            seconds = round(job.seconds + time.perf_counter() - began, 3)
            record = replace(record, seconds=seconds)
            self.manifest.append(record)
        except VeilfaceError as error:
            self._fail(job.record, _sentence(error))
            if is_hopeless(error):
                raise _StopRunError(str(error)) from error
        except OSError as error:
            # Without its line the photo is not done, and its files would be in the way.
            self._undo(new)
            reason = f"cannot write {self.manifest.path}: {error.strerror}"
            self._settle(replace(job.record, error=reason))
            raise _StopRunError(reason) from error
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

    def _files(self, job: _Job, photo: ProtectedPhoto) -> list[tuple[Path, bytes]]:
        images = [face.image for face in photo.faces] if photo.pasted is None else [photo.pasted]
        form = cast("Format", self.options.format)
        return [
            (path, encode(image, format=form, mark=self.protector.mark))
            for path, image in zip(job.paths, images, strict=True)
        ]

    def _outputs(self, job: _Job, photo: ProtectedPhoto) -> tuple[OutputRecord, ...]:
        faces = [
            {
                "box": None
                if face.detection is None
                else [round(value, 2) for value in face.detection.box],
                "landmarks": None
                if face.detection is None
                else [[round(x, 2), round(y, 2)] for x, y in face.detection.points],
                "similarity": {k: round(v, 4) for k, v in face.similarity.items()},
            }
            for face in photo.faces
        ]
        groups = [faces] if photo.pasted is not None else [[face] for face in faces]
        return tuple(
            OutputRecord(path.relative_to(self.root).as_posix(), tuple(group))
            for path, group in zip(job.paths, groups, strict=True)
        )

    def _fail(self, record: Record, sentence: str) -> None:
        record = replace(record, status="failed", error=sentence)
        self._settle(record)
        try:
            self.manifest.append(record)
        except OSError as error:
            raise _StopRunError(f"cannot write {self.manifest.path}: {error.strerror}") from error

    def _settle(self, record: Record) -> None:
        self.records.append(record)
        self.reporter.finished(record)
        self._moved()


def _sentence(error: VeilfaceError) -> str:
    more = "; look at it, and --accept-doubt takes it all the same"
    return str(error) + (more if isinstance(error, DoubtError) else "")


def _given(path: Path) -> str:
    """The path relative to the working folder where it is below it, else as given."""
    try:
        # Not resolved: a link is known by the name under which it was given.
        return Path(os.path.abspath(path)).relative_to(Path.cwd()).as_posix()  # noqa: PTH100
    except ValueError:
        return path.as_posix()
