"""Throughput and quality of a preset on one CUDA device.

    python -m benchmarks.gpu [--preset persona] [--target fr_feature] [--batches 1,8,...,512]
                             [--people 128] [--root LFW]

The surrogates are all recognisers that are present but the target, which stays unseen. Three
variants of the same steps are timed: float32 step by step, bfloat16 networks step by step, and
bfloat16 with a step recorded as a CUDA graph; all keep activations channels last. The quality of
the last one is printed beside that of the first, since half precision must not cost any.

Needs a GPU of the H100 class for the figures of the documentation to be comparable; without a CUDA
device it says so and ends with status 2.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.captured import halved, record, replayed_steps
from benchmarks.lfw import people, read
from veilface.core.devices import is_out_of_memory
from veilface.core.randomness import Draws, system_generator
from veilface.measures.intervals import Estimate
from veilface.measures.metrics import ssim
from veilface.measures.operating import cross_domain, false_matches_protected, source_match
from veilface.protectors.base import Surrogate
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.starts import Stranger
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer

BATCHES = "1,8,32,64,128,256,512"
FMR = 1e-3


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to compute the same steps."""

    name: str
    half: bool
    captured: bool

    def surrogates(self, recognizers: Sequence[Recognizer]) -> list[Recognizer]:
        """The ensemble in this variant's precision."""
        return [halved(one) for one in recognizers] if self.half else list(recognizers)


VARIANTS = (
    Variant("float32, eager", half=False, captured=False),
    Variant("bfloat16, eager", half=True, captured=False),
    Variant("bfloat16, captured", half=True, captured=True),
)


@dataclass(frozen=True, slots=True)
class Speed:
    """What one batch took.

    Attributes:
        images: Images a second of a whole call, with targets, decoys and the recording.
        step: Seconds of one step of one image.
        memory: Largest allocation in bytes.
    """

    images: float
    step: float
    memory: int


def protect(
    preset: Preset, surrogates: Sequence[Surrogate], x: Tensor, *, captured: bool
) -> Tensor:
    """X' of (N, 3, 112, 112) faces; the random numbers are drawn on their device."""
    generator = system_generator(x.device)
    recorder = partial(record, generator=generator)
    with replayed_steps(recorder) if captured else contextlib.nullcontext():
        return build_protector(preset, surrogates).protect(x, generator=generator).images


def measure(
    batch: int, *, preset: Preset, surrogates: Sequence[Surrogate], captured: bool
) -> Speed:
    """Time a whole call, and one with half of the steps to tell steps from the rest."""
    x = Stranger().faces(Draws(batch)).cuda()

    def call(steps: int) -> Tensor:
        return protect(replace(preset, steps=steps), surrogates, x, captured=captured)

    call(4)  # kernels are chosen here
    torch.cuda.reset_peak_memory_stats()
    some = preset.steps // 2
    short, whole = seconds(partial(call, some)), seconds(partial(call, preset.steps))
    return Speed(
        images=batch / whole,
        step=(whole - short) / (preset.steps - some) / batch,
        memory=torch.cuda.max_memory_allocated(),
    )


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a call and of all that it left to the device."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def sweep(
    batches: Sequence[int], measured: Callable[[int], Speed]
) -> Iterator[tuple[int, Speed | None]]:
    """Speeds by batch; None, and then nothing more, for the first that does not fit."""
    for batch in batches:
        try:
            speed = measured(batch)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            yield batch, None
            return
        yield batch, speed


def quality(
    images: Tensor, sources: Tensor, others: Tensor, target: Recognizer
) -> Mapping[str, float | Estimate]:
    """What an unseen recogniser makes of X', at the threshold of FMR 1e-3.

    Args:
        images: (N, 3, 112, 112) X', one a person.
        sources: (N, 3, 112, 112) X.
        others: (N, 3, 112, 112) another photo of each person.
        target: The recogniser.
    """
    threshold = target.spec.threshold(FMR)
    with torch.inference_mode():
        protected, source, other = (
            target.embed(faces).cpu() for faces in (images, sources, others)
        )
    return {
        "ssim": float(ssim(images, sources).mean()),
        "source": source_match(protected, source, threshold),
        "xdr": cross_domain(protected, other, threshold),
        "fmr_pp": false_matches_protected(protected, threshold),
    }


def show(value: float | Estimate) -> str:
    """A figure with its interval, where it has one."""
    if isinstance(value, Estimate):
        return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
    return f"{value:.3f}"


def report_speed(preset: Preset, recognizers: Sequence[Recognizer], batches: Sequence[int]) -> None:
    """Print a table for each variant."""
    for variant in VARIANTS:
        print(f"\n{variant.name}\nbatch  images/s  µs an image and step  GB")
        measured = partial(
            measure,
            preset=preset,
            surrogates=variant.surrogates(recognizers),
            captured=variant.captured,
        )
        for batch, speed in sweep(batches, measured):
            if speed is None:
                print(f"{batch:5d}  does not fit into the memory")
            else:
                print(
                    f"{batch:5d} {speed.images:9.1f} {1e6 * speed.step:21.1f} "
                    f"{speed.memory / 1e9:4.1f}"
                )


def report_quality(
    preset: Preset, recognizers: Sequence[Recognizer], target: Recognizer, faces: list[list[Path]]
) -> None:
    """Print what the target makes of the first and of the last variant."""
    sources, others = (read([photos[k] for photos in faces]).cuda() for k in (0, 1))
    print(f"\n{len(faces)} people of LFW, unseen target {target.name}, FMR {FMR:g}")
    for variant in (VARIANTS[0], VARIANTS[-1]):
        surrogates = variant.surrogates(recognizers)
        images = protect(preset, surrogates, sources, captured=variant.captured)
        figures = quality(images, sources, others, target)
        print(f"{variant.name}: " + ", ".join(f"{k} {show(v)}" for k, v in figures.items()))


def main() -> int:
    """Parse the command line and run; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="persona", choices=sorted(PRESETS))
    parser.add_argument("--target", default="fr_feature")
    parser.add_argument("--batches", default=BATCHES)
    parser.add_argument("--people", type=int, default=128)
    parser.add_argument("--root", type=Path, help="LFW's 112x112 crops, for the quality")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: this experiment needs one, an H100 or alike", file=sys.stderr)
        return 2
    torch.backends.cudnn.benchmark = True
    preset = PRESETS[arguments.preset]
    names = [name for name in available() if name != arguments.target]
    recognizers = [load_recognizer(name, device="cuda") for name in names]
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"{preset.name}, {preset.steps} steps, surrogates {', '.join(names)}")
    report_speed(preset, recognizers, [int(batch) for batch in arguments.batches.split(",")])
    if arguments.root is None:
        print("\nno quality: name LFW's crops with --root")
        return 0
    target = load_recognizer(arguments.target, device="cuda")
    report_quality(preset, recognizers, target, people(arguments.people, root=arguments.root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
