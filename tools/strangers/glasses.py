# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of glasses as bent wires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.strangers.mathematics import Array, smooth
from tools.strangers.person import Person


@dataclass(frozen=True)
class Glasses:
    """Frames as bent wires.

    Attributes:
        wires: Polylines (points, 3), and whether each is closed.
        thickness: Radius of a wire in metres.
        colour: Linear RGB.
        metal: Whether it is metal.
    """

    wires: list[tuple[Array, bool]]
    thickness: float
    colour: tuple[float, float, float]
    metal: bool


FRAMES = (
    ((0.008, 0.008, 0.009), False, 0.3),
    ((0.05, 0.02, 0.01), False, 0.2),
    ((0.35, 0.33, 0.3), True, 0.2),
    ((0.45, 0.3, 0.12), True, 0.1),
    ((0.12, 0.02, 0.03), False, 0.05),
)


def frames(person: Person, v: Array, left: Array, right: Array) -> Glasses | None:
    """The frames of a person, or None for most people.

    Args:
        person: Who.
        v: Vertices of the head.
        left: Centre of the person's left eye (positive x); right: of the right one.
        right: See ``left``.
    """
    r = person.stream("glasses")
    if r.random() >= 0.11 + 0.10 * smooth(40, 60, person.age):
        return None
    middle, apart = (left + right) / 2, float(np.linalg.norm(left - right))
    half = apart * r.uniform(0.33, 0.405)  # half width of a rim
    tall = half * r.uniform(0.62, 0.98)
    square = r.uniform(2.0, 4.5)  # exponent of the superellipse
    near = (np.abs(v[:, 1] - middle[1]) < 0.05) & (np.abs(v[:, 0]) < 0.09) & (v[:, 2] > middle[2])
    front = float(v[near, 2].max()) - 0.01 if near.any() else float(middle[2]) + 0.3
    front = max(front, float(middle[2]) + 0.28)
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    x = half * np.sign(c) * np.abs(c) ** (2 / square)
    y = tall * np.sign(s) * np.abs(s) ** (2 / square)
    drop = r.uniform(0.01, 0.06)
    wires: list[tuple[Array, bool]] = []
    side = float(np.abs(v[np.abs(v[:, 1] - middle[1]) < 0.08, 0]).max()) * 0.93
    for sign in (1, -1):
        cx = sign * (apart / 2 + 0.015)
        bend = 0.35 * (np.abs(cx + x) - apart * 0.2) ** 2  # rims follow the face
        rim = np.stack([cx + x, middle[1] - drop + y, front - bend], 1)
        wires.append((rim, True))
        outer = np.array([cx + sign * half, middle[1] + tall * 0.3, float(rim[:, 2].min())])
        ear = np.array([sign * max(side, abs(outer[0])), middle[1] + 0.12, middle[2] - 0.75])
        wires.append((np.stack([outer, outer * [1.04, 1, 1] - [0, 0, 0.05], ear]), False))
    inner = apart / 2 + 0.015 - half
    u = np.linspace(-1, 1, 9)
    bridge = np.stack(
        [u * inner, middle[1] + 0.02 + 0.04 * (1 - u**2), front + 0.02 * (1 - u**2)], 1
    )
    wires.append((bridge, False))
    shares = np.array([share for _, _, share in FRAMES])
    colour, metal, _ = FRAMES[r.choice(len(FRAMES), p=shares / shares.sum())]
    thickness = float(r.uniform(0.0006, 0.0011) if metal else r.uniform(0.0008, 0.0016))
    return Glasses(wires, thickness, colour, metal)
