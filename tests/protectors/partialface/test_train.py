"""The rule by label: in training a person shows three subsets of six, a query any."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import write_people
from veilface.protectors.dct.front_end import encode
from veilface.protectors.partialface.train import taught
from veilface.protectors.partialface.transform import KEPT, SUBSETS, TRIPLES
from veilface.protectors.trainers import TRAINERS, Setup
from veilface.training.images import Batch, load_images


def subsets(sent: Tensor, faces: Tensor) -> list[int]:
    """Which subset each image shows: that whose luma coefficients are those of the face."""
    channels = encode(faces)
    found = []
    for one, whole in zip(sent, channels, strict=True):
        own = {round(float(plane.abs().sum()), 1) for plane in one[:9]}
        wanted = [
            {round(float(whole[KEPT[place]].abs().sum()), 1) for place in subset}
            for subset in SUBSETS
        ]
        found.append(wanted.index(own))
    return found


def test_there_are_twenty_triples_and_every_subset_is_in_half_of_them() -> None:
    assert len(set(TRIPLES)) == 20
    assert all(len(set(triple)) == 3 for triple in TRIPLES)
    assert [sum(k in triple for triple in TRIPLES) for k in range(6)] == [10] * 6


def test_a_person_shows_one_triple_by_number_mod_20() -> None:
    faces = synthetic_faces(1).expand(30, -1, -1, -1)
    for person in (0, 7, 27):
        people = torch.full((30,), person)
        found = subsets(taught(faces, people, Generator().manual_seed(person)), faces)
        assert set(found) == set(TRIPLES[person % 20])


def test_the_training_keeps_to_the_rule_and_what_it_is_validated_on_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = load_images(write_people(tmp_path / "people", 30, photos=2))
    trainer = TRAINERS["partialface-native"]
    setup = Setup(None, people, width=1 / 16, batch=24, device=torch.device("cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        task = trainer.build(setup)
    seen: list[tuple[Tensor, Batch]] = []

    def loss(x: Tensor, batch: Batch) -> Tensor:
        seen.append((x, batch))
        return torch.zeros(())

    monkeypatch.setattr(task.module, "loss", loss)
    task.losses(Generator().manual_seed(0))
    task.validate(Generator().manual_seed(0))
    inside = [
        [
            subset in TRIPLES[int(person) % 20]
            for subset, person in zip(subsets(x, batch.faces), batch.people, strict=True)
        ]
        for x, batch in seen
    ]
    assert len(inside[0]) == 24
    assert all(inside[0])
    assert not all(inside[1]), "chance gives this once in four thousand million"
