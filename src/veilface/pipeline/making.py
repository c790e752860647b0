"""From the bytes of photos to the bytes of their outputs: in this process, or somewhere else.

A way to make outputs is handed photos that are read and returns files that are encoded. It knows
neither folders nor the record, which stay with the run, so that a worker on another machine makes
the same of a photo as this process does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from veilface.errors import DoubtError, ImageError, VeilfaceError
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import Format, encode
from veilface.jobs.engine import FaceResult
from veilface.pipeline.manifest import Record
from veilface.pipeline.options import Options
from veilface.pipeline.prepared import Prepared, Worker
from veilface.types import ProtectedFace, ProtectedPhoto

_MOST_BYTES = 200_000_000
"""Pixels of photos that wait for the rest of a batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A photo that is to be protected.

    Attributes:
        path: What error messages call it.
        data: The file.
        record: What is known of it so far.
    """

    path: str
    data: bytes = field(repr=False)
    record: Record


@dataclass(frozen=True, slots=True)
class Made:
    """The outputs of a photo.

    Attributes:
        files: Encoded images: one a face, or one with the whole photo.
        faces: For each file what the record says of its faces.
        too_small: Faces that were seen and left as they are.
        seconds: Computing time.
    """

    files: tuple[bytes, ...] = field(repr=False)
    faces: tuple[tuple[Mapping[str, Any], ...], ...]
    too_small: int
    seconds: float


Outcome = Made | str
"""The outputs of a photo, or the sentence that says why there are none."""

Outcomes = Generator[tuple[Opened, Outcome], None, None]
"""Photos and what became of them; closing it ends the work on the others."""

Check = Callable[[Opened, int], None]
"""Asked whether a photo with so many faces may be written; raises an `ImageError` if not."""


class Way(Protocol):
    """Somewhere to make outputs."""

    @property
    def method(self) -> str:
        """Name of what is done to faces."""
        ...

    @property
    def recognizers(self) -> Sequence[str]:
        """Names of the surrogates."""
        ...

    @property
    def device(self) -> str:
        """Where it computes."""
        ...

    @property
    def keyed(self) -> bool:
        """Whether the results follow from a secret key."""
        ...

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """What a result depends on; see `Worker.parameters`."""
        ...

    def make(
        self,
        photos: Iterator[Opened],
        options: Options,
        *,
        check: Check,
        moved: Callable[[float], None],
    ) -> Outcomes:
        """What becomes of every photo, in any order.

        Args:
            photos: Taken when there is room for more.
            options: How to treat them.
            check: May be asked before time is spent.
            moved: Told how many photos' worth of work is done on those that are not finished.
        """
        ...


class InProcess:
    """The way of one process: faces are batched over photos.

    Args:
        worker: Works on the faces.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    @property
    def method(self) -> str:
        """Of the worker."""
        return self.worker.method

    @property
    def recognizers(self) -> Sequence[str]:
        """Of the worker."""
        return self.worker.recognizers

    @property
    def device(self) -> str:
        """Of the worker."""
        return self.worker.device

    @property
    def keyed(self) -> bool:
        """Of the worker."""
        return self.worker.keyed

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """Of the worker."""
        return self.worker.parameters(seeded=seeded)

    def make(
        self,
        photos: Iterator[Opened],
        options: Options,
        *,
        check: Check = lambda photo, faces: None,
        moved: Callable[[float], None] = lambda photos: None,
    ) -> Outcomes:
        """See `Way.make`; a photo comes out as soon as its last face is done."""
        table = _Table(self.worker, options, check, moved)
        for photo in photos:
            yield from table.add(photo)
            while table.is_full():
                yield from table.batch()
        while table.jobs:
            yield from table.batch()


@dataclass(slots=True)
class _Job:
    """A photo under work."""

    photo: Opened
    prepared: Prepared
    seconds: float
    results: list[FaceResult] = field(default_factory=list)


class _Table:
    """The photos under work."""

    def __init__(
        self, worker: Worker, options: Options, check: Check, moved: Callable[[float], None]
    ) -> None:
        self.worker = worker
        self.options = options
        self.check = check
        self.moved = moved
        self.jobs: list[_Job] = []

    def add(self, photo: Opened) -> Iterator[tuple[Opened, Outcome]]:
        """Find the faces of a photo."""
        began = time.perf_counter()
        try:
            prepared = self._prepare(photo)
        except VeilfaceError as error:
            yield photo, _sentence(error)
        else:
            self.jobs.append(_Job(photo, prepared, time.perf_counter() - began))

    def is_full(self) -> bool:
        """Whether enough faces wait for a batch, or their photos hold enough memory."""
        waiting = sum(len(job.prepared.faces) - len(job.results) for job in self.jobs)
        held = sum(job.prepared.photo.pixels.size for job in self.jobs)
        return waiting >= self.worker.batch_size or held > _MOST_BYTES

    def batch(self) -> Iterator[tuple[Opened, Outcome]]:
        """Protect the next faces, from as many photos as it takes, and finish what is complete."""
        began = time.perf_counter()
        chosen = [
            (job, face)
            for job in self.jobs
            for face in range(len(job.results), len(job.prepared.faces))
        ][: self.worker.batch_size]
        streams = [job.prepared.generators[k] for job, k in chosen if job.prepared.generators]
        try:
            results = self.worker.protect_crops(
                [job.prepared.faces[k].crop for job, k in chosen],
                generators=streams or None,
                on_progress=lambda done: self.moved(self._worth([job for job, _ in chosen], done)),
            )
        except VeilfaceError as error:
            for job in {id(job): job for job, _ in chosen}.values():
                self.jobs.remove(job)
                yield job.photo, _sentence(error)
            return
        share = (time.perf_counter() - began) / len(chosen)
        for (job, _), result in zip(chosen, results, strict=True):
            job.results.append(result)
            job.seconds += share
        for job in [job for job in self.jobs if len(job.results) == len(job.prepared.faces)]:
            self.jobs.remove(job)
            yield job.photo, self._finish(job)

    def _prepare(self, photo: Opened) -> Prepared:
        options = self.options
        decoded = decode_photo(photo.data, name=photo.path, accept_damage=self.worker.accept_doubt)
        prepared = self.worker.prepare(
            decoded,
            name=photo.path,
            aligned=options.aligned,
            largest=options.largest,
            seed=options.seed,
        )
        self.check(photo, len(prepared.faces))
        if options.paste and options.format == "jpeg" and decoded.alpha is not None:
            raise ImageError(
                f"{photo.path} has transparency, which JPEG cannot keep; use --format png"
            )
        if not options.paste:
            # Only its crops are needed from here on: large photos must not wait in memory.
            bare = replace(decoded, pixels=decoded.pixels[:0].copy(), alpha=None)
            prepared = replace(prepared, photo=bare)
        return prepared

    def _worth(self, batch: Sequence[_Job], done: float) -> float:
        """How many photos' worth of work is done, with ``done`` faces of a batch under work."""
        whole = sum(len(job.results) / len(job.prepared.faces) for job in self.jobs)
        weight = sum(1 / len(job.prepared.faces) for job in batch)
        return whole + weight * done / len(batch)

    def _finish(self, job: _Job) -> Outcome:
        began = time.perf_counter()
        try:
            photo = self.worker.finish(job.prepared, job.results, paste=self.options.paste)
            files, faces = self._encoded(photo)
        except VeilfaceError as error:
            return _sentence(error)
        seconds = job.seconds + time.perf_counter() - began
        return Made(files, faces, job.prepared.found.too_small, seconds)

    def _encoded(
        self, photo: ProtectedPhoto
    ) -> tuple[tuple[bytes, ...], tuple[tuple[Mapping[str, Any], ...], ...]]:
        form = cast("Format", self.options.format)
        faces = [_described(face) for face in photo.faces]
        if photo.pasted is not None:
            return (encode(photo.pasted, format=form, mark=self.worker.mark),), (tuple(faces),)
        files = (encode(face.image, format=form, mark=self.worker.mark) for face in photo.faces)
        return tuple(files), tuple((face,) for face in faces)


def _described(face: ProtectedFace) -> dict[str, Any]:
    seen = face.detection
    return {
        "box": None if seen is None else [round(value, 2) for value in seen.box],
        "landmarks": None if seen is None else [[round(x, 2), round(y, 2)] for x, y in seen.points],
        "similarity": {k: round(v, 4) for k, v in face.similarity.items()},
    }


def _sentence(error: VeilfaceError) -> str:
    more = "; look at it, and --accept-doubt takes it all the same"
    return str(error) + (more if isinstance(error, DoubtError) else "")
