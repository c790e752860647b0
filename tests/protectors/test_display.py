"""The rule that makes an image of what is transmitted."""

from __future__ import annotations

import pytest
import torch

from veilface.protectors.display import to_image


def test_stretch_keeps_ratios_of_colours_and_looks_at_one_image_at_a_time() -> None:
    first = torch.tensor([0.50, 0.51, 0.52]).view(1, 3, 1, 1).expand(1, 3, 4, 4).clone()
    second = torch.linspace(-1, 3, 48).view(1, 3, 4, 4)
    images, flat = to_image(torch.cat([first, second]), stretch="minmax")
    assert not flat.any()
    assert images[0, :, 0, 0].tolist() == pytest.approx([0, 128 / 255, 1])
    assert float(images[1].min()) == 0
    assert float(images[1].max()) == 1
    alone, _ = to_image(first, stretch="minmax")
    assert torch.equal(alone[0], images[0])


def test_none_clamps_and_rounds() -> None:
    picture = torch.tensor([-0.2, 0.5001, 1.7]).view(1, 3, 1, 1)
    images, _ = to_image(picture, stretch="none")
    assert images.flatten().tolist() == pytest.approx([0, 128 / 255, 1])


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_flat_picture_is_mid_grey_and_is_told(level: float) -> None:
    picture = torch.full((2, 3, 8, 8), level)
    picture[1, 0, 0, 0] += 1e-3
    images, flat = to_image(picture, stretch="minmax")
    assert flat.tolist() == [True, False]
    assert torch.equal(images[0], torch.full((3, 8, 8), 128 / 255))
    assert bool(images.isfinite().all())
