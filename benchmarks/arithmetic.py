"""What a photo costs on paper: the arithmetic of its steps, and the CPU time around them.

    python -m benchmarks.arithmetic [--preset persona] [--recognizers dlib,sface,mobilefacenet]

The operations of a step are counted (a multiplication and an addition are two) in one forward and
backward pass of each network, with one random view a step; penalties and views are left out. The
CPU time around the steps is that of a public-domain portrait of 512x512 on one thread: to decode
it, to find its face, to encode an output. With the operations a second of a device and the share of
them that is reached, which has to be measured or assumed, follows how many photos it makes.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import torch
from PIL import Image
from skimage import data
from torch.utils.flop_counter import FlopCounterMode

from veilface.detection.yunet import YuNet
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import encode
from veilface.imaging.provenance import Mark
from veilface.pipeline.faces import SMALLEST, find_faces
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer

H100 = 989e12  # operations a second in bfloat16 without sparsity, by its data sheet
SHARES = (0.01, 0.05)
ROUNDS = 5


def operations(recognizer: Recognizer) -> int:
    """Of one forward and backward pass, to the input, for one face."""
    face = torch.rand(1, 3, 112, 112, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(recognizer.embed(face).sum(), face)
    return int(counter.get_total_flops())


def cpu_seconds(call: Callable[[], object]) -> float:
    """The least CPU time of some calls, after one that may load something."""
    call()
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)


def main() -> None:
    """Count, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="persona")
    parser.add_argument("--recognizers", default="dlib,sface,mobilefacenet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps = PRESETS[options.preset].steps
    names = options.recognizers.split(",")
    photo = steps * sum(operations(load_recognizer(name)) for name in names)
    print(f"{photo / 1e9:.0f} Gflop a photo ({steps} steps, {', '.join(names)})")
    for share in SHARES:
        print(
            f"an H100 at {share:.0%} of its {H100 / 1e12:.0f} Tflop/s: {H100 * share / photo:.0f}/s"
        )
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "png")
    decoded = decode_photo(file.getvalue(), name="portrait")
    detector = YuNet(smallest=SMALLEST)
    crop = Image.fromarray(data.astronaut()[:112, :112])
    mark = Mark(tool="veilface", version="0", preset=options.preset, recognizers=tuple(names))
    around: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_photo(file.getvalue(), name="portrait"),
        "find": lambda: find_faces(
            decoded, name="portrait", detector=detector, largest=False, accept_doubt=False
        ),
        "encode": lambda: encode(crop, format="png", mark=mark),
    }
    for what, call in around.items():
        print(f"{what}: {cpu_seconds(call):.3f} core seconds")


if __name__ == "__main__":
    main()
