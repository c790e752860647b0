"""The way of many machines: processes of a Ray cluster make the outputs, this one keeps the books.

The process that runs the command reads the photos and writes files and record, as on one machine:
nobody else needs to see the folders, and a line is written once whatever happens to a worker. Where
and when a worker runs, what becomes of it when it dies, and who does its work again is Ray's
business.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from veilface.errors import DeviceError, MissingExtraError, VeilfaceError
from veilface.pipeline.making import Check, InProcess, Opened, Outcome, Outcomes
from veilface.pipeline.options import Options
from veilface.pipeline.prepared import Worker

COMMAND = 'pip install "veilface[ray]"'
_RETRIES = (
    3  # of a batch whose worker died: a photo that kills every worker must not go on for ever
)
_BATCH_BYTES = 100_000_000  # of encoded photos on their way to a worker


@dataclass(frozen=True, slots=True)
class About:
    """What a worker says of itself; all of one run say the same.

    Attributes:
        method: Name of the preset.
        recognizers: Names of the surrogates.
        keyed: Whether the results follow from a secret key.
        device: Where it computes.
        batch_size: Most faces at once.
        fresh: `Worker.parameters` of results that are never made again.
        seeded: Those of results under a seed.
    """

    method: str
    recognizers: tuple[str, ...]
    keyed: bool
    device: str
    batch_size: int
    fresh: Mapping[str, Any]
    seeded: Mapping[str, Any]


class Hand:
    """What a process of the cluster does."""

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._way: InProcess | None = None
        self._why = ""
        try:
            self._way = InProcess(make())
        except VeilfaceError as error:  # to be said once, not by a process that cannot be started
            self._why = str(error)

    def about(self) -> About | str:
        """What it works with, or why it cannot."""
        if self._way is None:
            return self._why
        worker = self._way.worker
        return About(
            worker.method,
            tuple(worker.recognizers),
            worker.keyed,
            worker.device,
            worker.batch_size,
            worker.parameters(),
            worker.parameters(seeded=True),
        )

    def make(self, photos: Sequence[Opened], options: Options) -> list[Outcome]:
        """What becomes of photos, in their order."""
        assert self._way is not None  # noqa: S101 - a run begins with what `about` says
        outcomes = {id(photo): made for photo, made in self._way.make(iter(photos), options)}
        return [outcomes[id(photo)] for photo in photos]


class Cluster:
    """Workers on a Ray cluster; to be closed, or used in a ``with`` statement.

    Args:
        make: Makes a worker, in a process of the cluster: it is pickled, and must not depend on
            files of this machine.
        address: Of a running cluster, ``auto`` for the one that this machine belongs to; None for
            that one if there is one, or a cluster of this machine alone.
        actors: Number of workers, each with one CPU; None for as many as there is room for.
        gpus_per_actor: Which a worker has to itself; a part of one where several share it.

    Raises:
        MissingExtraError: Ray is not installed.
        DeviceError: There is no such cluster, it has no room, or its workers differ.
        VeilfaceError: What the workers say why they cannot work.
    """

    def __init__(
        self,
        make: Callable[[], Worker],
        *,
        address: str | None = None,
        actors: int | None = None,
        gpus_per_actor: float = 0.0,
    ) -> None:
        self._ray = _import()
        self._mine = not self._ray.is_initialized()
        self._hands: list[Any] = []
        if self._mine:
            _connect(self._ray, address)
        try:
            count = _room(self._ray.cluster_resources(), actors, gpus_per_actor)
            actor = self._ray.remote(Hand).options(
                num_cpus=1,
                num_gpus=gpus_per_actor,
                max_restarts=-1,
                max_task_retries=_RETRIES,
                scheduling_strategy="SPREAD",
            )
            self._hands = [actor.remote(make) for _ in range(count)]
            self._about = _agreed(self._ray.get([hand.about.remote() for hand in self._hands]))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, and the connection if it was made here."""
        for hand in self._hands:
            self._ray.kill(hand)
        self._hands = []
        if self._mine:
            self._ray.shutdown()

    @property
    def actors(self) -> int:
        """Number of workers."""
        return len(self._hands)

    @property
    def method(self) -> str:
        """Name of the preset."""
        return self._about.method

    @property
    def recognizers(self) -> tuple[str, ...]:
        """Names of the surrogates."""
        return self._about.recognizers

    @property
    def device(self) -> str:
        """Where the first worker computes."""
        return self._about.device

    @property
    def keyed(self) -> bool:
        """Whether the results follow from a secret key."""
        return self._about.keyed

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """See `Worker.parameters`."""
        return self._about.seeded if seeded else self._about.fresh

    def make(
        self,
        photos: Iterator[Opened],
        options: Options,
        *,
        check: Check,
        moved: Callable[[float], None],
    ) -> Outcomes:
        """See `veilface.pipeline.making.Way.make`.

        A batch of files goes to whichever worker is free, and what the last one made is written
        while it works. What may be written is asked when the outputs are there, since nobody here
        knows how many faces a photo has.
        """
        batches = _batches(photos, self._about.batch_size)
        idle = list(self._hands)
        running: dict[Any, tuple[Any, list[Opened]]] = {}
        made: Iterator[tuple[Opened, Outcome]] = iter(())
        while True:
            while idle and (batch := next(batches, None)):
                hand = idle.pop()
                running[hand.make.remote(batch, options)] = (hand, batch)
            yield from made
            if not running:
                return
            (ready,), _ = self._ray.wait(list(running), num_returns=1)
            hand, batch = running.pop(ready)
            idle.append(hand)
            made = zip(batch, self._outcomes(ready, len(batch)), strict=True)

    def _outcomes(self, ready: Any, count: int) -> list[Outcome]:  # noqa: ANN401 - Ray's
        try:
            found: list[Outcome] = self._ray.get(ready)
        except self._ray.exceptions.RayActorError:
            return [
                f"{_RETRIES + 1} worker processes died with the batch of this photo, probably for "
                "want of memory; a smaller --batch-size may help"
            ] * count
        return found


def _import() -> Any:  # noqa: ANN401 - a package that need not be there
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        missing = (error.name or "").partition(".")[0] == "ray"
        reason = "is not installed" if missing else f"does not load: {error}"
        raise MissingExtraError(
            f"--engine ray needs Ray, which {reason}; run: {COMMAND}"
        ) from error


def _connect(ray: Any, address: str | None) -> None:  # noqa: ANN401
    # A tool for privacy does not report its use to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ended_by = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, logging_level="error", log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"at {address}" if address else "on this machine"
        raise DeviceError(f"no Ray cluster {where}: {error}") from error
    finally:
        # Ray would leave at once, in the middle of a photo; the command ends as it always does.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ended_by)


def _room(resources: Mapping[str, float], actors: int | None, gpus: float) -> int:
    """The number of workers: those that are asked for, if there is room for them."""
    room = int(resources.get("CPU", 0))
    if gpus:
        room = min(room, int(resources.get("GPU", 0) / gpus))
    wanted = max(1, room) if actors is None else actors
    if wanted > room:
        of = f"one CPU and {gpus:g} GPU each" if gpus else "one CPU each"
        raise DeviceError(f"the Ray cluster has room for {room} workers of {of}, not for {wanted}")
    return wanted


def _agreed(found: Sequence[About | str]) -> About:
    """What all workers say of themselves."""
    for one in found:
        if isinstance(one, str):
            raise DeviceError(f"a worker of the Ray cluster cannot work: {one}")
    abouts = [one for one in found if isinstance(one, About)]
    first = abouts[0]
    for one in abouts:
        kinds = {k for k in first.seeded if first.seeded[k] != one.seeded.get(k)}
        kinds |= one.seeded.keys() - first.seeded.keys()
        if kinds - {"device"}:
            raise DeviceError(
                f"the workers of the Ray cluster differ in {', '.join(sorted(kinds))}: install the "
                "same version of veilface with the same recognisers on every machine"
            )
        if kinds:
            raise DeviceError(
                "some workers of the Ray cluster have a GPU and some have not: choose with "
                "--device or --gpus-per-actor"
            )
    return first


def _batches(photos: Iterator[Opened], size: int) -> Iterator[list[Opened]]:
    batch: list[Opened] = []
    held = 0
    for photo in photos:
        batch.append(photo)
        held += len(photo.data)
        if len(batch) == size or held > _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
