# SPDX-License-Identifier: GPL-3.0-or-later
"""Strands of hair, grown on the head with numpy: guides first, clumped children between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from tools.strangers.assets import Assets
from tools.strangers.mathematics import Array, blur, smooth, unit


@dataclass(frozen=True)
class Style:
    """How hair grows; lengths in decimetres.

    Attributes:
        flow: Where it is combed: crown, back, side, tie, long, fringe, down, or out.
        length: Of a strand on top of the head.
        sides: The same on the sides, where it differs.
        count: Strands.
        points: Points of a strand.
        guides: Strands that are simulated; the others lie between them.
        parting: x of the parting.
        comb: Weight of the flow; lift: of the direction away from the skin, which fades along the
            strand with ``lift_decay``; gravity: of falling, which grows along it.
        offset: Distance from the skin that is kept.
        stiffness: How much of its direction a strand keeps from point to point.
        clump: How much strands follow their guide; spread: deviation of lengths; noise: of places.
        wave, wave_count, curl, curl_count: Amplitude and number of waves and of curls.
        radius: Of a strand, in metres.
        face: Half width of the face that stays free, and how far above the eyes it begins
            (``brow``); a width of 0 keeps nothing free.
    """

    flow: str
    length: float
    sides: float | None = None
    count: int = 12000
    points: int = 6
    guides: int = 420
    parting: float = 0.0
    comb: float = 1.0
    lift: float = 0.4
    lift_decay: float = 1.0
    gravity: float = 0.2
    offset: float = 0.03
    stiffness: float = 0.5
    clump: float = 0.4
    spread: float = 0.15
    noise: float = 0.02
    wave: float = 0.0
    wave_count: float = 0.0
    curl: float = 0.0
    curl_count: float = 0.0
    radius: float = 0.00016
    tie: float = 7.5
    backwards: bool = False
    sweep: float = 0.0
    face: float = 0.5
    brow: float = 0.28

    @property
    def parted(self) -> bool:
        """Whether the two sides of the parting keep apart."""
        return self.flow in ("long", "side")


def normals(assets: Assets, v: Array) -> Array:
    """Outward normals of the head's vertices: (vertices, 3)."""
    t, _ = assets.triangles
    n = np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]])
    out = np.zeros_like(v)
    for j in range(3):
        np.add.at(out, t[:, j], n)
    return unit(out)


class Scalp:
    """A head that hair grows on.

    Args:
        assets: Topology of the head.
        v: Its vertices.
        eye: Midpoint of the eyes.
    """

    def __init__(self, assets: Assets, v: Array, eye: Array) -> None:
        self.assets, self.v, self.eye = assets, v, eye
        self.normal = normals(assets, v)
        index = np.unique(assets.triangles[0])
        self.tree = cKDTree(v[index])
        self.near, self.near_normal = v[index], self.normal[index]

    def roots(self, r: np.random.Generator, mask: Array, count: int) -> tuple[Array, Array, Array]:
        """Places, normals and places on the base mesh, drawn by area and by ``mask``."""
        t, pixel = self.assets.triangles
        v, v0 = self.v, self.assets.v0
        area = np.linalg.norm(np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]]), axis=1)
        height, width = mask.shape

        def at(plane: Array, uv: Array) -> Array:
            column = np.clip(uv[:, 0], 0, width - 1).astype(int)
            row = np.clip(uv[:, 1], 0, height - 1).astype(int)
            return np.asarray(plane[row, column])

        p = area * (at(blur(mask, 2), pixel.mean(1)) > 0.003)
        if p.sum() == 0:
            return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3))
        k = r.choice(len(t), count * 3, p=p / p.sum())
        a, b = r.random((2, len(k)))
        over = a + b > 1
        a[over], b[over] = 1 - a[over], 1 - b[over]
        w = np.stack([1 - a - b, a, b], 1)
        m = at(mask, (pixel[k] * w[..., None]).sum(1))
        keep = np.where(r.random(len(k)) < m)[0][:count]
        k, w = k[keep], w[keep, :, None]
        place, normal = (v[t[k]] * w).sum(1), unit((self.normal[t[k]] * w).sum(1))
        return place, normal, (v0[t[k]] * w).sum(1)

    def _flow(self, style: Style, p: Array, root: Array, n: Array, step: float) -> Array:
        """Direction of combing at the places ``p`` of strands from ``root``."""
        one, x = np.ones(len(p)), root[:, 0]
        side = np.where(x > style.parting, 1.0, -1.0)
        match style.flow:
            case "crown":
                way = p - np.array([0.03, root[:, 1].max() + 0.05, -0.15])
            case "back":
                way = np.stack([p[:, 0] * 0.35, 0.15 * one, -one], 1)
            case "side":
                top = smooth(7.9, 8.2, root[:, 1])
                forward = (-0.5 if style.backwards else 0.1) * one
                way = np.stack([side * (0.3 + 0.7 * top), -0.5 + 0.35 * top, forward], 1)
            case "tie":
                way = np.array([0, style.tie, -1.15]) - p
            case "long":
                top = smooth(7.75, 8.15, root[:, 1]) * (step < 0.45)
                front = smooth(0.6, 1.1, root[:, 2]) * (step < 0.5)
                back = -0.25 - 0.55 * front
                way = np.stack([side * (0.12 + 0.9 * top), -1 + 0.55 * top, back], 1)
            case "fringe":
                across = style.sweep + x * 0.3
                way = np.stack([across, -1.2 * one * step - 0.2, 1.0 - step * one], 1)
            case _:
                way = n
        return np.asarray(way)

    def _grow(self, style: Style, root: Array, length: Array, offset: Array) -> Array:
        points = [root.copy()]
        p, direction = root.copy(), np.zeros_like(root)
        step = length / (style.points - 1)
        for i in range(1, style.points):
            along = i / style.points
            _, j = self.tree.query(p)
            n = self.near_normal[j]
            flow = unit(self._flow(style, p, root, n, along))
            close = smooth(0.6, 0.05, ((p - self.near[j]) * n).sum(1))[:, None]
            flow = unit(flow - close * (flow * n).sum(1, keepdims=True) * n)
            lift = style.lift * max(0.0, 1 - along * style.lift_decay)
            wish = unit(flow * style.comb + n * lift + np.array([0, -style.gravity * along, 0]))
            keep = style.stiffness if i > 1 else 0.0
            direction = unit(direction * keep + wish * (1 - keep))
            p = p + direction * step[:, None]
            p = self._outside(p, offset * min(1, i / 2), reach=0.6)
            points.append(p.copy())
        return np.stack(points, 1)

    def _outside(self, p: Array, offset: Array | float, reach: float) -> Array:
        distance, j = self.tree.query(p)
        n = self.near_normal[j]
        inside = np.maximum(offset - ((p - self.near[j]) * n).sum(1), 0)
        return np.asarray(p + n * (inside * (distance < reach))[:, None])

    def strands(self, r: np.random.Generator, mask: Array, style: Style) -> Array | None:
        """(strands, points, 3), or None where the mask leaves no room.

        Args:
            r: The stream of this hair.
            mask: Density over the skin's texture, 0 to 1.
            style: How it grows.
        """
        guide, _, guide0 = self.roots(r, mask, style.guides)
        if len(guide) < 10:
            return None
        length = np.full(len(guide), style.length)
        if style.sides is not None:
            top = smooth(7.6, 8.15, guide0[:, 1])
            length = style.sides * (1 - top) + style.length * top
        length = length * np.clip(1 + style.spread * r.normal(size=len(guide)), 0.35, 1.7)
        offset = style.offset * (0.4 + 1.2 * r.random(len(guide)))
        grown = self._grow(style, guide, length, offset)

        root, normal, _ = self.roots(r, mask, style.count)
        distance, near = cKDTree(guide).query(root, k=3)
        side = np.sign(root[:, 0] - style.parting)
        together = np.sign(guide[:, 0] - style.parting)[near] == side[:, None]
        w = 1 / (distance + 0.02) ** 2
        if style.parted:
            w = np.where(together, w, 1e-6)
        w /= w.sum(1, keepdims=True)
        c = ((grown - grown[:, :1])[near] * w[..., None, None]).sum(1) + root[:, None]
        n, t = len(root), np.linspace(0, 1, style.points)[None, :, None]
        first = near[:, 0]
        clump = style.clump * t**1.3 * r.uniform(0.3, 1.0, (n, 1, 1))
        if style.parted:
            clump = clump * together[:, 0][:, None, None]
        c = c * (1 - clump) + grown[first] * clump
        longer = np.clip(1 + 0.12 * r.normal(size=(n, 1, 1)), 0.5, 1.25)
        c = root[:, None] + (c - root[:, None]) * longer
        phase, rate = r.uniform(0, 2 * np.pi, (n, 1, 3)), 2 * r.uniform(0.7, 1.4, (n, 1, 3))
        stray = np.sin(rate * 2 * np.pi * t + phase)
        c = c + style.noise * t * stray * r.uniform(0.3, 1.5, (n, 1, 1))
        if style.wave:  # together with the guide
            phase = r.uniform(0, 2 * np.pi, (len(guide), 1, 1))[first] * 0.35
            turn = style.wave_count * 2 * np.pi * t * style.length / 2.5
            swing = smooth(0.1, 0.5, t) * np.sin(turn + phase)
            c = c + style.wave * swing * np.array([0.8, 0.15, 0.7])
        if style.curl:
            across = unit(np.cross(normal, [0.3, 0.9, 0.2]))
            up = np.cross(normal, across)
            turn = style.curl_count * 2 * np.pi * t + r.uniform(0, 2 * np.pi, (n, 1, 1))
            turns = np.cos(turn) * across[:, None] + np.sin(turn) * up[:, None]
            c = c + style.curl * np.minimum(t * 3, 1) * turns
        c[:, 1:] = self._outside(c[:, 1:].reshape(-1, 3), 0.012, reach=0.5).reshape(n, -1, 3)
        return self._clear(style, c)

    def _clear(self, style: Style, c: Array) -> Array:
        """Without the strands that would cover the face."""
        if style.face == 0:
            return c
        x, y, z = np.moveaxis(c, -1, 0)
        low, high = self.eye[1] - 1.1, self.eye[1] + style.brow
        over = (np.abs(x) < style.face) & (y < high) & (y > low) & (z > self.eye[2] - 0.35)
        return np.asarray(c[~over.any(1)])
