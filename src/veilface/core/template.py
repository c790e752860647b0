"""The template of aligned faces, which everything that sees or makes a face agrees on."""

from __future__ import annotations

import torch

SIDE = 112
"""Side of an aligned face in pixels."""

TEMPLATE = torch.tensor(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    dtype=torch.float64,
)
"""(5, 2) places (x, y) of the image-left and image-right eye, the nose and the two corners of the
mouth in an aligned face (the template that ArcFace and its successors were trained with)."""
