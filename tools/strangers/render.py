# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders strangers: ``python -m tools.strangers.render ASSETS OUT --first 0 --count 100``.

One PNG and one JSON a seed. A seed whose JSON exists is skipped, so that a run resumes, and two
processes may share a range (``--step``). Files are written under another name and renamed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"  # read by cv2 when it is imported

import cv2
import numpy as np

from tools.strangers.assets import Assets
from tools.strangers.person import sample
from tools.strangers.photograph import develop
from tools.strangers.scene import Studio
from tools.strangers.skin import target_colour

SIDE, SAMPLES = 136, 8


def portrait(studio: Studio, seed: int, out: Path) -> str:
    """Renders one seed into ``out``; a line for the log."""
    start = time.perf_counter()
    person = sample(seed)
    scratch = out / f".{seed:05d}.exr"
    pixels, chosen = studio.render(person, scratch)
    scratch.unlink()
    pixels = np.clip(pixels, 0, 6e4).astype(np.float16)
    picture = develop(person, pixels.astype(np.float32))
    seconds = time.perf_counter() - start
    about = {
        "seed": seed,
        "sex": "m" if person.male else "f",
        "age": round(person.age, 1),
        "skin": round(float(target_colour(person)[0]), 1),
        "ancestry": [round(float(a), 3) for a in person.ancestry],
        "hair_colour": person.hair,
        "smile": round(person.smile, 3),
        "teeth": person.teeth,
        "yaw": round(person.yaw, 2),
        "pitch": round(person.pitch, 2),
        "roll": round(person.roll, 2),
        **chosen,
    }
    hidden = out / f".{seed:05d}.npy"
    np.save(hidden, pixels)
    hidden.replace(out / f"{seed:05d}.npy")
    hidden = out / f".{seed:05d}.png"
    cv2.imwrite(str(hidden), picture[..., ::-1])
    hidden.replace(out / f"{seed:05d}.png")
    hidden = out / f".{seed:05d}.json"
    hidden.write_text(json.dumps(about, sort_keys=True) + "\n")
    hidden.replace(out / f"{seed:05d}.json")
    return f"{seed:05d} {seconds:.2f} s {about['sex']} {person.age:.0f} {chosen}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("assets", type=Path, help="folder that tools.strangers.prepare wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    studio = Studio(Assets(options.assets), side=SIDE, samples=SAMPLES, threads=options.threads)
    seeds = range(options.first, options.first + options.count * options.step, options.step)
    for seed in seeds:
        if not (options.out / f"{seed:05d}.json").exists():
            print(portrait(studio, seed, options.out), flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
