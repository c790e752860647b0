"""Faces back into photos."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fixtures.images import Pixels
from veilface.core.template import SIDE, TEMPLATE
from veilface.errors import ShapeError
from veilface.imaging.align import align_face, cut
from veilface.imaging.paste import in_the_light_of, paste_face
from veilface.imaging.seam import BAND, template_depth
from veilface.imaging.tensors import to_tensor
from veilface.imaging.transforms import invert


def _matrix(scale: float, degrees: float, size: int) -> Tensor:
    """From a square photo of that side to a face in its middle."""
    c = scale * math.cos(math.radians(degrees))
    s = scale * math.sin(math.radians(degrees))
    matrix = torch.tensor([[c, -s, 0], [s, c, 0]], dtype=torch.float64)
    middle = torch.tensor([(size - 1) / 2, (size - 1) / 2], dtype=torch.float64)
    matrix[:, 2] = (SIDE - 1) / 2 - matrix[:, :2] @ middle
    return matrix


def _photo(side: int, *, detail: float = 1.0) -> Pixels:
    """Smooth waves; `detail` waves a tenth of the side."""
    y, x = np.mgrid[0:side, 0:side] / side * 60 * detail
    waves = [np.sin(x + 2 * k) + np.cos(0.7 * y - k) for k in range(3)]
    return ((np.stack(waves, -1) * 0.24 + 0.5) * 255).round().astype(np.uint8)


def _inside(matrix: Tensor, size: int) -> np.ndarray:
    """(size, size) bool: whether a pixel's centre lies in the aligned square."""
    y, x = np.mgrid[0:size, 0:size]
    places = np.stack([x, y, np.ones_like(x)], -1) @ matrix.numpy().T
    inside: np.ndarray = (np.abs(places - (SIDE - 1) / 2) <= SIDE / 2).all(-1)
    return inside


@pytest.mark.parametrize("scale", [4.0, 1.0, 0.5, 0.2])
@pytest.mark.parametrize("degrees", [0, 25, -100])
def test_nothing_outside_of_the_square_changes(scale: float, degrees: float) -> None:
    size = round(200 / scale)
    photo, matrix = _photo(size), _matrix(scale, degrees, size)
    before = photo.copy()
    result = paste_face(photo, torch.zeros(3, SIDE, SIDE), matrix)
    inside = _inside(matrix, size)
    assert np.array_equal(photo, before)
    assert np.array_equal(result[~inside], photo[~inside])
    # The face is covered: black all over the ellipse that holds eyes, nose, mouth and cheeks.
    y, x = np.mgrid[0:size, 0:size]
    places = np.stack([x, y, np.ones_like(x)], -1) @ matrix.numpy().T
    core = (((places - (SIDE - 1) / 2) / (32, 42)) ** 2).sum(-1) <= 1
    assert core.sum() > 0.3 * inside.sum()
    assert not result[core].any()


def test_no_seam() -> None:
    """A flat face in a flat photo takes its colour: no step anywhere, and no oval."""
    photo = np.full((300, 300, 3), (120, 100, 90), np.uint8)
    face = torch.tensor([160 / 255, 150 / 255, 140 / 255])[:, None, None].expand(3, SIDE, SIDE)
    result = paste_face(photo, face, _matrix(0.5, 20, 300)).astype(int)
    assert np.abs(result - photo).max() <= 1


def test_pasting_what_is_there_changes_nothing() -> None:
    size = 150
    photo = _photo(size)
    matrix = torch.tensor([[1.0, 0, -20], [0, 1.0, -15]], dtype=torch.float64)
    face = to_tensor(photo[15 : 15 + SIDE, 20 : 20 + SIDE])
    assert np.array_equal(paste_face(photo, face, matrix), photo)


@pytest.mark.parametrize(
    ("scale", "bound"),
    # Root mean square error in grey levels of align - paste - align for an image with detail of
    # about 12 face pixels (8-bit rounding alone gives 0.3).
    [(2.0, 1.4), (1.25, 1.0), (0.7, 1.0), (0.3, 1.0), (0.15, 1.0)],
)
@pytest.mark.parametrize("degrees", [0, 17])
def test_round_trip(scale: float, bound: float, degrees: float) -> None:
    """The pasted face, aligned again, is the face in the photo's light, also when it is another."""
    size = round(240 / scale)
    photo, matrix = _photo(size), _matrix(scale, degrees, size)
    other = cut(_photo(240)[::-1].copy(), _matrix(1, -degrees, 240), SIDE)
    toned, _ = in_the_light_of(photo, other, matrix)
    again = cut(paste_face(photo, other, matrix), matrix, SIDE)
    core = (again - toned)[:, 26:-26, 26:-26] * 255
    assert float(core.square().mean().sqrt()) < bound


def test_the_photos_inner_face_plays_no_part() -> None:
    """Whatever eyes, brows, nose and mouth were there, and wherever on the cheeks a colour was."""
    identity = torch.eye(2, 3, dtype=torch.float64)
    generator = np.random.default_rng(5)
    photo = generator.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    face = align_face(_photo(SIDE)[:, ::-1].copy(), TEMPLATE)
    other, inside = photo.copy(), template_depth()
    cheeks = np.zeros((SIDE, SIDE), bool)
    cheeks[60:87, 29:45] = cheeks[60:87, 67:83] = True
    features = (inside >= BAND) & ~cheeks
    other[features] = generator.integers(0, 256, (int(features.sum()), 3))
    other[cheeks] = generator.permutation(photo[cheeks])
    first, second = (paste_face(one, face, identity).astype(int) for one in (photo, other))
    assert np.abs(first - second).max() <= 1  # a sum in another order, rounded
    assert (first != second).mean() < 1e-3
    other[cheeks] //= 2
    assert np.abs(first - paste_face(other, face, identity)).max() > 20  # what does play a part


def test_the_coarse_band_is_the_strangers() -> None:
    """In the inner face, what people see comes from the pasted face, not from the photo."""
    size = 300
    matrix = _matrix(0.5, 10, size)
    for seed in range(5):
        photo, stranger = (_blobs(size, 2 * seed, 0.5), _blobs(SIDE, 2 * seed + 1, 1))
        pasted = cut(paste_face(photo, to_tensor(stranger), matrix), matrix, SIDE)
        result, old = (_inner_coarse(image) for image in (pasted, cut(photo, matrix, SIDE)))
        wanted = _inner_coarse(to_tensor(stranger))
        assert np.corrcoef(result, wanted)[0, 1] > 0.9
        assert abs(np.corrcoef(result, old)[0, 1] - np.corrcoef(wanted, old)[0, 1]) < 0.25


def _blobs(side: int, seed: int, scale: float) -> Pixels:
    """Skin with coarse shades of about a sixth of a face, as features make them."""
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    shade = cv2.GaussianBlur(noise, (0, 0), 9 / scale)
    skin = np.array([0.62, 0.48, 0.4]) * np.exp(0.25 * shade / shade.std())[:, :, None]
    pixels: Pixels = (skin.clip(0, 1) * 255).round().astype(np.uint8)
    return pixels


def _inner_coarse(image: Tensor) -> np.ndarray:
    """The luma of the inner face below about eight cycles a face."""
    coarse = cv2.GaussianBlur(image.mean(0).numpy(), (0, 0), 6)
    values: np.ndarray = coarse[template_depth() >= BAND]
    return values


def test_several_faces_one_after_another() -> None:
    photo = _photo(400)
    first, second = _matrix(1, 0, 400), _matrix(1, 0, 400)
    first[0, 2] += 120
    second[0, 2] -= 120
    white, black = torch.ones(3, SIDE, SIDE), torch.zeros(3, SIDE, SIDE)
    both = paste_face(paste_face(photo, white, first), black, second)
    assert np.array_equal(both, paste_face(paste_face(photo, black, second), white, first))
    one, other = paste_face(photo, white, first), paste_face(photo, black, second)
    assert np.array_equal(both[:, :199], one[:, :199])
    assert np.array_equal(both[:, 201:], other[:, 201:])
    assert both[199, 319].tolist() == [0] * 3


def test_overhang_is_cut_off() -> None:
    photo = _photo(80)
    result = paste_face(photo, torch.zeros(3, SIDE, SIDE), _matrix(1, 0, 80))
    assert result.shape == photo.shape
    assert result[20:60, 20:60].max() == 0
    assert result[0, 40].max() == 0  # the face reaches 16 pixels over the upper border


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_a_square_outside_of_the_photo_changes_nothing(shift: float) -> None:
    photo, matrix = _photo(80), _matrix(1, 0, 80)
    matrix[:, 2] += shift
    assert np.array_equal(paste_face(photo, torch.ones(3, SIDE, SIDE), matrix), photo)


def test_strips_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, matrix = _photo(300), _matrix(0.6, 30, 300)
    face = align_face(_photo(SIDE)[:, ::-1].copy(), TEMPLATE)
    whole = paste_face(photo, face, matrix)
    monkeypatch.setattr("veilface.imaging.warp._MAX_SAMPLES", 3000)
    parts = paste_face(photo, face, matrix)
    assert np.abs(whole.astype(int) - parts).max() <= 1  # single-precision rounding at a half


def test_a_read_only_photo_and_a_grey_one() -> None:
    grey = np.repeat(_photo(200)[:, :, :1], 3, axis=2)
    grey.setflags(write=False)
    face = torch.full((3, SIDE, SIDE), 0.25)
    result = paste_face(grey, face, _matrix(1, 9, 200))
    assert np.array_equal(result[:, :, 0], result[:, :, 2])


def test_arguments_are_checked() -> None:
    photo, matrix = _photo(80), _matrix(1, 0, 80)
    with pytest.raises(ShapeError, match="paste takes"):
        paste_face(photo, torch.zeros(3, 100, 100), matrix)
    with pytest.raises(ShapeError, match="paste takes"):
        paste_face(photo, torch.zeros(3, SIDE, SIDE), invert(matrix)[None])
    for value in (float("nan"), -0.5, 255.0):
        with pytest.raises(ShapeError, match="finite and in"):
            paste_face(photo, torch.full((3, SIDE, SIDE), value), matrix)
