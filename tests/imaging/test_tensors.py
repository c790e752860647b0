"""Between uint8 and float."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from veilface.errors import ShapeError
from veilface.imaging.tensors import to_tensor, to_uint8


def test_every_level_comes_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    tensor = to_tensor(levels)
    assert tensor.shape == (3, 16, 16)
    assert tensor.dtype == torch.float32
    assert (float(tensor.min()), float(tensor.max())) == (0.0, 1.0)
    assert np.array_equal(to_uint8(tensor), levels)
    assert np.array_equal(to_uint8(tensor.to(torch.float64)), levels)
    assert np.array_equal(to_uint8(to_tensor(levels[None])), levels[None])


def test_channels_keep_their_order() -> None:
    pixels = np.array([[[255, 0, 51]]], np.uint8)
    assert to_tensor(pixels).flatten().tolist() == pytest.approx([1.0, 0.0, 0.2])


def test_halves_round_to_even_and_slack_is_clipped() -> None:
    values = torch.tensor([0.5, 1.5, 2.5, -0.1, 255.1], dtype=torch.float64) / 255
    pixels = to_uint8(values[None, None].expand(3, 1, 5))
    assert pixels[0, :, 0].tolist() == [0, 2, 2, 0, 255]


def test_the_source_is_not_shared() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels.setflags(write=False)
    tensor = to_tensor(pixels)
    tensor += 1
    assert not pixels.any()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01, 255.0])
def test_values_outside_are_refused(value: float) -> None:
    images = torch.zeros(3, 2, 2)
    images[0, 0, 0] = value
    with pytest.raises(ShapeError, match="finite and in"):
        to_uint8(images)


def test_shapes_are_checked() -> None:
    with pytest.raises(ShapeError):
        to_tensor(np.zeros((4, 4), np.uint8))
    with pytest.raises(ShapeError):
        to_tensor(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ShapeError):
        to_uint8(torch.zeros(4, 4))
    with pytest.raises(ShapeError):
        to_uint8(torch.zeros(3, 4, 4, dtype=torch.int64))
