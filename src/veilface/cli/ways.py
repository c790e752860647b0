"""Where a command works: in its own process, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veilface.errors import UnknownNameError

if TYPE_CHECKING:
    from veilface.pipeline.making import Way
    from veilface.pipeline.prepared import Worker

ENGINES = ("process", "ray")


@dataclass(frozen=True, slots=True)
class Place:
    """What the options say about it; the last three are for ``ray``.

    Attributes:
        engine: ``process`` or ``ray``.
        address: Of the cluster.
        actors: Number of workers.
        gpus_per_actor: Of each.

    Raises:
        UnknownNameError: Another engine.
    """

    engine: str
    address: str | None
    actors: int | None
    gpus_per_actor: float

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES)


@contextmanager
def a_way(make: Callable[[], Worker], place: Place) -> Iterator[Way]:
    """A way to make outputs, which ends with the block.

    Args:
        make: Makes a worker, here or on the cluster.
        place: Where.
    """
    if place.engine == "process":
        from veilface.core.devices import fitting_threads
        from veilface.pipeline.making import InProcess

        fitting_threads()
        yield InProcess(make())
        return
    from veilface.pipeline.cluster import Cluster

    with Cluster(
        make,
        address=place.address,
        actors=place.actors,
        gpus_per_actor=place.gpus_per_actor,
    ) as cluster:
        yield cluster
