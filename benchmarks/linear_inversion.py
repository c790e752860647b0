"""How much of a face the channels of DuetFace and PartialFace hold, without any training.

    python -m benchmarks.linear_inversion --lfw DIR [--people 64] [--json]

Beside each other: plain conjugate gradients of 150 iterations on noisy coefficients, the same in
the cosine basis, and both with the mean of the photo given, which is about all that is missing.
Reads faces of LFW (aligned crops, or photos); writes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor

from veilface.attacks.linear import invert
from veilface.datasets import load_faces
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import choose
from veilface.measures.intervals import mean_over_people
from veilface.measures.metrics import psnr, ssim
from veilface.protectors.dct.front_end import encode, pick
from veilface.protectors.duetface.transform import SERVER
from veilface.protectors.partialface.transform import ORDERS, SUBSETS, variants

NOISE = 0.01  # standard deviation on the coefficients
PLAIN = 150  # iterations
_FULL = 40
_CHUNK = 16
EARLIER: Mapping[str, tuple[float, float]] = {
    "duetface": (0.85, 15.0),
    "partialface S0": (0.90, 18.6),
    "partialface S1": (0.72, 13.5),
    "partialface S2": (0.78, 13.9),
    "partialface S3": (0.86, 15.6),
    "partialface S4": (0.68, 13.4),
    "partialface S5": (0.90, 16.6),
}
"""SSIM and PSNR of four other crops, solved plainly: what these figures are to repeat."""


def measure(faces: Tensor) -> Iterator[dict[str, object]]:
    """One record for each list of frequencies and way to solve for (N, 3, 112, 112) faces."""
    lists = {"duetface": SERVER} | {
        f"partialface S{k}": tuple(variants()[k, 0].tolist()) for k in range(len(SUBSETS))
    }
    for name, frequencies in lists.items():
        for way in ("plain", "cosine"):
            began = time.perf_counter()
            found = torch.cat(
                [_solve(part, frequencies, way) for part in torch.split(faces, _CHUNK)]
            )
            seconds = time.perf_counter() - began
            mean = (faces - found).mean(dim=(2, 3), keepdim=True)
            told = (found + mean).clamp(0, 1)
            yield {
                "channels": name,
                "way": way,
                "seconds": round(seconds / len(faces), 2),
                **_scores(found, faces, ""),
                **_scores(told, faces, "with the mean, "),
            }


def candidates_found(faces: Tensor, *, seed: int = 0) -> float:
    """Share of faces whose subset and order the smallest residual tells, out of all 36."""
    generator = Generator().manual_seed(seed)
    every = variants().flatten(0, 1)
    drawn = torch.randint(len(every), (len(faces),), generator=generator)
    data = pick(encode(faces), every[drawn])
    found = invert(data, every.tolist(), iterations=1).candidate
    return float((found == drawn).float().mean())


def _solve(faces: Tensor, frequencies: Sequence[int], way: str) -> Tensor:
    sent = pick(encode(faces), torch.tensor(frequencies))
    noise = torch.randn(sent.shape, generator=Generator().manual_seed(0))
    plain = way == "plain"
    return invert(
        sent + NOISE * noise,
        [frequencies],
        iterations=PLAIN if plain else _FULL,
        preconditioned=not plain,
    ).images


def _scores(found: Tensor, faces: Tensor, prefix: str) -> dict[str, object]:
    values = {"SSIM": ssim(found, faces), "PSNR": psnr(found, faces)}
    scores: dict[str, object] = {}
    for name, each in values.items():
        estimate = mean_over_people(each.numpy(), seed=0)
        numbers = (estimate.value, estimate.low, estimate.high)
        scores[prefix + name] = [round(number, 3) for number in numbers]
    return scores


def main() -> None:
    """Print a line each, and the figures they are compared with."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    records = choose(load_faces("lfw", arguments.lfw), arguments.people).probes
    faces = aligned_faces(records).faces
    for record in measure(faces):
        if arguments.json:
            print(json.dumps(record), flush=True)
            continue
        earlier = EARLIER[str(record["channels"])] if record["way"] == "plain" else ("", "")
        print(record, *earlier, flush=True)
    share = candidates_found(faces[:_CHUNK])
    candidates = len(SUBSETS) * len(ORDERS)
    print(f"{_CHUNK} people, found by the smallest of {candidates} residuals: {share:.3f}")


if __name__ == "__main__":
    main()
