"""The line-up by blurred recognisers: whom SFace and dlib pick."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ShapeError
from veilface.imaging.frequency import high_pass
from veilface.measures.onlookers import ONLOOKERS, Onlookers, blurred_picks, pick_rates
from veilface.protectors.controls import CONTROLS

PEOPLE = 6
CHOSEN = torch.tensor([[(row + shift) % PEOPLE for shift in (4, 0, 1, 2)] for row in range(PEOPLE)])
"""Four candidates a line-up: the source stands second, the next person third."""


@pytest.fixture(scope="module")
def gallery() -> Tensor:
    return synthetic_faces(PEOPLE)


@pytest.fixture(scope="module")
def onlookers(gallery: Tensor) -> Onlookers:
    return Onlookers(gallery, CHOSEN)


def test_a_blurred_photo_gives_its_subject_away(onlookers: Onlookers, gallery: Tensor) -> None:
    picks = onlookers.picks(CONTROLS["blur"].protect(gallery).images)
    assert tuple(picks) == ONLOOKERS
    for picked in picks.values():
        assert picked.tolist() == [1] * PEOPLE
    rates = pick_rates(picks, CHOSEN, torch.arange(PEOPLE))
    assert {name: rate.value for name, rate in rates.items()} == dict.fromkeys(
        (*ONLOOKERS, "mean"), 1.0
    )


def test_they_see_the_coarse_half_only(gallery: Tensor) -> None:
    coarse = gallery.roll(-1, 0)  # of the person who stands third
    hybrid = coarse + high_pass(gallery - coarse, cutoff=20)
    for picked in blurred_picks(hybrid.clamp(0, 1), gallery, CHOSEN).values():
        assert picked.tolist() == [2] * PEOPLE


def test_two_equal_candidates_are_no_pick(gallery: Tensor) -> None:
    twice = torch.cat([gallery, gallery[:1]])
    chosen = torch.tensor([[0, PEOPLE, 2, 3]])
    for picked in blurred_picks(gallery[:1], twice, chosen).values():
        assert picked.tolist() == [-1]


def test_the_mean_counts_people() -> None:
    picks = {"a": torch.tensor([1, 1, 0, -1]), "b": torch.tensor([1, 0, 0, 1])}
    chosen = torch.tensor([[5, 0], [5, 1], [5, 2], [5, 3]])
    rates = pick_rates(picks, chosen, torch.arange(4))
    assert (rates["a"].value, rates["b"].value, rates["mean"].value) == (0.5, 0.5, 0.5)
    odd = pick_rates({"a": picks["a"], "b": torch.tensor([1, 1, 0, 1])}, chosen, torch.arange(4))
    assert (odd["mean"].value, odd["mean"].n) == (0.625, 4)
    assert odd["a"].low < odd["mean"].low < odd["b"].low


def test_what_does_not_fit_is_refused(onlookers: Onlookers, gallery: Tensor) -> None:
    with pytest.raises(ShapeError, match="numbers of 6 photos"):
        Onlookers(gallery, torch.tensor([[0, 6]]))
    with pytest.raises(ShapeError, match="5 images are not one for each of 6"):
        onlookers.picks(gallery[:5])
