"""Trained weights on disk, and their record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from veilface.errors import UntrainedError, WeightsError
from veilface.training.kept import fill, keep, record_of, training_folder, unset
from veilface.training.loop import Outcome

OUTCOME = Outcome(7, 1.5, "steps", {"step": 7})


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    with torch.random.fork_rng():
        yield


def network() -> nn.ModuleDict:
    return nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.BatchNorm1d(3)})


def test_weights_come_back_with_their_record() -> None:
    kept = network()
    path = keep("thing", kept, {"seed": 3}, OUTCOME)
    assert path.is_relative_to(training_folder("thing"))
    other = network()
    record = fill("thing", other)
    for name, value in kept.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert record["recipe"] == {"seed": 3}
    assert record["outcome"]["steps"] == 7
    part = nn.Linear(2, 3)
    fill("thing", part, part="a")
    assert torch.equal(part.weight, kept["a"].weight)  # type: ignore[arg-type]


def test_other_weights_have_another_hash() -> None:
    keep("thing", network(), {}, OUTCOME)
    first = record_of("thing")["sha256"]
    keep("thing", network(), {}, OUTCOME)
    assert record_of("thing")["sha256"] != first


def test_what_is_missing_names_its_command() -> None:
    with pytest.raises(UntrainedError, match="veilface train thing"):
        fill("thing", network())


def test_exchanged_weights_are_refused() -> None:
    path = keep("thing", network(), {}, OUTCOME)
    mine = path.read_bytes()
    keep("other", network(), {}, OUTCOME)
    path.write_bytes((training_folder("other") / path.name).read_bytes())
    with pytest.raises(WeightsError, match="not the expected file"):
        fill("thing", network())
    path.write_bytes(mine)
    with pytest.raises(WeightsError, match="another network"):
        fill("thing", nn.Linear(2, 2))
    record = path.with_name("record.json")
    record.write_text("{", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"record\.json"):
        fill("thing", network())
    assert json.loads((training_folder("other") / "record.json").read_text())["name"] == "other"


def test_first_weights_do_not_touch_the_callers_randomness() -> None:
    before = torch.get_rng_state()
    unset(network)
    assert torch.equal(before, torch.get_rng_state())
