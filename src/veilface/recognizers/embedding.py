"""Embeddings of many faces: the one loop that everything measures with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from veilface.recognizers.recognizer import Recognizer

Vectors = npt.NDArray[np.float32]

_BATCH = 16


def embed_faces(recognizer: Recognizer, faces: Tensor) -> Vectors:
    """(N, D) unit embeddings of (N, 3, 112, 112) faces in [0, 1], on the CPU."""
    place = recognizer.scale
    with torch.inference_mode():
        parts = [
            recognizer.embed(part.to(device=place.device, dtype=place.dtype)).float().cpu()
            for part in torch.split(faces, _BATCH)
        ]
    return np.asarray(torch.cat(parts).numpy())
