"""The U-Net against the numbers of its source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from veilface.errors import ShapeError
from veilface.training.unet import UNet


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_of_the_sources() -> None:
    assert count(UNet(192, 192)) == 34_634_624  # MinusFace's generator
    assert 34.4e6 < count(UNet(3, 3)) < 34.6e6  # the attacker


def test_every_level_reaches_the_output() -> None:
    network = UNet(3, 2, width=1 / 16)
    x = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    y = network(x)
    assert y.shape == (1, 2, 32, 48)
    y.sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().max() > 0), name


def test_sides_that_do_not_halve_four_times_are_refused() -> None:
    with pytest.raises(ShapeError, match="divisible by 16"):
        UNet(3, 3, width=1 / 16)(torch.zeros(1, 3, 40, 32))
