"""What the compared methods' pages state: similarity of the protected image, cost, bytes.

``python -m benchmarks.methods LFW_FOLDER [PEOPLE]``; one thread, methods that need no training.
"""

from __future__ import annotations

import sys
import time

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from veilface.datasets import load_faces
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import choose
from veilface.protectors.display import Stretch, to_image
from veilface.protectors.registry import METHODS
from veilface.types import Protected

BATCH = 4
STRETCHES: tuple[Stretch, ...] = ("none", "minmax")


def similarity(images: Tensor, faces: Tensor) -> tuple[float, float]:
    """Mean SSIM (Gaussian of 1.5 pixels, window 11) and mean PSNR over images."""
    ssim = structural_similarity_index_measure(images, faces, sigma=1.5, data_range=1.0)
    psnr = -10 * (images - faces).square().mean(dim=(1, 2, 3)).log10()
    assert isinstance(ssim, Tensor)
    return float(ssim), float(psnr.mean())


def main(root: str, people: int) -> None:
    """Print one line a method and rule."""
    torch.set_num_threads(1)
    faces = aligned_faces(choose(load_faces("lfw", root), people, seed=0).probes).faces[:people]
    for spec in METHODS.values():
        if spec.requires_training:
            continue
        protector = spec.build()
        seconds, made = [], list[Protected]()
        for part in torch.split(faces, BATCH):
            first = BATCH * len(made)
            streams = [torch.Generator().manual_seed(first + k) for k in range(len(part))]
            start = time.process_time()
            made.append(protector.protect(part, generator=streams))
            seconds.append((time.process_time() - start) / len(part))
        pictures = torch.cat([p.images if p.picture is None else p.picture for p in made])
        spread = 255 * float(pictures.std(dim=(1, 2, 3)).mean())
        print(
            f"{spec.name}: {1e3 * min(seconds):.1f} ms an image, {made[0].transmitted_bytes} "
            f"bytes, standard deviation of the picture {spread:.2f} of 255"
        )
        for stretch in STRETCHES:
            ssim, psnr = similarity(to_image(pictures, stretch=stretch)[0], faces)
            print(f"  {stretch}: SSIM {ssim:.3f}, PSNR {psnr:.2f} dB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64)
