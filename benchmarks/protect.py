"""Time and memory of `persona` on the CPU, beside the bound that its surrogates set.

    python -m benchmarks.protect [--threads 2] [--batches 1,8]

The bound is the surrogates' bare forward and backward passes times the number of evaluations. Both
are measured in turn in one run, so that the ratio holds when the machine's speed drifts. Faces are
synthetic; nothing in the timing depends on whose face it is.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from veilface.protectors.registry import build_protector
from veilface.protectors.veil.persona import load_face_model
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.randomness import Draws
from veilface.recognizers.registry import available, load_recognizer

SURROGATES = ("dlib", "sface", "mobilefacenet")


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--preset", default="persona")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measured-steps", type=int, default=10)
    parser.add_argument("--whole", action="store_true", help="time whole runs too, not only steps")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    names = [name for name in SURROGATES if name in available()]
    networks = [load_recognizer(name) for name in names]
    preset = PRESETS[arguments.preset]
    short = replace(preset, steps=arguments.measured_steps)
    print(f"{preset.name}, {preset.steps} steps, {', '.join(names)}, {arguments.threads} threads")
    for batch in map(int, arguments.batches.split(",")):
        x = load_face_model().sample(Draws(batch, generator=torch.Generator().manual_seed(0)))

        def bound(network_index: int, x: torch.Tensor = x) -> None:
            y = x.clone().requires_grad_(True)
            torch.autograd.grad(networks[network_index].embed(y).sum(), y)

        def begin_only(x: torch.Tensor = x) -> None:
            build_protector(replace(preset, steps=0), networks).protect(x)

        def steps(x: torch.Tensor = x) -> None:
            build_protector(short, networks).protect(x)

        steps()
        table: list[list[float]] = []
        for _ in range(arguments.rounds):
            bare = [seconds(lambda k=k: bound(k)) for k in range(len(networks))]  # type: ignore[misc]
            step = (seconds(steps) - seconds(begin_only)) / short.steps
            table.append([*bare, step])
        *bare, step = (statistics.median(column) for column in zip(*table, strict=True))
        ratio = statistics.median(sum(row[:-1]) / row[-1] for row in table)
        parts = ", ".join(f"{n} {1e3 * b / batch:.1f}" for n, b in zip(names, bare, strict=True))
        print(
            f"batch {batch}: {1e3 * step / batch:.1f} ms an image and step (bare: {parts}); "
            f"{ratio:.0%} of the bound; {step * preset.steps / batch:.1f} s a photo by steps"
        )
        if arguments.whole:
            whole = seconds(lambda x=x: build_protector(preset, networks).protect(x))  # type: ignore[misc]
            print(f"batch {batch}: whole run {whole / batch:.1f} s a photo")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
