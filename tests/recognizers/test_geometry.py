from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from veilface.core.template import SIDE
from veilface.recognizers.geometry import CropResize, resampling_matrix


def grid_sampled(x: torch.Tensor, crop: tuple[float, float, float], side: int) -> torch.Tensor:
    """The oracle: PyTorch's own bilinear sampling with border padding."""
    left, top, length = crop
    steps = (torch.arange(side, dtype=x.dtype) + 0.5) * length / side
    across = 2 * (left + steps) / SIDE - 1
    down = 2 * (top + steps) / SIDE - 1
    rows, columns = torch.meshgrid(down, across, indexing="ij")
    grid = torch.stack((columns, rows), dim=-1)[None].expand(len(x), -1, -1, -1)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


@pytest.mark.parametrize(
    ("crop", "side"),
    [((7.2, 23.0, 97.6), 150), ((0.0, 0.0, 112.0), 224), ((-5.0, 40.0, 90.0), 33)],
)
def test_equals_grid_sample(crop: tuple[float, float, float], side: int) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(2, 3, 112, 112, generator=generator, dtype=torch.float64)
    module = CropResize(crop, side).double()
    assert torch.allclose(module(x), grid_sampled(x, crop, side), atol=1e-6)


def test_doubling_equals_interpolate() -> None:
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(1, 3, 112, 112, generator=generator)
    expected = F.interpolate(x, size=224, mode="bilinear", align_corners=False)
    assert torch.allclose(CropResize((0, 0, 112), 224)(x), expected, atol=1e-6)


def test_rows_sum_to_one_and_stay_inside() -> None:
    matrix = resampling_matrix(-20.0, 200.0, source=112, target=64)
    assert torch.allclose(matrix.sum(1), torch.ones(64, dtype=torch.float64))
    assert bool((matrix >= 0).all())
    assert matrix[0, 0] == 1  # beyond the border: the first pixel
    assert matrix[-1, -1] == 1


def test_the_aligned_face_itself_is_not_touched() -> None:
    x = torch.zeros(1, 3, 112, 112)
    assert CropResize((0, 0, 112), 112)(x) is x


def test_gradient() -> None:
    module = CropResize((7.2, 23.0, 97.6), 8).double()
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(1, 1, 112, 112, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(8, 8, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((module(x) * weights).sum(), x)
    expected = module.down.T @ weights @ module.across.T
    assert torch.allclose(gradient[0, 0], expected)
