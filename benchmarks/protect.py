"""Time and memory of a preset on the CPU, beside three references of the same run.

    python -m benchmarks.protect [--preset persona] [--threads 2] [--batches 1,8]

* plain: the same steps with the same architectures out of plain torch modules in float32;
* MI-FGSM: foolbox's, with our networks, which has neither random views nor penalties;
* bound: the surrogates' bare forward and backward passes, times the number of evaluations.

All are measured in turn, so that the ratios hold when the machine's speed drifts. They are of the
steps; the time of a whole run, with everything before and after them, stands beside. Faces are
synthetic; nothing in the timing depends on whose face it is.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from benchmarks.rivals import mi_fgsm, plain_recognizers
from veilface.core.randomness import Draws
from veilface.protectors.base import Surrogate
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.starts import Stranger
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer

SURROGATES = ("dlib", "sface", "mobilefacenet")


class Counted:
    """A surrogate that counts the images whose gradient it is asked for."""

    def __init__(self, recognizer: Recognizer, counts: Counter[str]) -> None:
        self.name, self.centre = recognizer.name, recognizer.centre
        self._recognizer, self._counts = recognizer, counts

    def embed(self, x: Tensor) -> Tensor:
        """As the recogniser's."""
        if torch.is_grad_enabled() and x.requires_grad:
            self._counts[self.name] += len(x)
        return self._recognizer.embed(x)


Timer = Callable[[Callable[[], object]], float]
"""Gives the seconds of one call."""


def wall_time(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def processor_time(work: Callable[[], object]) -> float:
    """Processor seconds of one call, of all threads together, whatever else the machine does."""
    began = time.process_time()
    work()
    return time.process_time() - began


def bare_pass(recognizer: Recognizer, x: Tensor) -> None:
    """One forward and backward pass to the pixels."""
    y = x.clone().requires_grad_(True)
    torch.autograd.grad(recognizer.embed(y).sum(), y)


def step_time(
    preset: Preset, surrogates: Sequence[Surrogate], x: Tensor, *, seconds: Timer
) -> float:
    """Seconds of one step of a batch, without what comes before and after the steps."""
    whole = seconds(partial(build_protector(preset, surrogates).protect, x))
    begin = seconds(partial(build_protector(replace(preset, steps=0), surrogates).protect, x))
    return (whole - begin) / preset.steps


def evaluations(preset: Preset, recognizers: Sequence[Recognizer], x: Tensor) -> list[float]:
    """Gradients of each surrogate for an image and step; below 1 where steps take a subset."""
    counts: Counter[str] = Counter()
    build_protector(preset, [Counted(one, counts) for one in recognizers]).protect(x)
    return [counts[one.name] / (len(x) * preset.steps) for one in recognizers]


def compare(
    preset: Preset,
    recognizers: Sequence[Recognizer],
    batch: int,
    *,
    rounds: int,
    seconds: Timer = wall_time,
) -> dict[str, float]:
    """Median seconds of a step of a batch: ours, and those of the references.

    Args:
        preset: With as many steps as are to be timed.
        recognizers: The ensemble.
        batch: Number of images.
        rounds: How often everything is measured in turn.
        seconds: The clock.

    Returns:
        Seconds by name; the ratio of ours to each reference under its name with a slash, a
        median of the rounds' ratios.
    """
    draws = Draws(2 * batch, generator=torch.Generator().manual_seed(0))
    faces = Stranger().faces(draws)
    x, start = faces[:batch], faces[batch:]
    plain = plain_recognizers(recognizers)
    counts = evaluations(preset, recognizers, x)  # the first passes, which are slower, with it
    step_time(preset, plain, x, seconds=seconds)
    table: dict[str, list[float]] = {}
    for _ in range(rounds):
        row = {
            "bound": sum(
                count * seconds(partial(bare_pass, recognizer, x))
                for count, recognizer in zip(counts, recognizers, strict=True)
            ),
            "veilface": step_time(preset, recognizers, x, seconds=seconds),
            "MI-FGSM": seconds(partial(mi_fgsm, recognizers, x, start, preset=preset))
            / preset.steps,
            "plain": step_time(preset, plain, x, seconds=seconds),
        }
        row |= {f"/{name}": row["veilface"] / row[name] for name in ("plain", "MI-FGSM", "bound")}
        for name, value in row.items():
            table.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in table.items()}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--preset", default="persona", choices=sorted(PRESETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measured-steps", type=int, default=10)
    parser.add_argument(
        "--processor-time", action="store_true", help="for machines that do other work, too"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    names = [name for name in SURROGATES if name in available()]
    recognizers = [load_recognizer(name) for name in names]
    preset = PRESETS[arguments.preset]
    print(f"{preset.name}, {preset.steps} steps, {', '.join(names)}, {arguments.threads} threads")
    seconds = processor_time if arguments.processor_time else wall_time
    print("batch  ms an image and step: veilface   plain  MI-FGSM  bound  s a photo by steps")
    for batch in map(int, arguments.batches.split(",")):
        measured = replace(preset, steps=arguments.measured_steps)
        row = compare(measured, recognizers, batch, rounds=arguments.rounds, seconds=seconds)
        ours, plain, library, bound = (
            1e3 * row[name] / batch for name in ("veilface", "plain", "MI-FGSM", "bound")
        )
        print(
            f"{batch:5d}  {ours:30.1f} {plain:7.1f} {library:8.1f} {bound:6.1f} "
            f"{row['veilface'] * preset.steps / batch:11.1f}"
        )
        print(
            f"       time of veilface in that of plain {row['/plain']:.2f}, "
            f"of MI-FGSM {row['/MI-FGSM']:.2f}; {1 / row['/bound']:.0%} of the bound"
        )
        x = Stranger().faces(Draws(batch))
        whole = seconds(partial(build_protector(preset, recognizers).protect, x))
        print(f"       whole run: {whole / batch:.1f} s a photo")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB, the plain networks included")


if __name__ == "__main__":
    main()
