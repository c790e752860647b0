"""Portraits of people who do not exist, from which `persona` starts.

The bank is rendered from CC0 assets (tools/strangers) and ships under CC0 1.0: no photograph of
anybody is in it, and no statistics of photographs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from veilface.errors import WeightsError

SHIPPED = "strangers.zip"
KIND = ("sex", "glasses", "beard")


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Aligned portraits.

    Attributes:
        files: The portraits as they are in the file, WebP.
        portraits: What is known of each: seed, sex, age, skin, pose, hair.
        about: How the bank was made, and its licence.
        digest: SHA-256 of the file, in hexadecimal.
    """

    files: tuple[bytes, ...]
    portraits: tuple[Mapping[str, Any], ...]
    about: Mapping[str, Any]
    digest: str

    def __len__(self) -> int:
        return len(self.files)

    def faces(self, which: Tensor) -> Tensor:
        """Portraits by number.

        Args:
            which: (N,) int64 in [0, len(self)).

        Returns:
            (N, 3, 112, 112) float32 RGB in [0, 1], on the CPU.
        """
        return torch.stack([_decoded(self.files[int(k)]) for k in which])

    def kinds(self, which: Tensor) -> list[list[tuple[Any, ...]]]:
        """Of each of (N, K) portraits what does not mix with its opposite: sex, glasses, beard."""
        known = [tuple(portrait.get(trait) for trait in KIND) for portrait in self.portraits]
        return [[known[k] for k in row] for row in which.tolist()]

    def thumbnails(self, which: Tensor) -> Tensor:
        """What portraits look like from afar: (*which.shape, 588), the means of 8x8 pixels."""
        rows = [_thumbnail(self.files[int(k)]) for k in which.flatten()]
        return torch.stack(rows).view(*which.shape, -1)


@cache
def _thumbnail(data: bytes) -> Tensor:
    return F.avg_pool2d(_decoded(data), 8).flatten()


def _decoded(data: bytes) -> Tensor:
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))
    return torch.from_numpy(pixels.copy()).movedim(-1, 0).float() / 255


def load_bank(path: str | os.PathLike[str] | None = None) -> Bank:
    """A bank of strangers; the one that ships with the package unless a file is named.

    Raises:
        WeightsError: The file is not there or is no bank.
    """
    if path is None:
        with resources.as_file(resources.files("veilface") / "data" / SHIPPED) as shipped:
            return _load(shipped)
    return _load(Path(path))


@cache
def _load(path: Path) -> Bank:
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            index = json.loads(archive.read("index.json"))
            portraits = tuple(index["portraits"])
            files = tuple(archive.read(portrait["file"]) for portrait in portraits)
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{path} is no bank of strangers ({error}); tools/build_strangers.py makes one"
        ) from error
    if not files:
        raise WeightsError(f"{path} is a bank without portraits")
    return Bank(files, portraits, index["about"], hashlib.sha256(data).hexdigest())
