# SPDX-License-Identifier: GPL-3.0-or-later
"""Small numerical helpers that several parts of the tool share."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def smooth(low: float | Array, high: float | Array, x: Array | float) -> Array:
    """Smooth step from 0 at ``low`` to 1 at ``high`` (falls where ``high < low``)."""
    t = np.clip((np.asarray(x) - low) / (np.asarray(high) - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def unit(x: Array) -> Array:
    """Vectors along the last axis, scaled to length 1."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9))


def blur(x: Array, sigma: float) -> Array:
    """Gaussian blur of a plane or an image; sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(x, np.float32), (0, 0), sigma))


def noise(r: np.random.Generator, sigma: float, shape: tuple[int, int]) -> Array:
    """A field of mean 0 and deviation 1 with grains of ``sigma`` pixels.

    Coarse grains are drawn on a coarser grid and enlarged: the cost does not depend on sigma.
    """
    height, width = shape
    step = max(1, int(sigma // 2))
    field = r.standard_normal((height // step + 4, width // step + 4), np.float32)
    field = blur(field, max(0.6, sigma / step))
    if step > 1:
        size = (width + step * 2, height + step * 2)
        field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR))
    field = field[:height, :width]
    return np.asarray((field - field.mean()) / field.std())


def to_lab(rgb: Array) -> Array:
    """CIE Lab (L 0 to 100) of an sRGB image in 0..1."""
    return np.asarray(cv2.cvtColor(np.clip(rgb, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB))


def from_lab(lab: Array) -> Array:
    """The sRGB image in 0..1 of a CIE Lab image."""
    return np.asarray(np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1))
