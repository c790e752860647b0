"""The presets side by side on the same faces, with the controls, and a picture grid.

    python -m benchmarks.presets --people 32 --out local/presets

Surrogates are dlib, sface and mobilefacenet; every recogniser present is a target. A target that
is no surrogate is a black box. Prints one table, as Markdown, and writes it with the pictures to
the folder: rows of the grid are the source and each preset. The pictures of shared photographs
are for looking at, not for publishing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from benchmarks.lfw import people, read
from veilface.detection.yunet import YuNet
from veilface.evaluation.metrics import psnr, ssim
from veilface.imaging.tensors import to_uint8
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer

SURROGATES = ("dlib", "sface", "mobilefacenet")


def to_picture(images: Tensor, *, columns: int) -> Image.Image:
    """A grid of (N, 3, H, W) images, ``columns`` wide."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    padded = torch.ones(rows * columns, 3, height, width)
    padded[:count] = images
    grid = padded.view(rows, columns, 3, height, width).permute(2, 0, 3, 1, 4)
    return Image.fromarray(to_uint8(grid.reshape(3, rows * height, columns * width)))


@torch.no_grad()
def embed(network: Recognizer, x: Tensor) -> Tensor:
    """(N, D) embeddings, 16 faces at a time."""
    return torch.cat([network.embed(part) for part in torch.split(x, 16)])


def faces_found(images: Tensor) -> float:
    """Share of images in which the detector finds a face."""
    detector = YuNet()
    return sum(bool(detector.detect(pixels)) for pixels in to_uint8(images)) / len(images)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("local/presets"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    chosen = people(arguments.people)
    x, other = read([p[0] for p in chosen]), read([p[1] for p in chosen])
    targets = {name: load_recognizer(name) for name in available()}
    surrogates = [targets[name] for name in SURROGATES if name in targets]
    clean = {name: (embed(t, x), embed(t, other)) for name, t in targets.items()}
    head = ["", "SSIM", "PSNR dB", "face found", "s/face"]
    head += [f"{name}{'' if name in SURROGATES else ' (unseen)'}" for name in targets]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    rows = [x]
    for name in (*CONTROLS, *arguments.presets.split(",")):
        generator = torch.Generator().manual_seed(arguments.seed)
        protector = build_protector(name, surrogates)
        began = time.perf_counter()
        images = torch.cat(
            [
                protector.protect(part, generator=generator).images
                for part in torch.split(x, arguments.batch_size)
            ]
        )
        seconds = (time.perf_counter() - began) / len(x)
        if name in PRESETS:
            rows.append(images)
        cells = [name, f"{ssim(x, images).mean():.3f}", f"{psnr(x, images).mean():.2f}"]
        cells += [f"{faces_found(images):.2f}", f"{seconds:.1f}" if name in PRESETS else ""]
        for target, network in targets.items():
            source, enrolled = clean[target]
            now, threshold = embed(network, images), network.spec.threshold(1e-3)
            own = ((now * source).sum(1) > threshold).float().mean()
            cross = ((now * enrolled).sum(1) > threshold).float().mean()
            cosines = now @ now.T
            false = (cosines[~torch.eye(len(x), dtype=torch.bool)] > threshold).float().mean()
            cells.append(f"{own:.2f} / {cross:.2f} / {false:.3f}")
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    note = (
        f"{len(x)} people of LFW, seed {arguments.seed}, surrogates {', '.join(SURROGATES)}. "
        "Per recogniser at FMR 1e-3: accepted against the own source / against another photo of "
        "the person / pairs of different people's protected images that match."
    )
    table = "\n".join([*lines, "", note, ""])
    print("\n" + table)
    (arguments.out / "table.md").write_text(table)
    columns = min(len(x), 16)
    blocks = [
        torch.cat([row[first : first + columns] for row in rows])
        for first in range(0, len(x) - columns + 1, columns)
    ]
    to_picture(torch.cat(blocks), columns=columns).save(arguments.out / "grid.png")


if __name__ == "__main__":
    main()
