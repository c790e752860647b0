"""Similarity transforms (rotation, uniform scale, shift) of the plane in closed form.

A 2×3 matrix maps (x, y, 1) to (x', y'); pixel centres lie at whole numbers, as in OpenCV.
"""

from __future__ import annotations

import torch
from torch import Tensor

from veilface.errors import ShapeError


def similarity_from_points(source: Tensor, target: Tensor) -> Tensor:
    """The similarity transform that maps points onto points with the least squared error.

    Read as complex numbers, centred points and their images satisfy w ≈ c·z, whose least-squares
    solution is c = Σ conj(z)·w / Σ |z|²; in the plane this is Umeyama's transform without the
    singular value decomposition, and it never reflects. Differentiable to both arguments.

    Args:
        source: (..., K, 2) float points.
        target: Points of the same number; its leading dimensions broadcast with those of `source`.

    Returns:
        (..., 2, 3), in the type of `source`.

    Raises:
        ShapeError: Other shapes, or source points that all coincide or are not finite.

    Source:
        S. Umeyama, "Least-squares estimation of transformation parameters between two point
        patterns", 1991. Oracle: skimage.transform.SimilarityTransform.
    """
    if source.ndim < 2 or source.shape[-2:] != target.shape[-2:] or source.shape[-1] != 2:
        raise ShapeError(
            f"points must be (..., K, 2) of equal K, "
            f"got {tuple(source.shape)} and {tuple(target.shape)}"
        )
    target = target.to(source)
    source_mean, target_mean = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    z, w = source - source_mean, target - target_mean
    power = z.square().sum((-2, -1))
    if not bool((power > 1e-12).all()):
        raise ShapeError("a similarity transform needs at least two different, finite points")
    real = (z * w).sum((-2, -1)) / power
    imaginary = (z[..., 0] * w[..., 1] - z[..., 1] * w[..., 0]).sum(-1) / power
    turn = torch.stack(
        [torch.stack([real, -imaginary], -1), torch.stack([imaginary, real], -1)], -2
    )
    shift = target_mean.mT - turn @ source_mean.mT
    return torch.cat([turn, shift], -1)


def invert(matrices: Tensor) -> Tensor:
    """The inverse transforms of (..., 2, 3) similarity matrices, in closed form."""
    turn, shift = matrices[..., :2], matrices[..., 2:]
    back = turn.mT / scale_of(matrices).square()[..., None, None]
    return torch.cat([back, -(back @ shift)], -1)


def scale_of(matrices: Tensor) -> Tensor:
    """By how much (..., 2, 3) similarity matrices enlarge lengths."""
    return matrices[..., 0, :2].square().sum(-1).sqrt()


def shifted(matrices: Tensor, x: float, y: float) -> Tensor:
    """The transforms followed by moving the result by (x, y) pixels."""
    move = matrices.new_tensor([[0.0, 0.0, x], [0.0, 0.0, y]])
    return matrices + move


def refined(matrices: Tensor, factor: int) -> Tensor:
    """The transforms into a grid in which every target pixel is `factor` × `factor` pixels."""
    # Pixel 0 covers [-0.5, 0.5); its first sub-pixel has its centre at (1/factor - 1)/2.
    centre = (factor - 1) / 2
    return shifted(matrices * factor, centre, centre)
