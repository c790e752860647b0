"""What a Ray cluster costs and gives: the same photos in one process and by workers.

    python -m benchmarks.ray_overhead [--photos 32] [--steps 50] [--recognizers dlib,sface]
                                      [--actors 1,2] [--rounds 3]

Photos are copies of a public-domain portrait, one face each, of which a pixel differs. Every worker
and the process have one CPU thread. Two figures are kept apart: what a run costs before its first
photo (starting Ray and the workers, loading networks, and whatever else the first batch of each
takes longer than the later ones), which does not grow with the number of photos, and seconds a
photo after that, from reading to the last line of the record. Rounds alternate between the ways,
and the medians are printed as JSON: on a busy machine only ratios say much, if that.
Workers get whole batches, so that the photos have to fill several for each of them; Ray gives them
the priority of the process here. Needs the extra ``ray`` and scikit-image.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from skimage import data

from veilface.pipeline.cluster import Cluster
from veilface.pipeline.making import InProcess, Way
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, run_by
from veilface.protectors.veil.presets import PRESETS


@dataclass(frozen=True)
class Timed:
    """One run: seconds that do not grow with the photos, and seconds a photo."""

    fixed: float
    photo: float


def make(steps: int, recognizers: Sequence[str]) -> Protector:
    """A worker with one CPU thread."""
    torch.set_num_threads(1)
    preset = replace(PRESETS["persona"], steps=steps)
    return Protector(preset=preset, recognizers=recognizers, device="cpu")


def write_photos(folder: Path, count: int) -> None:
    """So many photos that are not the same file."""
    folder.mkdir()
    pixels = data.astronaut()
    for k in range(count):
        pixels[0, 0] = (k % 256, k // 256, 0)
        Image.fromarray(pixels).save(folder / f"{k:06d}.png")


def timed(
    start: Callable[[], AbstractContextManager[Way]], photos: Path, *, workers: int, batch: int
) -> Timed:
    """One way from its start: a batch for each worker first, then all photos."""
    paths = sorted(photos.iterdir())
    first = paths[: workers * batch]
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        with start() as way:
            _run(way, first, Path(name, "first"))
            before = time.perf_counter() - began
            began = time.perf_counter()
            _run(way, paths, Path(name, "all"))
            photo = (time.perf_counter() - began) / len(paths)
    return Timed(before - photo * len(first), photo)


def _run(way: Way, paths: Sequence[Path], out: Path) -> None:
    summary = run_by(way, paths, out, Options())
    assert summary.ok, summary


def compare(rounds: dict[str, list[Timed]]) -> dict[str, dict[str, Any]]:
    """Medians of each way, and its overhead a photo against the first."""
    photo = {kind: statistics.median(one.photo for one in found) for kind, found in rounds.items()}
    alone = next(iter(photo.values()))
    return {
        kind: {
            "seconds before the first photo": round(statistics.median(r.fixed for r in found), 2),
            "seconds a photo": round(photo[kind], 4),
            "times as fast as one process": round(alone / photo[kind], 3),
            "overhead a photo": f"{photo[kind] / alone - 1:+.1%}",
            "rounds": [round(one.photo, 4) for one in found],
        }
        for kind, found in rounds.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--recognizers", default="dlib,sface")
    parser.add_argument("--actors", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    # Ray's own is 15, and a worker that yields to everybody measures how busy the machine is.
    os.environ.setdefault("RAY_worker_niceness", "0")
    worker = partial(make, arguments.steps, arguments.recognizers.split(","))
    counts = [int(count) for count in arguments.actors.split(",")]
    batch = worker().batch_size
    rounds: dict[str, list[Timed]] = {}
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name, "in")
        write_photos(photos, arguments.photos)
        for _ in range(arguments.rounds):
            alone = timed(lambda: nullcontext(InProcess(worker())), photos, workers=1, batch=batch)
            rounds.setdefault("one process", []).append(alone)
            for count in counts:
                kind = f"ray, {count} worker{'s' if count > 1 else ''}"
                on_ray = timed(
                    partial(Cluster, worker, actors=count), photos, workers=count, batch=batch
                )
                rounds.setdefault(kind, []).append(on_ray)
    found = compare(rounds)
    print(json.dumps({"cores": os.cpu_count(), **vars(arguments), "found": found}, indent=1))


if __name__ == "__main__":
    main()
