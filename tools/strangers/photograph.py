# SPDX-License-Identifier: GPL-3.0-or-later
"""From linear light to a photograph: background, exposure, lens, sensor, tone, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from tools.strangers.light import ENVIRONMENTS, environment
from tools.strangers.mathematics import Array, blur, noise, smooth
from tools.strangers.person import Person
from tools.strangers.skin import target_colour

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def background(person: Person, side: int) -> Array:
    """Something out of focus, linear RGB: (side, side, 3)."""
    r = person.stream("background")
    kind = r.choice(["place", "wall", "lamps"], p=[0.55, 0.3, 0.15])
    yy, xx = np.mgrid[0:side, 0:side].astype(np.float32) / side
    if kind == "place":
        whole = environment(str(r.choice(ENVIRONMENTS)))
        height, width = whole.shape[:2]
        part = int(width * r.uniform(0.08, 0.25))
        x = int(r.integers(0, width - part))
        y = int(np.clip(height * 0.5 + r.normal(0, 0.05) * height - part * 0.5, 0, height - part))
        out = cv2.resize(np.minimum(whole[y : y + part, x : x + part], 6), (side, side))
        radius = max(1, int(side * r.uniform(0.015, 0.08)))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        disc = disc.astype(np.float32) / disc.sum()
        out = np.asarray(cv2.filter2D(out, -1, disc, borderType=cv2.BORDER_REFLECT))
        return np.asarray(out / out.mean() * r.uniform(0.05, 0.45), np.float32)
    first, second = (r.uniform(0.3, 1.0, 3) * 0.3 + r.uniform(0.3, 0.7) for _ in range(2))
    turn = r.uniform(0, 2 * np.pi)
    t = smooth(0, 1, ((xx - 0.5) * np.cos(turn) + (yy - 0.5) * np.sin(turn)) * 1.2 + 0.5)[..., None]
    out = (first * (1 - t) + second * t) * r.uniform(0.02, 0.75)
    out = out * (1 + 0.15 * noise(r, side * 0.12, (side, side)))[..., None]
    if kind == "lamps":
        for _ in range(r.integers(8, 40)):
            size, (cx, cy) = r.uniform(0.015, 0.07) * side, r.uniform(0, side, 2)
            spot = smooth(size + 1.5, size - 1.5, np.hypot(xx * side - cx, yy * side - cy))
            tone = np.array([r.uniform(0.5, 1), r.uniform(0.45, 0.9), r.uniform(0.3, 0.9)])
            out = out + (spot * r.uniform(0.02, 0.3))[..., None] * tone
    return np.maximum(blur(out, side * 0.006), 0)


def develop(person: Person, rendered: Array) -> Array:
    """The photograph, 8 bit RGB.

    Args:
        person: Who; decides the camera.
        rendered: (side, side, 4) linear, premultiplied alpha.
    """
    r = person.stream("photograph")
    rgb, alpha = rendered[..., :3], rendered[..., 3]
    side = rgb.shape[0]
    soft = blur(alpha, 0.9)[..., None]  # the denoiser leaves the grain of the opacity
    rows, columns = (
        slice(int(side * 0.35), int(side * 0.8)),
        slice(int(side * 0.28), int(side * 0.72)),
    )
    level = np.median((rgb[rows, columns] @ LUMINANCE)[alpha[rows, columns] > 0.9])
    lightness = target_colour(person)[0]
    aim = 0.36 * ((lightness + 16) / 116) ** 1.5 * np.exp(r.normal(0, 0.2))
    x = rgb * (aim / max(float(level), 1e-4)) + background(person, side) * (1 - soft)

    halo = r.uniform(0.005, 0.04)
    x = x * (1 - halo) + halo * blur(x, side * 0.02)
    yy, xx = np.mgrid[0:side, 0:side] / side - 0.5
    x = x * (1 - r.uniform(0, 0.35) * (xx**2 + yy**2))[..., None]
    x = x * np.array([1 + r.normal(0, 0.035), 1.0, 1 + r.normal(0, 0.055)])
    x = blur(x, float(r.uniform(0.35, 0.8)) * side / 192)
    iso = r.uniform(0.0004, 0.0025) * (2.5 if r.random() < 0.2 else 1.0)
    x = x + r.normal(size=x.shape) * np.sqrt(np.maximum(x, 0) * iso * 0.12 + iso**2 * 0.25)
    x, knee = np.maximum(x, 0), r.uniform(0.62, 0.85)
    x = np.where(x < knee, x, knee + (1 - knee) * (1 - np.exp(-(x - knee) / (1 - knee))))
    x = np.clip(x, 0, 1)
    x = np.where(x < 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    contrast = r.uniform(0.0, 0.38)
    x = x * (1 - contrast) + contrast * (x * x * (3 - 2 * x))
    x = x * (1 - (veil := r.uniform(0, 0.03))) + veil
    x = (
        x
        + r.uniform(0.1, 0.8) * (x - blur(x, 1.0))
        + r.uniform(0, 0.35) * (x - blur(x, side * 0.06))
    )
    grey = x.mean(-1, keepdims=True)
    x = grey + (x - grey) * r.uniform(0.82, 1.2)
    pixels = np.clip(x * 255 + 0.5, 0, 255).astype(np.uint8)
    quality = int(r.integers(82, 97))
    _, jpeg = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))[..., ::-1]
