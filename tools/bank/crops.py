"""Rendered portraits, aligned to the template and judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from veilface.core.template import TEMPLATE
from veilface.detection.yunet import YuNet
from veilface.imaging.align import align_face
from veilface.imaging.tensors import to_uint8

LEAST_SCORE = 0.9  # of YuNet
LUMA = (0.16, 0.80)  # mean of the face
MOST_CLIPPED = 0.06  # share of the face's pixels that are white or black
LEAST_SHARPNESS = 4.0  # mean absolute Laplacian of the face, in grey levels
LEAST_EYE = 0.045  # deviation of the luma around an eye: a lid of hair is flatter

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Portrait:
    """One stranger.

    Attributes:
        about: What the renderer wrote: seed, sex, age, skin, …
        pixels: (112, 112, 3) uint8, aligned.
        score: YuNet's.
    """

    about: dict[str, Any]
    pixels: Pixels
    score: float


def luma(pixels: Pixels) -> npt.NDArray[np.float32]:
    """(H, W) in 0..1."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(pixels.astype(np.float32) @ weights / 255, np.float32)


def fault(pixels: Pixels) -> str | None:
    """Why an aligned portrait is not fit for the bank, or None.

    Args:
        pixels: (112, 112, 3) uint8.
    """
    grey = luma(pixels)
    face = grey[30:104, 26:86]
    if not LUMA[0] <= float(face.mean()) <= LUMA[1]:
        return f"mean luma {face.mean():.2f} outside of {LUMA[0]} to {LUMA[1]}"
    clipped = float(((face > 0.98) | (face < 0.02)).mean())
    if clipped > MOST_CLIPPED:
        return f"{clipped:.0%} of the face is white or black"
    sharpness = float(np.abs(cv2.Laplacian(face * 255, cv2.CV_32F)).mean())
    if sharpness < LEAST_SHARPNESS:
        return f"sharpness {sharpness:.1f} below {LEAST_SHARPNESS}"
    for side, (x, y) in zip(("left", "right"), TEMPLATE[:2].round().int().tolist(), strict=True):
        contrast = float(grey[y - 6 : y + 7, x - 9 : x + 10].std())
        if contrast < LEAST_EYE:
            return f"the {side} eye does not show (contrast {contrast:.3f})"
    return None


def rejected_by_eye(path: Path) -> dict[int, str]:
    """Seeds that somebody looked at and turned down: a seed and a reason a line."""
    lines = [line.split("#", 1)[0].strip() for line in path.read_text().splitlines()]
    return {
        int(seed): reason for seed, _, reason in (line.partition(" ") for line in lines) if seed
    }


def aligned(path: Path, detector: YuNet) -> tuple[Pixels | None, float]:
    """The crop of a rendered portrait and YuNet's score; no crop where no face is found.

    Finding the face costs more than everything after it: both are kept beside the render.
    """
    kept = path.with_suffix(".crop.npz")
    if not kept.exists() or kept.stat().st_mtime < path.stat().st_mtime:
        pixels = np.array(Image.open(path).convert("RGB"))
        faces = detector.detect(pixels)
        if not faces:
            return None, 0.0
        face = max(faces, key=lambda found: found.score)
        np.savez(kept, crop=to_uint8(align_face(pixels, face.points)), score=face.score)
    with np.load(kept) as found:
        return np.asarray(found["crop"], np.uint8), float(found["score"])


def read(folder: Path, rejected: dict[int, str]) -> tuple[list[Portrait], dict[int, str]]:
    """The portraits of a folder of renders, and why seeds were turned down.

    Args:
        folder: With ``<seed>.png`` and ``<seed>.json``.
        rejected: Seeds that were turned down by eye.
    """
    detector = YuNet(score_threshold=0.5)
    kept: list[Portrait] = []
    refused: dict[int, str] = {}
    for path in sorted(folder.glob("*.json")):
        about = json.loads(path.read_text())
        seed = int(about["seed"])
        if seed in rejected:
            refused[seed] = "by eye: " + rejected[seed]
            continue
        crop, score = aligned(path.with_suffix(".png"), detector)
        if crop is None or score < LEAST_SCORE:
            refused[seed] = f"YuNet {score:.2f} below {LEAST_SCORE}"
            continue
        reason = fault(crop)
        if reason is not None:
            refused[seed] = reason
            continue
        kept.append(Portrait(about, crop, score))
    return kept, refused
