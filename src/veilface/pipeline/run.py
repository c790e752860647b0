"""Many photos, one run: faces are batched over photos, and every photo stands for itself.

A photo is written, and its line added to the manifest, as soon as its last face is done. What
fails is reported and the rest goes on; what cannot go on (a full disk, Ctrl-C) ends the run with
everything finished so far in place, and the same command continues it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from veilface.errors import ImageError, VeilfaceError
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import Format, encode
from veilface.imaging.files import read_bytes
from veilface.imaging.provenance import Mark
from veilface.pipeline.engine import FaceResult
from veilface.pipeline.inputs import Source, collect
from veilface.pipeline.manifest import Manifest, OutputRecord, Record
from veilface.pipeline.outputs import check_format, output_paths, plan_names
from veilface.pipeline.progress import Reporter
from veilface.pipeline.protector import Prepared, Protector
from veilface.pipeline.writing import check_free, discard, is_hopeless, prepare_folder, write_all
from veilface.types import ProtectedPhoto

_MOST_BYTES = 200_000_000
"""Pixels of photos that wait for the rest of a batch."""


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
    """

    aligned: bool = False
    largest: bool = False
    paste: bool = False
    format: str = "png"
    overwrite: bool = False
    seed: int | None = None

    def parameters(self) -> dict[str, Any]:
        """What the outputs depend on, for the manifest; no seed."""
        return {
            "aligned": self.aligned,
            "largest": self.largest,
            "paste": self.paste,
            "format": self.format,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run.

    Attributes:
        records: One an input, in the order in which they were finished.
        interrupted: Whether Ctrl-C ended it.
        stopped: Why it could not go on; None when it did.
    """

    records: tuple[Record, ...]
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
    seconds: float
    results: list[FaceResult] = field(default_factory=list)


def refuse_again(path: Path, mark: Mark) -> bool:
    """The answer, when nobody can be asked, to whether a protected photo is protected again."""
    return False


def run(
    protector: Protector,
    given: Sequence[str | os.PathLike[str]],
    root: Path,
    options: Options,
    *,
    reporter: Reporter | None = None,
    again: Callable[[Path, Mark], bool] = refuse_again,
) -> Summary:
    """Protect files, folders and globs into a folder.

    Args:
        protector: Does the work.
        given: Files, folders and glob patterns.
        root: The output folder, made when it is not there.
        options: How to treat the photos.
        reporter: Is told about the progress.
        again: Asked whether a photo that veilface protected already is protected again.

    Raises:
        UnknownNameError: The format.
        ImageError: The output folder cannot be used.
    """
    check_format(options.format)
    prepare_folder(root)
    return _Run(protector, root, options, reporter or Reporter(), again).work(given)


class _Run:
    def __init__(
        self,
        protector: Protector,
        root: Path,
        options: Options,
        reporter: Reporter,
        again: Callable[[Path, Mark], bool],
    ) -> None:
        self.protector = protector
        self.root = root
        self.options = options
        self.reporter = reporter
        self.again = again
        self.manifest = Manifest(root)
        self.parameters: Mapping[str, Any] = {**protector.parameters(), **options.parameters()}
        self.records: list[Record] = []
        self.jobs: list[_Job] = []

    def work(self, given: Sequence[str | os.PathLike[str]]) -> Summary:
        self.manifest.load()
        sources, problems = collect(given, output=self.root)
        self.reporter.begin(len(sources) + len(problems))
        try:
            for problem in problems:
                self._fail(self._record(problem.given, problem.given), problem.sentence)
            for source, name in zip(sources, plan_names(sources), strict=True):
                self._open(source, name)
                while self._enough():
                    self._batch()
            while self.jobs:
                self._batch()
        except KeyboardInterrupt:
            return Summary(tuple(self.records), interrupted=True)
        except _StopRunError as stop:
            return Summary(tuple(self.records), stopped=str(stop))
        return Summary(tuple(self.records))

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
            job = self._prepare(source.path, data, record, began)
        except VeilfaceError as error:
            self._fail(record, str(error))
        else:
            self.jobs.append(job)

    def _prepare(self, path: Path, data: bytes, record: Record, began: float) -> _Job:
        options = self.options
        photo = decode_photo(data, name=str(path))
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
        check_free(paths, overwrite=options.overwrite)
        if options.paste and options.format == "jpeg" and photo.alpha is not None:
            raise ImageError(f"{path} has transparency, which JPEG cannot keep; use --format png")
        if not options.paste:
            # Only its crops are needed from here on: large photos must not wait in memory.
            bare = replace(photo, pixels=photo.pixels[:0].copy(), alpha=None)
            prepared = replace(prepared, photo=bare)
        return _Job(record, prepared, paths, time.perf_counter() - began)

    def _enough(self) -> bool:
        """Whether enough faces wait for a batch, or their photos hold enough memory."""
        waiting = sum(len(job.prepared.faces) - len(job.results) for job in self.jobs)
        held = sum(job.prepared.photo.pixels.size for job in self.jobs)
        return waiting >= self.protector.engine.batch_size or held > _MOST_BYTES

    def _batch(self) -> None:
        """Protect the next faces, from as many photos as it takes, and finish what is complete."""
        began = time.perf_counter()
        chosen = [
            (job, face)
            for job in self.jobs
            for face in range(len(job.results), len(job.prepared.faces))
        ][: self.protector.engine.batch_size]
        streams = [job.prepared.generators[k] for job, k in chosen if job.prepared.generators]
        try:
            results = self.protector.engine.protect(
                [job.prepared.faces[k].crop for job, k in chosen],
                generators=streams or None,
                on_progress=lambda done: self._moved([job for job, _ in chosen], done),
            )
        except VeilfaceError as error:
            for job in {id(job): job for job, _ in chosen}.values():
                self.jobs.remove(job)
                self._fail(job.record, str(error))
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
        new = [path for path in job.paths if not os.path.lexists(path)]
        try:
            photo = self.protector.finish(job.prepared, job.results, paste=self.options.paste)
            write_all(self._files(job, photo), overwrite=self.options.overwrite)
            record = replace(
                job.record,
                status="done",
                outputs=self._outputs(job, photo),
                seconds=round(job.seconds + time.perf_counter() - began, 3),
            )
            self.manifest.append(record)
        except VeilfaceError as error:
            self._fail(job.record, str(error))
            if is_hopeless(error):
                raise _StopRunError(str(error)) from error
        except OSError as error:
            # Without its line the photo is not done, and its files would be in the way.
            discard(new)
            reason = f"cannot write {self.manifest.path}: {error.strerror}"
            self._settle(replace(job.record, error=reason))
            raise _StopRunError(reason) from error
        except BaseException:
            # Ctrl-C may arrive when the line is already written: then the photo is done.
            self.manifest.load()
            if self.manifest.find(record) is None:
                discard(new)
            raise
        else:
            self._settle(record)

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


def _given(path: Path) -> str:
    """The path relative to the working folder where it is below it, else as given."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
