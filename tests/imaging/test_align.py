"""Resampling and alignment."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.transform import AffineTransform
from skimage.transform import warp as skimage_warp
from torch import Tensor

from tests.fixtures.images import Pixels, gradient
from veilface.core.template import SIDE, TEMPLATE
from veilface.errors import ShapeError
from veilface.imaging.align import align_face, cut, matrix_of, square_region
from veilface.imaging.tensors import to_tensor
from veilface.imaging.transforms import invert
from veilface.imaging.warp import resample, strips, warp


def _matrix(scale: float, degrees: float, x: float, y: float) -> Tensor:
    c = scale * math.cos(math.radians(degrees))
    s = scale * math.sin(math.radians(degrees))
    return torch.tensor([[c, -s, x], [s, c, y]], dtype=torch.float64)


def _points(matrix: Tensor) -> list[list[float]]:
    """Landmarks in a photo whose alignment is `matrix`."""
    back = invert(matrix)
    points: list[list[float]] = (TEMPLATE @ back[:, :2].mT + back[:, 2]).tolist()
    return points


def _noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def test_warp_agrees_with_scikit_image() -> None:
    image = _noise(3, 40, 50)
    matrix = _matrix(1.4, 25, 12, -8)
    expected = skimage_warp(
        image.movedim(0, -1).numpy(),
        AffineTransform(np.vstack([matrix.numpy(), [0, 0, 1]])).inverse,
        output_shape=(60, 70),
        order=1,
        mode="edge",
    )
    found = warp(image[None], matrix[None], (60, 70))[0].movedim(0, -1).numpy()
    # scikit-image treats the pixel outside of the border differently by design.
    inside = skimage_warp(
        np.ones((40, 50)),
        AffineTransform(np.vstack([matrix.numpy(), [0, 0, 1]])).inverse,
        output_shape=(60, 70),
        order=1,
    )
    assert (inside == 1).mean() > 0.3
    assert np.abs(found - expected)[inside == 1].max() < 1e-9


def test_warp_with_whole_shifts_is_exact_and_repeats_the_border() -> None:
    image = _noise(1, 3, 8, 9)
    shift = torch.tensor([[[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]], dtype=torch.float64)
    moved = warp(image, shift, (8, 9))
    assert torch.allclose(moved[:, :, 1:, 2:], image[:, :, :-1, :-2], atol=1e-12)
    assert torch.allclose(moved[:, :, 0, 2:], image[:, :, 0, :-2], atol=1e-12)
    assert torch.allclose(moved[:, :, 1:, 0], image[:, :, :-1, 0], atol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_warp_gradients(mode: str) -> None:
    image = _noise(2, 1, 6, 7).requires_grad_()
    matrices = torch.stack([_matrix(0.9, 11, 0.3, 0.4), _matrix(1.3, -20, 0.1, 1.7)])
    assert torch.autograd.gradcheck(
        lambda x, m: warp(x, m, (5, 4), mode=mode),  # type: ignore[arg-type]
        (image, matrices.requires_grad_()),
    )


def test_warp_checks_shapes() -> None:
    with pytest.raises(ShapeError, match="warp takes"):
        warp(torch.zeros(3, 4, 4), torch.zeros(1, 2, 3), (4, 4))
    with pytest.raises(ShapeError, match="warp takes"):
        warp(torch.zeros(2, 3, 4, 4), torch.zeros(1, 2, 3), (4, 4))


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_resample_by_a_whole_factor_averages_blocks_of_smooth_images(factor: int) -> None:
    side = 24 * factor
    ramp = torch.linspace(0, 1, side, dtype=torch.float64).expand(1, side, side)
    centre = (1 / factor - 1) / 2  # the centre of pixel 0 after shrinking
    found = resample(ramp, _matrix(1 / factor, 0, centre, centre), (24, 24))
    expected = ramp.reshape(1, 24, factor, 24, factor).mean((2, 4))
    # Beyond the border the image is repeated, which bends the ramp there.
    assert torch.allclose(found[..., 1:-1], expected[..., 1:-1], atol=1e-9)


def test_resample_does_not_alias() -> None:
    """Stripes finer than the result's pixels become their mean; plain sampling shows moiré."""
    stripes = torch.tensor([0.0, 1.0]).repeat(200).expand(1, 400, 400).contiguous()
    matrix = _matrix(0.21, 0, 0, 0)
    plain = warp(stripes[None], matrix[None], (80, 80))[0, :, 2:-2, 2:-2]
    good = resample(stripes, matrix, (80, 80))[:, 2:-2, 2:-2]
    assert float(plain.std()) > 0.2
    assert float(good.std()) < 0.06  # a box of 4.76 pixels leaves up to 0.1 of the stripes
    assert float(good.mean()) == pytest.approx(0.5, abs=0.01)


def test_resample_in_strips_is_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    image, matrix = _noise(3, 90, 80), _matrix(0.4, 30, 20, -10)
    whole = resample(image, matrix, (31, 33))
    monkeypatch.setattr("veilface.imaging.warp._MAX_SAMPLES", 1000)
    assert len(list(strips(31, 33 * 9))) > 5
    assert torch.allclose(resample(image, matrix, (31, 33)), whole, atol=1e-12)


def test_enlarging_stays_in_the_range_of_the_image() -> None:
    image = (_noise(3, 10, 10) > 0.5).to(torch.float32)
    found = resample(image, _matrix(4, 10, 3, 1), (40, 40))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


@pytest.mark.parametrize(
    ("scale", "degrees"), [(1, 0), (2.5, 12), (0.8, -30), (0.4, 90), (0.11, 5), (0.07, 170)]
)
def test_landmarks_land_on_the_template(scale: float, degrees: float) -> None:
    """Coloured discs at the landmarks of a drawn photo appear at the template's places."""
    size = round(260 / scale)
    middle = torch.tensor([size / 2, size / 2], dtype=torch.float64)
    matrix = _matrix(scale, degrees, 0, 0)
    matrix[:, 2] = 55.5 - matrix[:, :2] @ middle
    photo = np.zeros((size, size), np.uint8)
    y, x = np.ogrid[0:size, 0:size]
    for px, py in _points(matrix):
        disc = np.clip(6 / scale + 0.5 - np.hypot(x - px, y - py), 0, 1)  # a smooth rim
        np.maximum(photo, (disc * 255).round().astype(np.uint8), out=photo)
    face = align_face(np.repeat(photo[:, :, None], 3, axis=2), _points(matrix))
    assert face.shape == (3, SIDE, SIDE)
    assert face.dtype == torch.float32
    grid_y, grid_x = np.mgrid[0:SIDE, 0:SIDE]
    for px, py in TEMPLATE.tolist():
        weight = face[0].numpy() * (np.hypot(grid_x - px, grid_y - py) < 9)
        found = ((weight * grid_x).sum() / weight.sum(), (weight * grid_y).sum() / weight.sum())
        assert math.dist(found, (px, py)) < 0.05


def test_an_aligned_photo_is_left_as_it_is() -> None:
    photo = gradient(SIDE, SIDE)
    assert torch.allclose(align_face(photo, TEMPLATE), to_tensor(photo), atol=1e-6)


def test_overhang_repeats_the_border() -> None:
    photo = np.full((60, 60, 3), 90, np.uint8)
    face = align_face(photo, _points(_matrix(1, 0, 80, 80)))
    assert torch.allclose(face, torch.full_like(face, 90 / 255))
    corner = align_face(gradient(60, 60), _points(_matrix(1, 0, 80, 80)))
    first = torch.from_numpy(gradient(60, 60)[0, 0] / 255).to(torch.float32)
    assert torch.allclose(corner[:, 0, 0], first, atol=1e-6)


def _smooth_photo(side: int) -> Pixels:
    y, x = np.mgrid[0:side, 0:side] / side
    waves = [np.sin(7 * x + 3 * k) * np.cos(9 * y + k) for k in range(3)]
    return ((np.stack(waves, -1) * 0.45 + 0.5) * 255).round().astype(np.uint8)


@pytest.mark.parametrize("scale", [0.24, 0.12])
def test_block_means_change_nothing_visible(scale: float) -> None:
    """Large faces are averaged over blocks first; the direct way is the reference."""
    photo = _smooth_photo(round(150 / scale))
    matrix = _matrix(scale, 8, -9, -21)
    direct = resample(to_tensor(photo), matrix, (SIDE, SIDE))
    assert float((cut(photo, matrix, SIDE) - direct).abs().max()) < 2 / 255


def test_square_region_covers_the_square_and_is_never_empty() -> None:
    assert square_region(_matrix(1, 0, -20, -10), 500, 400) == (17, 7, 135, 125)
    for shift in (-5000.0, 5000.0):
        left, top, right, bottom = square_region(_matrix(1, 0, shift, shift), 500, 400)
        assert 0 <= left < right <= 500
        assert 0 <= top < bottom <= 400


def test_matrix_of_maps_to_the_template() -> None:
    matrix = _matrix(0.7, 33, 5, 6)
    assert torch.allclose(matrix_of(_points(matrix)), matrix)
    assert torch.allclose(matrix_of(tuple(map(tuple, _points(matrix)))), matrix)
