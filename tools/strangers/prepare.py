# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads MakeHuman's asset folder once: ``python -m tools.strangers.prepare DATA ASSETS``.

Writes ``data.pkl`` (base mesh, morph targets, accessories) and ``tex.pkl`` (the head's part of the
skins, and for each of its pixels the place on the base mesh) into ASSETS, and links DATA as
``ASSETS/src/data``, where the renderer looks for textures.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy import ndimage

from tools.strangers.assets import CROP, TEXTURE
from tools.strangers.formats import read_accessory, read_obj, read_target
from tools.strangers.mathematics import Array

TARGETS = [
    "head",
    "forehead",
    "eyebrows",
    "eyes",
    "nose",
    "mouth",
    "ears",
    "chin",
    "cheek",
    "neck",
    "asym",
    "macrodetails",
    "macrodetails/proportions",
    "macrodetails/height",
    "expression/units/african",
    "expression/units/asian",
    "expression/units/caucasian",
]
ACCESSORIES = ("hair", "eyebrows", "eyelashes", "teeth", "tongue", "eyes")
SKINS = {
    "afr_m_y": "young_african_male/young_darkskinned_male_diffuse.png",
    "afr_m_m": "middleage_african_male/middleage_darkskinned_male_diffuse.png",
    "afr_m_o": "old_african_male/old_darkskinned_male_diffuse.png",
    "asi_f_y": "young_asian_female/young_lightskinned_female_diffuse3.png",
    "asi_f_m": "middleage_asian_female/middleage_lightskinned_female_diffuse2.png",
    "asi_m_y": "young_asian_male/young_lightskinned_male_diffuse3.png",
    "asi_m_m": "middleage_asian_male/middleage_lightskinned_male_diffuse2.png",
    "cau_f_y2": "young_caucasian_female2/young_lightskinned_female_diffuse2.png",
    "cau_f_s": "young_caucasian_female_special_suit/young_caucasian_female_special_suit.png",
    "cau_m_y": "young_caucasian_male/young_lightskinned_male_diffuse.png",
    "cau_m_y2": "young_caucasian_male2/young_lightskinned_male_diffuse2.png",
    "cau_m_m": "middleage_caucasian_male/middleage_lightskinned_male_diffuse.png",
}


def targets(folder: Path) -> dict[str, tuple[Array, Array]]:
    """Morph targets of adults by name; units of expression get ``expr-<ancestry>-`` in front."""
    found = {}
    for part in TARGETS:
        prefix = f"expr-{part.rsplit('/', 1)[-1]}-" if part.startswith("expression") else ""
        for path in sorted((folder / "targets" / part).glob("*.target")):
            if not any(word in path.stem for word in ("baby", "child", "breast")):
                found[prefix + path.stem] = read_target(path)
    return found


def positions(base: dict[str, Any]) -> tuple[Array, Array, list[int]]:
    """Where each pixel of the skins' head part lies on the base mesh.

    Returns:
        (height, width, 3) places, filled outwards from the head; the mask of pixels that lie on
        it; and the indices of its faces.
    """
    x0, x1, y0, y1 = CROP
    width, height = x1 - x0, y1 - y0
    v = base["v"]
    uv = np.stack([base["vt"][:, 0] * TEXTURE - x0, (1 - base["vt"][:, 1]) * TEXTURE - y0], 1)
    place, inside = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.uint8)
    faces: list[int] = []
    for k, (f, ft, group) in enumerate(zip(base["f"], base["ft"], base["g"], strict=True)):
        q = uv[ft]
        out = q[:, 0].min() < -8 or q[:, 1].min() < -8 or q[:, 1].max() > height + 8
        if group != "body" or v[f][:, 1].min() < 4.6 or out:
            continue
        faces.append(k)
        for corners in ((0, 1, 2), (0, 2, 3)):
            _fill(q[list(corners)], v[[f[i] for i in corners]], place, inside)
    nearest = ndimage.distance_transform_edt(
        inside == 0, return_distances=False, return_indices=True
    )
    return place[nearest[0], nearest[1]], inside, faces


def _fill(p: Array, corners: Array, place: Array, inside: Array) -> None:
    """Draws a triangle at the pixels ``p`` (3, 2) with places between its ``corners`` (3, 3)."""
    height, width = inside.shape
    x0, y0 = np.maximum(np.floor(p.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(p.max(0)).astype(int), (width - 1, height - 1))
    edges = np.stack([p[1] - p[0], p[2] - p[0]], 1)
    if x1 < x0 or y1 < y0 or abs(np.linalg.det(edges)) < 1e-9:
        return
    xx, yy = np.meshgrid(np.arange(x0, x1 + 1), np.arange(y0, y1 + 1))
    a, b = np.einsum("ij,j...->i...", np.linalg.inv(edges), np.stack([xx - p[0, 0], yy - p[0, 1]]))
    within = (a >= -0.02) & (b >= -0.02) & (a + b <= 1.02)
    place[yy[within], xx[within]] = np.stack([1 - a - b, a, b], -1)[within] @ corners
    inside[yy[within], xx[within]] = 1


def skins(folder: Path) -> dict[str, Array]:
    """The head's part of the skins as 8 bit RGB."""
    x0, x1, y0, y1 = CROP
    found = {}
    for name, path in SKINS.items():
        image = cv2.imread(str(folder / "skins" / path))
        if image is None:
            raise FileNotFoundError(f"{folder / 'skins' / path} is missing or not an image")
        if image.shape[0] != TEXTURE:
            image = cv2.resize(image, (TEXTURE, TEXTURE), interpolation=cv2.INTER_AREA)
        found[name] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[y0:y1, x0:x1]
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Reads MakeHuman's asset folder once.")
    parser.add_argument("data", type=Path, help="MakeHuman's data folder (with targets, skins, …)")
    parser.add_argument("assets", type=Path, help="folder to write")
    options = parser.parse_args()
    data, out = options.data.resolve(), options.assets
    base = read_obj(data / "3dobjs/base.obj")
    accessories = {
        path.stem: read_accessory(path)
        for kind in ACCESSORIES
        for path in sorted((data / kind).glob("*/*.mhclo"))
    }
    place, inside, faces = positions(base)
    (out / "src").mkdir(parents=True, exist_ok=True)
    shapes = {"base": base, "targets": targets(data), "prox": accessories}
    (out / "data.pkl").write_bytes(pickle.dumps(shapes))
    textures = {
        "pos": place.astype(np.float16),
        "mask": inside,
        "headfaces": faces,
        "skins": skins(data),
    }
    (out / "tex.pkl").write_bytes(pickle.dumps(textures))
    if not (out / "src/data").exists():
        (out / "src/data").symlink_to(data)


if __name__ == "__main__":
    main()
