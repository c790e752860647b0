from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.datasets.base import FaceRecord, FaceSet
from veilface.errors import DatasetError
from veilface.evaluation.protocol import choose


def people(*photos: int) -> FaceSet:
    """One person for each number, with so many photos."""
    records = tuple(
        FaceRecord(f"p{person:02d}/{k}", f"p{person:02d}", Path("none"))
        for person, count in enumerate(photos)
        for k in range(count)
    )
    return FaceSet("Generated", Path(), records)


@given(
    photos=st.lists(st.integers(1, 3), min_size=2, max_size=20),
    limit=st.one_of(st.none(), st.integers(2, 25)),
    gallery=st.integers(1, 30),
    seed=st.integers(0, 5),
)
def test_roles(photos: list[int], limit: int | None, gallery: int, seed: int) -> None:
    chosen = choose(people(*photos), limit, gallery=gallery, seed=seed)
    assert len(chosen.probes) == min(limit or len(photos), len(photos))
    for records in (chosen.probes, chosen.gallery, chosen.sources, chosen.impostors):
        identities = [record.identity for record in records]
        assert len(set(identities)) == len(identities), "one photo a person"
    assert not {r.name for r in chosen.probes} & {r.name for r in chosen.gallery}
    assert chosen.sources[: len(chosen.probes)] == chosen.probes
    assert [chosen.sources[k] for k in chosen.own] == list(chosen.probes)
    for probe, other, label in zip(chosen.probes, chosen.others, chosen.labels, strict=True):
        assert other is None or (other.identity, other != probe) == (probe.identity, True)
        found = None if label < 0 else chosen.gallery[label]
        assert found == other
    # Nobody with one photo is protected while somebody with two is not.
    without = sum(other is None for other in chosen.others)
    assert without == max(0, len(chosen.probes) - sum(count > 1 for count in photos))


def test_smaller_limit_takes_the_first_people() -> None:
    faces = people(*[2] * 12, *[1] * 12)
    large = choose(faces, 10, seed=3)
    assert choose(faces, 4, seed=3).probes == large.probes[:4]
    assert choose(faces, 10, seed=4).probes != large.probes


def test_photos_that_cannot_be_read() -> None:
    chosen = choose(people(2, 2, 2, 1), 3, seed=0)
    first, second, third = chosen.probes
    other = chosen.others[1]
    assert other is not None
    left = chosen.without({first.name, other.name})
    assert left.probes == (second, third)
    assert left.others == (None, chosen.others[2])
    assert left.sources[:2] == left.probes
    np.testing.assert_array_equal(left.labels >= 0, [False, True])
    with pytest.raises(DatasetError, match="fewer than two people"):
        chosen.without({first.name, second.name})


def test_sets_that_are_too_small() -> None:
    with pytest.raises(DatasetError, match="names 1 people"):
        choose(people(5))
    nameless = people(2, 2)
    unnamed = tuple(replace(record, identity=None) for record in nameless.records)
    with pytest.raises(DatasetError, match="names 0 people"):
        choose(FaceSet("x.bin", Path(), unnamed))
    with pytest.raises(DatasetError, match="limit of 1"):
        choose(nameless, 1)
