"""Labelled faces on disk: lists of files and pairs. Nothing here opens an image."""

from __future__ import annotations

from veilface.datasets.base import FacePair, FacePairs
from veilface.datasets.registry import DATASETS, load_pairs

__all__ = ["DATASETS", "FacePair", "FacePairs", "load_pairs"]
