# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of MakeHuman's text formats: meshes (obj), morph targets, fitted accessories (mhclo)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tools.strangers.mathematics import Array


def read_obj(path: Path) -> dict[str, Any]:
    """A mesh.

    Returns:
        ``v`` (vertices, 3), ``vt`` (texture places, 2), and a face a row: ``f`` indices into
        ``v``, ``ft`` indices into ``vt``, ``g`` the name of its group.
    """
    v: list[list[float]] = []
    vt: list[list[float]] = []
    f: list[list[int]] = []
    ft: list[list[int]] = []
    g: list[str] = []
    group = "none"
    for line in path.read_text(errors="replace").splitlines():
        key, *words = line.split() or [""]
        if key == "v":
            v.append([float(w) for w in words[:3]])
        elif key == "vt":
            vt.append([float(w) for w in words[:2]])
        elif key == "g":
            group = words[0] if words else "none"
        elif key == "f":
            corners = [w.split("/") for w in words]
            f.append([int(c[0]) - 1 for c in corners])
            ft.append([int(c[1]) - 1 if len(c) > 1 and c[1] else 0 for c in corners])
            g.append(group)
    return {"v": np.array(v, np.float32), "vt": np.array(vt, np.float32), "f": f, "ft": ft, "g": g}


def read_target(path: Path) -> tuple[Array, Array]:
    """A morph: indices of vertices, and how far each moves (n, 3)."""
    index: list[int] = []
    delta: list[list[float]] = []
    for line in path.read_text(errors="replace").splitlines():
        words = line.split()
        if len(words) >= 4 and not line.startswith("#"):
            index.append(int(words[0]))
            delta.append([float(w) for w in words[1:4]])
    return np.array(index, np.int32), np.array(delta, np.float32).reshape(-1, 3)


def read_accessory(path: Path) -> dict[str, Any]:
    """How an accessory sits on the base mesh.

    Returns:
        ``mesh`` (as `read_obj`); per vertex of it ``idx`` (n, 3) vertices of the base, ``w`` (n, 3)
        their weights and ``off`` (n, 3) an offset; ``scale``: for x, y and z two vertices of the
        base and the distance between them that offsets are made for.
    """
    scale: dict[str, tuple[int, int, float]] = {}
    index: list[list[int]] = []
    weight: list[list[float]] = []
    offset: list[list[float]] = []
    mesh, binding = "", False
    for line in path.read_text(errors="replace").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            scale[words[0][0]] = (int(words[1]), int(words[2]), float(words[3]))
        elif words[0] == "obj_file":
            mesh = words[1]
        if words[0] in ("verts", "weights", "delete_verts"):
            binding = words[0] == "verts"
        elif words[0][0].isalpha():
            continue
        elif binding and len(words) == 1:  # glued to one vertex
            index.append([int(words[0])] * 3)
            weight.append([1.0, 0.0, 0.0])
            offset.append([0.0, 0.0, 0.0])
        elif binding:
            index.append([int(w) for w in words[:3]])
            weight.append([float(w) for w in words[3:6]])
            offset.append([float(w) for w in words[6:9]])
    return {
        "mesh": read_obj(path.parent / mesh),
        "scale": scale,
        "idx": np.array(index, np.int32),
        "w": np.array(weight, np.float32),
        "off": np.array(offset, np.float32),
    }
