"""One thread that owns the networks and joins what many requests ask of them into batches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from veilface.errors import ImageError, VeilfaceError
from veilface.imaging.decode import Photo, decode_photo
from veilface.imaging.encode import Format, encode
from veilface.jobs.engine import FaceResult
from veilface.pipeline.prepared import Prepared, Worker
from veilface.service.networks import Method, Networks
from veilface.types import ProtectedPhoto

NAME = "the photo"
"""What sentences call a photo: the sender's name for it is never repeated."""

_MOST_BYTES = 256 * 2**20  # of decoded photos that wait for their faces


@dataclass(frozen=True, slots=True)
class Order:
    """A photo to be protected.

    Attributes:
        data: The file.
        method: How.
        aligned, largest, paste, again: As on the command line.
        format: ``png`` or ``jpeg``.
        max_pixels: Largest photo that is decoded.
    """

    data: bytes = field(repr=False)
    method: Method
    aligned: bool
    largest: bool
    paste: bool
    again: bool
    format: Format
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Made:
    """A protected photo with its files.

    Attributes:
        photo: The faces and what is known about them.
        faces: Each face as a file.
        pasted: The whole photo as a file, when that was asked for.
        too_small: Faces that were seen and left as they are.
    """

    photo: ProtectedPhoto = field(repr=False)
    faces: tuple[bytes, ...] = field(repr=False)
    pasted: bytes | None = field(repr=False)
    too_small: int


@dataclass(slots=True, eq=False)
class _Job:
    """An order, or a function to call; `prepared` once the faces are found."""

    work: Order | Callable[[Networks], Any]
    future: Future[Any] = field(default_factory=Future)
    prepared: Prepared | None = None
    results: list[FaceResult] = field(default_factory=list)

    @property
    def method(self) -> Method | None:
        return self.work.method if isinstance(self.work, Order) else None

    @property
    def missing(self) -> range:
        """The faces that have no result yet."""
        count = 0 if self.prepared is None else len(self.prepared.faces)
        return range(len(self.results), count)


class _AbandonedError(Exception):
    """Nobody waits for any photo of the batch any more."""


class BatchWorker:
    """The thread. Futures that are cancelled are not worked on any more.

    Args:
        networks: What it owns from now on.
        max_wait: Seconds that a batch waits for more photos when nothing else is to do.
        on_batch: Called with the number of faces of each batch.
    """

    def __init__(
        self, networks: Networks, *, max_wait: float, on_batch: Callable[[int], None]
    ) -> None:
        self._networks = networks
        self._max_wait = max_wait
        self._on_batch = on_batch
        self._queue: deque[_Job] = deque()
        self._open: list[_Job] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="veilface-worker", daemon=True)
        self._thread.start()

    def protect(self, order: Order) -> Future[Made]:
        """Queue a photo; the future fails with the library's own errors."""
        return self._put(_Job(order))

    def call(self, function: Callable[[Networks], Any]) -> Future[Any]:
        """Queue anything else that needs the networks."""
        return self._put(_Job(function))

    @property
    def alive(self) -> bool:
        """Whether the thread works."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Cancel what waits and end the thread after the batch that it is at."""
        with self._changed:
            self._closing = True
            for job in (*self._queue, *self._open):
                job.future.cancel()
            self._changed.notify()
        self._thread.join()

    def _put(self, job: _Job) -> Future[Any]:
        with self._changed:
            if self._closing:
                job.future.cancel()
            else:
                self._queue.append(job)
                self._changed.notify()
        return job.future

    def _run(self) -> None:
        while True:
            if not self._open:
                job = self._take(None, forever=True)
                if job is None:
                    return
                if not isinstance(job.work, Order):
                    self._answer(job, job.work)
                    continue
                self._prepare(job)
            self._fill()
            if self._open:
                self._batch()

    def _take(
        self, method: Method | None, *, forever: bool = False, until: float = 0.0
    ) -> _Job | None:
        """The oldest job, or the oldest of a method, when one comes in time."""
        with self._changed:
            while not self._closing:
                for job in [job for job in self._queue if job.future.cancelled()]:
                    self._queue.remove(job)
                # Others must not wait for a batch to fill up.
                patient = all(job.method == method for job in self._queue)
                for job in self._queue:
                    if forever or job.method == method:
                        self._queue.remove(job)
                        return job
                left = until - time.monotonic()
                if not forever and (left <= 0 or not patient):
                    return None
                self._changed.wait(None if forever else left)
        return None

    def _fill(self) -> None:
        """Find faces until there are enough for a batch, or nobody brings more."""
        if not self._open:
            return
        method = self._open[0].method
        assert method is not None  # noqa: S101 - only orders are opened
        until = time.monotonic() + self._max_wait
        size = self._networks.worker(method).batch_size
        while sum(len(job.missing) for job in self._open) < size and self._held() < _MOST_BYTES:
            job = self._take(method, until=until)
            if job is None:
                return
            self._prepare(job)

    def _held(self) -> int:
        return sum(job.prepared.photo.pixels.size for job in self._open if job.prepared)

    def _prepare(self, job: _Job) -> None:
        order = job.work
        assert isinstance(order, Order)  # noqa: S101
        try:
            worker = self._networks.worker(order.method)
            job.prepared = _prepare(order, worker)
        except Exception as error:
            _fail(job, error)
        else:
            self._open.append(job)

    def _batch(self) -> None:
        """The next faces through the networks; photos that are complete are answered."""
        self._drop_cancelled()
        if not self._open:
            return
        method = self._open[0].method
        assert method is not None  # noqa: S101
        worker = self._networks.worker(method)
        chosen = [(job, k) for job in self._open for k in job.missing][: worker.batch_size]
        jobs = list(dict.fromkeys(job for job, _ in chosen))

        def look_up(_: float) -> None:
            if all(job.future.cancelled() for job in jobs):
                raise _AbandonedError

        crops = [job.prepared.faces[k].crop for job, k in chosen if job.prepared]
        try:
            results = worker.protect_crops(crops, on_progress=look_up)
        except _AbandonedError:
            return
        except Exception as error:
            for job in jobs:
                self._open.remove(job)
                _fail(job, error)
            return
        self._on_batch(len(chosen))
        for (job, _), result in zip(chosen, results, strict=True):
            job.results.append(result)
        for job in [job for job in jobs if not job.missing]:
            self._open.remove(job)
            self._answer(job, partial(_finish, job, worker))

    def _drop_cancelled(self) -> None:
        self._open = [job for job in self._open if not job.future.cancelled()]

    def _answer(self, job: _Job, function: Callable[[Networks], Any]) -> None:
        try:
            answer = function(self._networks)
        except Exception as error:
            _fail(job, error)
        else:
            with contextlib.suppress(InvalidStateError):  # nobody waits any more
                job.future.set_result(answer)


def _fail(job: _Job, error: Exception) -> None:
    # Its traceback would keep the photo.
    with contextlib.suppress(InvalidStateError):
        known = isinstance(error, VeilfaceError)
        job.future.set_exception(error.with_traceback(None) if known else error)


def _prepare(order: Order, worker: Worker) -> Prepared:
    photo = decode_photo(
        order.data, name=NAME, accept_damage=worker.accept_doubt, max_pixels=order.max_pixels
    )
    check_new(photo, again=order.again)
    if order.paste and order.format == "jpeg" and photo.alpha is not None:
        raise ImageError(f"{NAME} has transparency, which JPEG cannot keep; ask for png")
    return worker.prepare(photo, name=NAME, aligned=order.aligned, largest=order.largest)


def check_new(photo: Photo, *, again: bool) -> None:
    """Raise `ImageError` for an output of veilface that nobody asked to protect again."""
    if photo.mark is not None and not again:
        raise ImageError(
            f"{NAME} was made by veilface already (preset {photo.mark.preset}), and a second "
            "protection lowers its similarity; again=true protects it all the same"
        )


def _finish(job: _Job, worker: Worker, _: Networks) -> Made:
    order, prepared = job.work, job.prepared
    assert isinstance(order, Order)  # noqa: S101
    assert prepared is not None  # noqa: S101
    paste = order.paste or order.method.cover is not None
    photo = worker.finish(prepared, job.results, paste=paste)
    images: Sequence[bytes] = [
        encode(face.image, format=order.format, mark=worker.mark) for face in photo.faces
    ]
    pasted = photo.pasted
    whole = None if pasted is None else encode(pasted, format=order.format, mark=worker.mark)
    return Made(photo, tuple(images), whole, prepared.found.too_small)
