"""The closed-form similarity transform."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform
from torch import Tensor

from veilface.core.template import TEMPLATE
from veilface.errors import ShapeError
from veilface.imaging.align import matrix_of
from veilface.imaging.transforms import (
    invert,
    refined,
    scale_of,
    shifted,
    similarity_from_points,
)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _noisy(seed: int, count: int = 1) -> Tensor:
    noise = torch.randn(count, 5, 2, dtype=torch.float64, generator=_generator(seed))
    return TEMPLATE * 3 + 40 + noise * 12


def _map(matrices: Tensor, points: Tensor) -> Tensor:
    return points @ matrices[..., :2].mT + matrices[..., 2:].mT


@pytest.mark.skipif(not hasattr(SimilarityTransform, "from_estimate"), reason="scikit-image < 0.26")
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_image(seed: int) -> None:
    source = _noisy(seed)[0]
    oracle = SimilarityTransform.from_estimate(source.numpy(), TEMPLATE.numpy())
    assert np.allclose(similarity_from_points(source, TEMPLATE), oracle.params[:2], atol=1e-10)


@given(
    st.floats(0.01, 50),
    st.floats(-math.pi, math.pi),
    st.floats(-1000, 1000),
    st.floats(-1000, 1000),
)
def test_recovers_a_known_transform(scale: float, angle: float, x: float, y: float) -> None:
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    known = torch.tensor([[c, -s, x], [s, c, y]], dtype=torch.float64)
    found = similarity_from_points(TEMPLATE, _map(known, TEMPLATE))
    assert torch.allclose(found, known, rtol=1e-9, atol=1e-9)
    assert float(scale_of(found)) == pytest.approx(scale)


def test_never_reflects() -> None:
    mirrored = TEMPLATE * torch.tensor([-1.0, 1.0], dtype=torch.float64)
    matrix = similarity_from_points(mirrored, TEMPLATE)
    assert float(torch.linalg.det(matrix[:, :2])) > 0


def test_a_batch_is_its_items() -> None:
    points = _noisy(3, 4)
    batch = similarity_from_points(points, TEMPLATE)
    assert batch.shape == (4, 2, 3)
    for k in range(4):
        assert torch.equal(batch[k], similarity_from_points(points[k], TEMPLATE))


def test_gradients() -> None:
    source = _noisy(7, 2).requires_grad_()
    target = _noisy(8, 2).requires_grad_()
    assert torch.autograd.gradcheck(similarity_from_points, (source, target))
    assert torch.autograd.gradcheck(
        lambda points: invert(similarity_from_points(points, TEMPLATE)), (source,)
    )


def test_inverse() -> None:
    matrix = similarity_from_points(_noisy(1, 3), TEMPLATE)
    points = _noisy(2, 3)
    assert torch.allclose(_map(invert(matrix), _map(matrix, points)), points)


def test_shifted_and_refined() -> None:
    matrix = matrix_of(_noisy(4)[0])
    points = _noisy(5)[0]
    places = _map(matrix, points)
    assert torch.allclose(_map(shifted(matrix, 3, -2), points), places + torch.tensor([3, -2]))
    # The outer edges -0.5 and 111.5 of the template become -0.5 and 4·112 - 0.5.
    assert torch.allclose(_map(refined(matrix, 4), points) + 0.5, 4 * (places + 0.5))


@pytest.mark.parametrize(
    "points",
    [
        torch.zeros(5, 2, dtype=torch.float64),
        torch.full((5, 2), 7.0, dtype=torch.float64),
        torch.full((5, 2), float("nan"), dtype=torch.float64),
    ],
)
def test_points_without_extent_are_refused(points: Tensor) -> None:
    with pytest.raises(ShapeError):
        similarity_from_points(points, TEMPLATE)
    with pytest.raises(ShapeError):
        matrix_of(points)


def test_shapes_are_checked() -> None:
    with pytest.raises(ShapeError, match="equal K"):
        similarity_from_points(torch.rand(4, 2, generator=_generator(0)), TEMPLATE)
    with pytest.raises(ShapeError, match="five"):
        matrix_of([(0.0, 1.0)] * 4)
    with pytest.raises(ShapeError, match="five"):
        matrix_of([(0.0, math.inf)] * 5)
