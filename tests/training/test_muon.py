"""Muon: what its steps are, and that it continues where it was ended."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from veilface.training.checkpoint import read_checkpoint, write_checkpoint
from veilface.training.muon import Muon, orthogonal
from veilface.training.unet import UNet, keep_scale


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(12, 70), (70, 12), (20, 20)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_singular_values_become_alike_and_vectors_stay(
    shape: tuple[int, int], scale: float
) -> None:
    u, _, v = torch.linalg.svd(drawn(*shape), full_matrices=False)
    values = torch.logspace(0, -1.5, min(shape))
    found = orthogonal(scale * (u * values) @ v)
    seen = u.T @ found @ v.T
    assert float(seen.diagonal().min()) > 0.5
    assert float(seen.diagonal().max()) < 1.35
    assert float((seen - seen.diagonal().diag()).abs().max()) < 0.1


def test_nothing_comes_of_nothing() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


def test_a_step_has_the_size_of_its_rate_whatever_the_gradient() -> None:
    for scale in (1e-5, 1e3):
        kernel = nn.Parameter(torch.zeros(16, 32, 3, 3))
        kernel.grad = scale * drawn(16, 32, 3, 3)
        Muon([kernel], [], rate=0.01, other_rate=1.0).step()
        assert 0.15 < float(kernel.detach().square().mean().sqrt()) / 0.01 < 0.25
        assert float((kernel.detach() * kernel.grad).sum()) < 0


def test_others_move_as_with_adam() -> None:
    ours, theirs = (nn.Parameter(drawn(7)) for _ in range(2))
    muon = Muon([], [ours], rate=1.0, other_rate=0.01)
    adam = torch.optim.Adam([theirs], lr=0.01)
    for seed in range(5):
        ours.grad, theirs.grad = (drawn(7, seed=seed) for _ in range(2))
        muon.step()
        adam.step()
    torch.testing.assert_close(ours, theirs)


def network(seed: int) -> tuple[nn.Sequential, Muon]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Conv2d(8, 1, 1))
    kernels = [module[0].get_parameter("weight")]
    others = [each for each in module.parameters() if each is not kernels[0]]
    return module, Muon(kernels, others, rate=0.01, other_rate=0.01)


def taken(module: nn.Sequential, optimizer: Muon, steps: range) -> None:
    for seed in steps:
        optimizer.zero_grad()
        module(drawn(2, 2, 8, 8, seed=seed)).square().mean().backward()
        optimizer.step()


def test_an_optimiser_that_is_read_goes_on_as_the_one_that_was_written(tmp_path: Path) -> None:
    whole, first = network(0)
    taken(whole, first, range(3))
    write_checkpoint(tmp_path / "kept", whole, first, {})
    taken(whole, first, range(3, 6))
    again, second = network(1)
    read_checkpoint(tmp_path / "kept", again, second)
    taken(again, second, range(3, 6))
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_values_keep_their_scale_through_a_network() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = UNet(12, 3, width=0.25)
        keep_scale(net)
    scales: list[float] = []
    for level in [*net.down, *net.merge]:
        level.register_forward_hook(
            lambda module, given, made: scales.append(float(made.square().mean()))
        )
    with torch.no_grad():
        net(drawn(2, 12, 64, 64))
    assert len(scales) == 9
    assert all(0.1 < scale < 10 for scale in scales), scales
