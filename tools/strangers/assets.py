# SPDX-License-Identifier: GPL-3.0-or-later
"""The prepared assets, and what every portrait shares: masks of the skin, topology of the head.

Lengths are MakeHuman's (decimetres; x to the person's left, y up, z to the front). Textures are
the head's part of the skins at half size (``CROP`` of 2,048 pixels, halved).
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.strangers.mathematics import Array, blur, smooth, to_lab

TEXTURE = 2048  # side of the skins that the map of positions was made for
CROP = (1290, 2048, 327, 1782)  # x0, x1, y0, y1 of the head in them
HALF = 2


@dataclass(frozen=True)
class Topology:
    """Faces of a mesh as flat arrays, as Blender takes them.

    Attributes:
        vertices: Which vertices of the source are used.
        corner: Index into ``vertices`` of each corner of each face.
        start: First corner of each face.
        uv: (corners, 2) texture coordinates, or None.
        material: Material of each face.
    """

    vertices: Array
    corner: Array
    start: Array
    uv: Array | None
    material: Array


def topology(
    faces: list[list[int]], uv: list[Array] | None = None, material: list[int] | None = None
) -> Topology:
    """Flat arrays of a list of faces."""
    sizes = np.array([len(f) for f in faces])
    used, corner = np.unique(np.concatenate([np.asarray(f) for f in faces]), return_inverse=True)
    return Topology(
        vertices=used,
        corner=corner.astype(np.int32).ravel(),
        start=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32),
        uv=None if uv is None else np.concatenate(uv).astype(np.float32),
        material=np.asarray(material or [0] * len(faces), np.int32),
    )


class Assets:
    """Everything that was read from the CC0 assets.

    Args:
        folder: With ``data.pkl`` and ``tex.pkl`` (made by ``prepare.py``) and ``src/data``.
    """

    def __init__(self, folder: Path) -> None:
        # Both files were written by prepare.py on this machine: not data from elsewhere.
        data = pickle.loads((folder / "data.pkl").read_bytes())  # noqa: S301
        skins = pickle.loads((folder / "tex.pkl").read_bytes())  # noqa: S301
        self.files = folder / "src/data"
        self.base: dict[str, Any] = data["base"]
        self.targets: dict[str, tuple[Array, Array]] = data["targets"]
        self.proxies: dict[str, dict[str, Any]] = data["prox"]
        self.head_faces: list[int] = skins["headfaces"]
        self.v0: Array = self.base["v"]
        size = ((CROP[1] - CROP[0]) // HALF, (CROP[3] - CROP[2]) // HALF)
        self.shape = (size[1], size[0])
        self.lab = {
            name: to_lab(cv2.resize(image, size, interpolation=cv2.INTER_AREA) / 255.0)
            for name, image in skins["skins"].items()
        }
        position = np.asarray(skins["pos"], np.float32)
        self.position = np.asarray(cv2.resize(position, size, interpolation=cv2.INTER_LINEAR))
        self.inside = cv2.resize(skins["mask"], size, interpolation=cv2.INTER_NEAREST) > 0
        self.x, self.y, self.z = (self.position[..., k] for k in range(3))
        self.ax = np.abs(self.x)
        self._masks()

    def _masks(self) -> None:
        """Scalp, face, lips and beard in the texture, by the position on the base mesh."""
        dark = self.lab["afr_m_m"][..., 0] * 2.55
        x, y, z = self.ax, self.y, self.z
        scalp = smooth(62, 38, blur(dark, 2.5))
        scalp = scalp * (1 - smooth(0.9, 1.1, z) * smooth(7.75, 7.6, y)) * smooth(5.9, 6.4, y)
        scalp = (scalp * (1 - smooth(1.28, 1.4, z) * smooth(7.9, 7.75, y))).astype(np.float32)
        grown = cv2.dilate(scalp, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (31, 31)))
        self.scalp_sharp, self.scalp_grown = scalp, blur(grown, 3)
        self.scalp = blur(scalp, 1.5)
        self.face = (z > 0.95) & (y > 6.3) & (y < 7.75) & self.inside & (self.scalp < 0.05)
        red = blur(self.lab["asi_f_y"][..., 1], 0.75)
        region = (z > 1.2) & (y < 6.82) & (y > 6.45) & (x < 0.34)
        self.lips = blur(smooth(21, 28, red) * region, 0.75)
        sides = smooth(7.05, 6.8, y) * smooth(0.35, 0.5, z) * smooth(0.62, 0.70, x)
        beard = smooth(6.78, 6.6, y) * smooth(0.45, 0.75, z) + sides * smooth(0.95, 0.80, z)
        lip = np.exp(-(((y - 6.80) / 0.075) ** 2)) * smooth(0.36, 0.26, x) * (z > 1.25)
        beard = np.clip(beard * smooth(5.75, 6.15, y) + lip, 0, 1)
        self.beard = blur(beard * (1 - np.clip(self.lips * 2, 0, 1)), 2.5)
        self.wrinkles = {
            "old": np.clip(self._relief("afr_m_o") / self._relief("afr_m_y"), 0.80, 1.18),
            "male": np.clip(self._relief("cau_m_m") / self._relief("cau_m_y"), 0.7, 1.4),
            "female": np.clip(self._relief("asi_f_m") / self._relief("asi_f_y"), 0.7, 1.4),
        }

    def _relief(self, name: str) -> Array:
        light = self.lab[name][..., 0]
        return np.maximum(light, 1) / np.maximum(blur(light, 7), 1)

    def group(self, name: str) -> Array:
        """Vertices of a group of the base mesh."""
        chosen = zip(self.base["f"], self.base["g"], strict=True)
        return np.unique(np.concatenate([np.array(f) for f, g in chosen if g == name]))

    @cached_property
    def eyes(self) -> tuple[Array, Array]:
        """Vertices around the centre of the person's left and right eye."""
        return self.group("joint-l-eye"), self.group("joint-r-eye")

    @cached_property
    def triangles(self) -> tuple[Array, Array]:
        """(n, 3) vertices of the head, and (n, 3, 2) pixels of their corners in the texture."""
        pixel = np.stack([self.base["vt"][:, 0], 1 - self.base["vt"][:, 1]], 1) * TEXTURE
        pixel = (pixel - (CROP[0], CROP[2])) / HALF
        corners, places = [], []
        for k in self.head_faces:
            f, t = self.base["f"][k], self.base["ft"][k]
            for a in ((0, 1, 2), (0, 2, 3)):
                corners.append([f[i] for i in a])
                places.append([pixel[t[i]] for i in a])
        return np.array(corners), np.array(places)

    @cached_property
    def head(self) -> Topology:
        """The head; materials: 0 skin, 1 inside of the mouth, 2 body below the neck."""
        faces, uvs, materials = [], [], []
        head = set(self.head_faces)
        width, height = CROP[1] - CROP[0], CROP[3] - CROP[2]
        for k, (f, ft) in enumerate(zip(self.base["f"], self.base["ft"], strict=True)):
            place = self.v0[f]
            if self.base["g"][k] != "body" or place[:, 1].mean() < 4.9:
                continue
            if np.abs(place[:, 0]).max() > 2.3:
                continue
            u = self.base["vt"][ft]
            mean = u.mean(0)
            mouth = (mean[0] > 0.7 and mean[1] < 0.16) or (mean[0] < 0.17 and 0.5 < mean[1] < 0.68)
            materials.append(0 if k in head else 1 if mouth else 2)
            faces.append(list(f))
            across = (u[:, 0] * TEXTURE - CROP[0]) / width
            uvs.append(np.stack([across, 1 - ((1 - u[:, 1]) * TEXTURE - CROP[2]) / height], 1))
        return topology(faces, uvs, materials)

    @cached_property
    def shirt(self) -> Topology:
        """Chest and shoulders, from the helper for tights."""
        faces = [
            list(f)
            for f, g in zip(self.base["f"], self.base["g"], strict=True)
            if g == "helper-tights"
            and self.v0[f][:, 1].min() > 3.5
            and self.v0[f][:, 1].max() < 5.75
            and np.abs(self.v0[f][:, 0]).max() < 2.6
        ]
        return topology(faces)

    def proxy(self, name: str) -> Topology:
        """Faces of an accessory (eyes, brows, lashes, teeth, hair cards)."""
        known = self.__dict__.setdefault("_proxies", {})
        if name not in known:
            mesh = self.proxies[name]["mesh"]
            known[name] = topology(mesh["f"], [mesh["vt"][t] for t in mesh["ft"]])
        found: Topology = known[name]
        return found

    def fit(self, name: str, v: Array) -> Array:
        """Vertices of an accessory on a morphed body ``v``, in the order of its topology."""
        proxy = self.proxies[name]
        scale = np.ones(3, np.float32)
        for axis, (a, b, length) in proxy["scale"].items():
            k = "xyz".index(axis)
            scale[k] = abs(v[a, k] - v[b, k]) / length
        placed = (v[proxy["idx"]] * proxy["w"][..., None]).sum(1) + proxy["off"] * scale
        return np.asarray(placed)
