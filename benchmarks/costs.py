"""What every method costs: bytes to send, time and memory of a face, on the CPU.

    python -m benchmarks.costs [--batch 8] [--rounds 5] [--threads 2] [--only NAME,NAME]

The methods of others, our presets and the controls, in some minutes. Each runs in a process of its
own, so that its peak memory is its own; within it, the control `clean` is timed in turn with the
method, so that a drifting machine shows. No round begins once a method has had `SECONDS`, so that a
preset, which takes seconds a face, has one round. Faces are synthetic; nothing in the timing
depends on whose face it is. Bytes are uncompressed, as transmitted.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import torch

from benchmarks.protect import SURROGATES
from veilface.core.randomness import Draws
from veilface.errors import UntrainedError
from veilface.paper.compared import compared_methods
from veilface.protectors.base import FaceProtector
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.starts import Stranger
from veilface.recognizers.registry import available, load_recognizer

Figures = dict[str, float]

SECONDS = 20.0
"""Of the rounds of one method."""


def measure(name: str, *, batch: int, rounds: int) -> Figures:
    """Bytes of a face, median milliseconds of a face, and peak memory of this process in MB."""
    faces = Stranger().faces(Draws(batch, generator=torch.Generator().manual_seed(0)))
    protector, clean = _build(name), build_protector("clean")
    before = _peak()
    made = protector.protect(faces[:1])  # loads and allocates what the first call needs
    times: dict[str, list[float]] = {"method": [], "clean": []}
    ends = time.monotonic() + SECONDS
    for done in range(rounds):
        if done and time.monotonic() > ends:
            break
        for key, each in (("method", protector), ("clean", clean)):
            began = time.perf_counter()
            each.protect(faces)
            times[key].append(time.perf_counter() - began)
    middle = {key: 1000 * statistics.median(values) / batch for key, values in times.items()}
    return {
        "bytes": made.transmitted_bytes,
        "ms": middle["method"],
        "ms_clean": middle["clean"],
        "peak": _peak(),
        "grown": _peak() - before,
    }


def _build(name: str) -> FaceProtector:
    if name not in PRESETS:
        return build_protector(name)
    return build_protector(name, [load_recognizer(each) for each in available(SURROGATES)])


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="names with commas [default: all]")
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # what the child process is asked
    options = parser.parse_args()
    if options.measure:
        torch.set_num_threads(options.threads)
        try:
            figures = measure(options.measure, batch=options.batch, rounds=options.rounds)
        except UntrainedError as error:
            sys.exit(str(error))
        print(json.dumps(figures))
        return
    names = options.only.split(",") if options.only else _names()
    about = f"median of {options.rounds} rounds or those of {SECONDS:g} s"
    print(f"batch {options.batch}, {options.threads} threads, {about}")
    print(
        f"{'method':18}{'bytes':>12}{'x image':>9}{'ms/face':>10}{'clean':>8}{'peak MB':>9}"
        f"{'grown':>7}"
    )
    for name in names:
        common = [f"--{key}={getattr(options, key)}" for key in ("batch", "rounds", "threads")]
        command = [sys.executable, "-m", "benchmarks.costs", "--measure", name, *common]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode:
            print(f"{name:18}{ended.stderr.strip().splitlines()[-1]}")
            continue
        row = json.loads(ended.stdout)
        times = row["bytes"] / (3 * 112 * 112)
        print(
            f"{name:18}{row['bytes']:12,.0f}{times:9.1f}{row['ms']:10.1f}"
            f"{row['ms_clean']:8.2f}{row['peak']:9.0f}{row['grown']:7.0f}"
        )


def _names() -> list[str]:
    return [*(each.name for each in compared_methods()), *PRESETS, *CONTROLS]


if __name__ == "__main__":
    main()
