"""The faces of the benchmarks: people of LFW with two photographs or more, in a fixed order."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from veilface.datasets import FaceRecord, load_faces
from veilface.evaluation.aligned import FaceReader

DATA = Path(os.environ.get("VEILFACE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def read(paths: list[Path]) -> Tensor:
    """(N, 3, 112, 112) faces in [0, 1]."""
    reader = FaceReader()
    return torch.stack([reader.read(FaceRecord(path.name, None, path)) for path in paths])


def people(count: int, *, root: Path | None = None) -> list[list[Path]]:
    """The photographs of ``count`` people spread evenly over the alphabet, two or more of each."""
    folder = root or DATA / "lfw112"
    if not folder.is_dir():
        raise SystemExit(f"no LFW crops in {folder}; set VEILFACE_DATA to the folder of lfw112")
    every = load_faces("lfw", folder).identities.values()
    several = [[folder / one.name for one in photos] for photos in every if len(photos) > 1]
    return [several[index * len(several) // count] for index in range(count)]
