"""The least-squares convolution: against one that is known, and where only a part counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Generator, Tensor, nn

from veilface.training.straight import silence, straighten


@pytest.fixture(autouse=True)
def _first_weights() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def images(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [1, 3, 5])
def test_a_convolution_is_found_in_what_it_made(side: int) -> None:
    made, found = (nn.Conv2d(4, 3, side, padding=side // 2) for _ in range(2))
    x = images(8, 4, 24, 24, seed=0)
    with torch.no_grad():
        straighten(found, x, made(x))
        torch.testing.assert_close(found(x), made(x), atol=0.01, rtol=0)
    torch.testing.assert_close(found.weight, made.weight, atol=0.01, rtol=0)


def test_a_silent_convolution_says_nothing() -> None:
    convolution = nn.Conv2d(2, 3, 1)
    silence(convolution)
    assert not bool(convolution(images(1, 2, 8, 8, seed=2)).any())
