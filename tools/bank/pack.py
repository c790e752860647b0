"""The archive that ships: small pictures, an index, a licence; the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tools.bank.crops import Pixels, Portrait

BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
FIELDS = ("seed", "sex", "age", "skin", "smile", "yaw", "pitch", "hair", "beard", "glasses")
ABOUT = {
    "what": "Portraits of people who do not exist, aligned to the ArcFace template, 112×112.",
    "licence": "CC0-1.0; see LICENSE.txt",
    "made_with": "tools/strangers (MakeHuman's CC0 assets, Blender's Cycles)",
    "age": "years",
    "skin": "lightness L of CIE Lab of the face, 0 (black) to 100",
    "smile": "0 is neutral, 0.5 a clear smile",
    "yaw": "degrees",
    "pitch": "degrees",
}
LICENCE = """\
The portraits in this archive show nobody: they were rendered from meshes and textures.

They are released under CC0 1.0 Universal
(https://creativecommons.org/publicdomain/zero/1.0/): to the extent possible under law, all
copyright and related rights are waived.

Sources. The base mesh, the morph targets, the skins, eyes, brows, lashes, teeth and hair cards are
assets of the MakeHuman project, which released them under CC0 1.0. The environment maps that light
the faces and lie out of focus behind them come with Blender and are CC0 1.0. The pictures were
rendered with Blender, whose licence (GPL) does not extend to what is made with it.

What CC0 does not do. It waives the rights of those who made the assets. It does not clear rights
of persons whose photographs may have gone into the skin textures. No portrait shows such a texture
as it is: each mixes, recolours, ages and re-lights them on another face.
"""


def webp(pixels: Pixels, quality: int) -> bytes:
    """A picture as lossy WebP."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def pack(portraits: Sequence[Portrait], goal: Path, *, quality: int, about: dict[str, Any]) -> None:
    """Writes the bank.

    Args:
        portraits: In the order of the index; files are numbered along it.
        goal: The zip file.
        quality: Of WebP, 0 to 100.
        about: Added to the index's description.
    """
    files: dict[str, bytes] = {}
    rows = []
    for number, portrait in enumerate(portraits):
        name = f"{number:04d}.webp"
        files[name] = webp(portrait.pixels, quality)
        row = {"file": name, **{key: portrait.about[key] for key in FIELDS}}
        rows.append(row | {"sha256": hashlib.sha256(files[name]).hexdigest()})
    index = {"about": ABOUT | about, "portraits": rows}
    files["index.json"] = (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()
    files["LICENSE.txt"] = LICENCE.encode()
    hidden = goal.with_name("." + goal.name)
    with zipfile.ZipFile(hidden, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, BEGINNING)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    hidden.replace(goal)
