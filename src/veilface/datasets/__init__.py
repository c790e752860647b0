"""Labelled faces on disk: records and pairs. Nothing here opens an image."""

from __future__ import annotations

from veilface.datasets.base import FacePair, FacePairs, FaceRecord, FaceSet
from veilface.datasets.registry import DATASETS, DatasetInfo, load_faces, load_pairs

__all__ = [
    "DATASETS",
    "DatasetInfo",
    "FacePair",
    "FacePairs",
    "FaceRecord",
    "FaceSet",
    "load_faces",
    "load_pairs",
]
