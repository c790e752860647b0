"""What a Ray cluster costs and gives: the same photos in one process and by workers.

    python -m benchmarks.ray_overhead [--photos 16] [--steps 50] [--recognizers dlib,sface]
                                      [--actors 1,2] [--rounds 3]

Photos are copies of a public-domain portrait, one face each, of which a pixel differs. Every worker
and the process have one CPU thread. Timed is the run alone, from reading to the last line of the
record; what it takes to start the workers is a figure of its own. Rounds alternate between the
ways, and the median of each is printed as JSON: on a busy machine only ratios say much.
Needs the extra ``ray`` and scikit-image.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from skimage import data

from veilface.pipeline.cluster import Cluster
from veilface.pipeline.making import InProcess, Way
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, run_by
from veilface.protectors.veil.presets import PRESETS


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


def timed(way: Way, photos: Path, out: Path) -> float:
    """Seconds of one run into a new folder."""
    began = time.perf_counter()
    summary = run_by(way, [photos], out, Options())
    seconds = time.perf_counter() - began
    assert summary.ok, summary
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=16)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--recognizers", default="dlib,sface")
    parser.add_argument("--actors", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    worker = partial(make, arguments.steps, arguments.recognizers.split(","))
    counts = [int(count) for count in arguments.actors.split(",")]
    times: dict[str, list[float]] = {}
    starts: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_photos(root / "in", arguments.photos)
        process = InProcess(worker())
        for turn in range(arguments.rounds):
            seconds = timed(process, root / "in", root / f"process-{turn}")
            times.setdefault("process", []).append(seconds)
            for count in counts:
                began = time.perf_counter()
                with Cluster(worker, actors=count) as cluster:
                    kind = f"ray, {count} actors"
                    starts.setdefault(kind, []).append(time.perf_counter() - began)
                    seconds = timed(cluster, root / "in", root / f"ray{count}-{turn}")
                    times.setdefault(kind, []).append(seconds)
    base = statistics.median(times["process"])
    found = {
        kind: {
            "seconds": round(statistics.median(values), 2),
            "photos a second": round(arguments.photos / statistics.median(values), 3),
            "against one process": round(statistics.median(values) / base, 3),
            "seconds to start": round(statistics.median(starts.get(kind, [0.0])), 1),
            "rounds": [round(value, 2) for value in values],
        }
        for kind, values in times.items()
    }
    print(json.dumps({"cores": os.cpu_count(), **vars(arguments), "found": found}, indent=1))


if __name__ == "__main__":
    main()
