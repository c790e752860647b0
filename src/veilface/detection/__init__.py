"""Faces in photos, behind one small protocol."""

from __future__ import annotations

from veilface.detection.base import FaceDetector
from veilface.detection.yunet import YuNet

__all__ = ["FaceDetector", "YuNet"]
