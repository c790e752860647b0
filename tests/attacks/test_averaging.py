"""Means of protected versions: what cancels, what stays, and whether the report says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.attacks.averaging import COUNTS, Averaging, link_means, mean_draws
from veilface.core.randomness import Draws
from veilface.errors import ShapeError
from veilface.measures.intervals import wilson
from veilface.protectors.veil.starts import Stranger


@given(
    order=st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=30, deadline=None)
def test_means_are_those_of_the_first_draws(order: list[int], seed: int) -> None:
    draws = torch.rand(9, 2, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    means = mean_draws(draws, counts=order)
    assert set(means) == set(order)
    for count, mean in means.items():
        torch.testing.assert_close(mean, draws[:count].mean(dim=0))


def test_no_more_draws_are_made_than_averaged() -> None:
    made: list[int] = []

    def draws() -> Iterator[Tensor]:
        for k in range(100):
            made.append(k)
            yield torch.full((1, 3, 2, 2), float(k))

    assert float(mean_draws(draws(), counts=(1, 4))[4].mean()) == 1.5
    assert len(made) == 4


def test_draws_are_not_changed() -> None:
    draws = torch.rand(2, 1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    before = draws.clone()
    mean_draws(draws, counts=(1, 2))
    assert torch.equal(draws, before)


@pytest.mark.parametrize("counts", [(), (0, 1), (-1,)])
def test_counts_below_one_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="at least 1"):
        mean_draws(torch.zeros(2, 1, 3, 2, 2), counts=counts)


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(ShapeError, match="fewer draws than the 4"):
        mean_draws(torch.zeros(3, 1, 3, 2, 2), counts=(1, 4))


def test_a_method_that_leaks_is_told_from_one_that_does_not() -> None:
    """Noise over the photo averages out to the photo; strangers average to nobody's face."""
    photos = synthetic_faces(24)
    own = torch.arange(12)
    noise = torch.Generator().manual_seed(1)
    noisy = (photos[:12] + 4 * torch.randn(12, 3, 112, 112, generator=noise) for _ in COUNTS * 4)
    leaking = link_means(noisy, photos, own, counts=(1, 16))
    assert any(leaking.leaks.values())
    strangers = (Stranger().faces(Draws(12, generator=noise)) for _ in range(16))
    safe = link_means(strangers, photos, own, counts=(1, 16))
    assert not any(safe.leaks.values())
    assert set(safe.rates[16]) == {"ncc", "hog", "lbp"}


@pytest.mark.parametrize(("linked", "leaks"), [(0, False), (17, False), (18, True), (100, True)])
def test_leak_is_a_rate_above_the_interval_of_one_draw(linked: int, leaks: bool) -> None:
    first = wilson(10, 100)
    assert 0.17 < first.high < 0.18
    rates = {1: {"ncc": first}, 4: {"ncc": wilson(99, 100)}, 16: {"ncc": wilson(linked, 100)}}
    assert Averaging(rates).leaks == {"ncc": leaks}
