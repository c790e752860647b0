from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.errors import ShapeError
from veilface.evaluation.asking.design import design


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 8), st.integers(0, 99))
def test_everybody_once_and_every_condition_equally_often(
    conditions: int, times: int, viewers: int, seed: int
) -> None:
    people = conditions * times
    plan = design(people, conditions, viewers, candidates=10, seed=seed)
    assert len(plan) == viewers
    for showings in plan:
        assert sorted(one.person for one in showings) == list(range(people))
        assert set(Counter(one.condition for one in showings).values()) == {times}
        assert all(sorted(one.order) == list(range(10)) for one in showings)
    # As many viewers as conditions see each person under each of them exactly once.
    if viewers >= conditions:
        seen = {(one.person, one.condition) for showings in plan[:conditions] for one in showings}
        assert len(seen) == people * conditions
    assert plan == design(people, conditions, viewers, candidates=10, seed=seed)


def test_places_and_orders_are_drawn() -> None:
    plan = design(40, 4, 40, candidates=10, seed=1)
    places = Counter(one.order.index(0) for showings in plan for one in showings)
    assert min(places.values()) > 100, "each of ten places 160 times on average"
    first = Counter(showings[0].condition for showings in plan)
    assert set(first) == {0, 1, 2, 3}
    assert len({showings[0].person for showings in plan}) > 10
    assert plan != design(40, 4, 40, candidates=10, seed=2)


@pytest.mark.parametrize(
    ("people", "conditions", "words"),
    [(20, 3, "take 18 or 21"), (2, 3, "take 3 people"), (0, 1, "one of each")],
)
def test_what_cannot_be_balanced(people: int, conditions: int, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        design(people, conditions, 2, candidates=10, seed=0)
