"""Line-ups: who stands in them, and what the matchers pick."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.errors import ShapeError
from veilface.measures.lineup import lineup_rate, lineups


def crowd(people: int, *, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    age = 20 + 50 * torch.rand(people, generator=draw)
    sex = (torch.rand(people, generator=draw) < 0.5).float()
    return torch.cat([age[:, None], sex[:, None], torch.rand(people, 2, generator=draw)], dim=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(10, 60), st.integers(0, 1000), st.integers(2, 10))
def test_a_line_up_holds_the_source_once_and_nobody_twice(
    people: int, seed: int, size: int
) -> None:
    own = torch.randint(people, (7,), generator=torch.Generator().manual_seed(seed))
    chosen = lineups(crowd(people, seed=seed), own, size=size, seed=seed)
    assert tuple(chosen.shape) == (7, size)
    assert bool(((chosen == own[:, None]).sum(dim=1) == 1).all())
    assert all(len(set(row)) == size for row in chosen.tolist())
    assert torch.equal(chosen, lineups(crowd(people, seed=seed), own, size=size, seed=seed))


def test_the_likest_are_chosen() -> None:
    attributes = torch.zeros(40, 4)
    attributes[:, 0] = torch.arange(40) * 1.0  # years
    attributes[20:, 1] = 1.0  # the other sex
    own = torch.tensor([10, 19, 20])
    chosen = lineups(attributes, own, seed=0).sort(dim=1).values.tolist()
    assert set(range(6, 15)) < set(chosen[0])
    assert chosen[1] == list(range(10, 20))
    assert chosen[2] == list(range(20, 30))


def test_the_place_of_the_source_is_drawn() -> None:
    own = torch.arange(400) % 50
    chosen = lineups(crowd(50), own, seed=0)
    places = (chosen == own[:, None]).int().argmax(dim=1)
    assert places.bincount(minlength=10).min() > 20
    assert not torch.equal(chosen, lineups(crowd(50), own, seed=1))


def test_what_is_not_known_counts_as_the_median() -> None:
    attributes = crowd(31)
    known = attributes.clone()
    known[4, 2:] = attributes[torch.arange(31) != 4][:, 2:].median(dim=0).values
    attributes[4, 2:] = torch.nan
    own = torch.arange(31)
    assert torch.equal(lineups(attributes, own, seed=0), lineups(known, own, seed=0))
    attributes[:, 3] = torch.nan
    assert lineups(attributes, own, seed=0).min() >= 0


def test_the_rate_counts_the_source_against_its_line_up_only() -> None:
    scores = torch.zeros(1, 2, 5)
    scores[0, 0] = torch.tensor([0.5, 0.9, 0.1, 0.2, 0.3])  # photo 1 is not in the line-up
    scores[0, 1] = torch.tensor([0.9, 0.5, 0.6, 0.1, 0.1])
    chosen = torch.tensor([[3, 0, 2], [1, 2, 4]])
    found = lineup_rate({"ncc": scores}, chosen, torch.tensor([0, 1]))["ncc"]
    assert (found.value, found.n) == (0.5, 2)
    assert lineup_rate({"ncc": scores}, chosen, torch.tensor([0, 2]))["ncc"].value == 1


def test_what_says_nothing_is_at_chance_however_many_scales() -> None:
    own = torch.arange(60)
    draw = torch.Generator().manual_seed(3)
    rates = []
    for seed in range(40):
        chosen = lineups(crowd(60), own, seed=seed)
        scores = torch.rand(8, 60, 60, generator=draw)
        rates.append(lineup_rate({"any": scores}, chosen, own)["any"].value)
    # 2,400 picks; the best of eight scales in each study would be near 0.16.
    assert sum(rates) / 40 == pytest.approx(0.1, abs=3 * (0.09 / 2400) ** 0.5)


def test_the_one_scale_that_sees_the_source_is_found() -> None:
    own = torch.arange(60)
    scores = torch.rand(4, 60, 60, generator=torch.Generator().manual_seed(3))
    scores[2] += torch.eye(60)
    found = lineup_rate({"any": scores}, lineups(crowd(60), own, seed=0), own)["any"]
    assert found.value == 1


def test_unusable_line_ups_are_refused() -> None:
    own = torch.tensor([0, 1])
    with pytest.raises(ShapeError, match=r"\(M, 4\)"):
        lineups(torch.zeros(20, 3), own, seed=0)
    with pytest.raises(ShapeError, match="numbers of 20 photos"):
        lineups(crowd(20), torch.tensor([20]), seed=0)
    with pytest.raises(ShapeError, match="of 10 cannot be chosen from 9"):
        lineups(crowd(9), own, seed=0)
    with pytest.raises(ShapeError, match="exactly once"):
        lineup_rate({}, torch.tensor([[1, 2]]), torch.tensor([0]))
