"""PRO-Face's embedder and obfuscators against the numbers of their source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from tests.fixtures.faces import synthetic_faces
from veilface.protectors.proface.network import Embedder
from veilface.protectors.proface.transform import OBFUSCATORS, blur, pixelate


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_parameter_count_of_the_source() -> None:
    assert sum(p.numel() for p in Embedder().parameters()) == 216_732


def test_every_parameter_is_used() -> None:
    # The original holds 330 parameters that nothing reads, and sizes its side outputs by a number
    # that is right for three blocks of three layers only.
    embedder = Embedder()
    x, y = (torch.rand(2, 3, 48, 64) * 2 - 1 for _ in range(2))
    made = embedder(x, y)
    assert made.shape == x.shape
    made.square().sum().backward()
    for name, parameter in embedder.named_parameters():
        assert parameter.grad is not None, name


def test_both_inputs_reach_the_result() -> None:
    embedder = Embedder().eval()
    x, y = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    embedder(x, y).sum().backward()
    for image in (x, y):
        assert image.grad is not None
        assert float(image.grad.abs().max()) > 0


def test_widths_of_the_dense_blocks() -> None:
    # Down and up, as its authors have them.
    net = Embedder().original
    assert [block.channels for block in net.blocks] == [28, 40, 52]
    assert [merge.channels for merge in net.merges] == [90, 97, 88]


def test_pixelate_is_resizing_twice() -> None:
    x = synthetic_faces(2)
    small = F.interpolate(x, size=(16, 16), mode="bilinear", align_corners=False)
    assert torch.equal(pixelate(x, 7), F.interpolate(small, size=(112, 112), mode="nearest"))
    assert len(torch.unique(pixelate(x, 7)[0, 0])) <= 16 * 16


def test_blur_has_the_31_taps_of_the_source() -> None:
    point = torch.zeros(1, 1, 112, 112)
    point[..., 56, 56] = 1
    spread = blur(point, 5)[0, 0]
    rows = spread.sum(dim=1).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == 31
    at = torch.arange(-15, 16, dtype=torch.float32)
    kernel = torch.exp(-(at**2) / 50)
    assert torch.allclose(spread[41:72, 56] / spread[56, 56], kernel, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(OBFUSCATORS))
def test_strength_varies_in_training_alone(kind: str) -> None:
    obfuscator = OBFUSCATORS[kind]
    x = synthetic_faces(1)
    draws = [obfuscator.varied(x, torch.Generator().manual_seed(k)) for k in range(6)]
    assert any(not torch.equal(draws[0], other) for other in draws[1:])
    assert torch.equal(obfuscator(x), obfuscator(x))
