"""The whole evaluation on people who do not exist, with dlib as the target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.people import synthetic_people, with_pairs
from veilface.datasets.base import FaceRecord
from veilface.evaluation.evaluator import evaluate
from veilface.evaluation.results import Evaluation, Row
from veilface.evaluation.table import MEASURES
from veilface.protectors.veil.presets import PRESETS
from veilface.types import Protected

PEOPLE = with_pairs(synthetic_people(5, alone=6))
QUICK = replace(PRESETS["persona"], steps=1, decoys=1)


@dataclass(frozen=True)
class Cheat:
    """Returns what protects nothing, or nobody."""

    name: str

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        images = {
            "unchanged": x,
            "everybody the same": torch.linspace(0, 1, 112).expand_as(x),
            "hiss": _noise(x, generator),
        }[self.name]
        return Protected((images * 255).round() / 255, {})


def _noise(x: Tensor, generator: Generator | Sequence[Generator] | None) -> Tensor:
    assert isinstance(generator, list)
    return torch.stack([torch.rand(x.shape[1:], generator=stream) for stream in generator])


@pytest.fixture(scope="module", autouse=True)
def _without_fetched_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Measures whose weights are fetched are absent, as on a machine that never fetched any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEILFACE_CACHE", str(tmp_path_factory.mktemp("none")))
        patch.delenv("VEILFACE_LPIPS", raising=False)
        yield


@pytest.fixture(scope="module")
def cheated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    found = evaluate(
        PEOPLE,
        [Cheat("unchanged"), Cheat("everybody the same"), Cheat("hiss"), "clean", "noise"],
        ["dlib"],
        cache=tmp_path_factory.mktemp("cache"),
        limit=9,  # 36 pairs of different people, enough for a figure to be flagged
        controls=False,  # two of them are enough here
    )
    return {row.protector: row for row in found.rows}


def test_unchanged_photos_are_caught(cheated: dict[str, Row]) -> None:
    row = cheated["unchanged"]
    assert row.measures["source"].value == 1, "the paper's accuracy does not see it"
    flags = " ".join(row.flags)
    assert "the photo is still there" in flags
    for matcher in ("NCC", "HOG", "LBP"):
        assert f"({matcher}) finds the source of 100%" in flags
    assert "those of the control 'clean'" in flags
    assert row.measures == {
        name: value for name, value in cheated["clean"].measures.items() if name != "accuracy10"
    }


def test_one_image_for_everybody_is_caught(cheated: dict[str, Row]) -> None:
    row = cheated["everybody the same"]
    assert row.measures["fmr_pp"].value == 1
    assert "match each other in 100.0% of the pairs" in " ".join(row.flags)


def test_noise_is_caught(cheated: dict[str, Row]) -> None:
    row = cheated["hiss"]
    assert row.measures["source"].value == 0
    assert "the identity is lost" in " ".join(row.flags)


def test_controls_and_reasons(cheated: dict[str, Row]) -> None:
    for row in cheated.values():
        document = row.to_dict()
        for name in MEASURES:
            known = document["measures"][name] is not None
            assert known == (name not in row.reasons), name
    clean = cheated["clean"]
    assert clean.measures["accuracy10"].n == 10
    assert clean.reasons["psnr"] == "infinite: an image equals its original"
    assert "VEILFACE_LPIPS" in clean.reasons["lpips"]
    assert "veilface recognizers fetch" in clean.reasons["age_error"]
    assert "veilface recognizers fetch" in clean.reasons["lineup_ncc"]
    assert "veilface recognizers fetch" in clean.reasons["lineup_mean"]


def quick(cache: Path) -> Evaluation:
    return evaluate(
        PEOPLE,
        [QUICK],
        ["dlib"],
        ["sface", "dlib"],
        cache=cache,
        limit=2,
        gallery=4,
        seed=5,
        controls=False,
        ten_fold=False,
        draws=2,
        jobs=1,
    )


def test_seed_repeats_every_figure(tmp_path: Path) -> None:
    first = quick(tmp_path / "a")
    again = quick(tmp_path / "a")
    fresh = quick(tmp_path / "b")
    assert first.protecting["protected"] == 6, "probes, other photos, and another draw"
    assert (again.protecting["protected"], again.protecting["found"]) == (0, 6)
    rows = [found.to_dict()["rows"] for found in (first, again, fresh)]
    assert rows[0] == rows[1] == rows[2]
    (row,) = first.rows
    assert (row.surrogates, row.images, row.kind) == (("sface",), 2, "preset")
    assert row.parameters["steps"] == 1
    json.dumps(rows, allow_nan=False)
    (shown,) = first.pictures
    assert shown.draws is not None
    assert shown.draws.shape == (2, 2, 3, 112, 112)
    assert torch.equal(shown.draws[0], shown.protected)
    assert not torch.equal(shown.draws[0], shown.draws[1])


def test_bad_photo_costs_one_person(tmp_path: Path) -> None:
    first = PEOPLE.records[0]
    broken = FaceRecord(first.name, first.identity, b"no image")
    faces = replace(PEOPLE, records=(broken, *PEOPLE.records[1:]), pairs=None)
    stages: list[str] = []
    found = evaluate(
        faces,
        ["grey"],
        ["dlib"],
        cache=tmp_path,
        adr=False,
        controls=False,
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert set(found.failures) == {first.name}
    assert found.dataset["people"] == 10
    (row,) = found.rows
    assert row.images == 10
    assert row.reasons["adr"] == "the other photos were not protected"
    assert list(dict.fromkeys(stages)) == ["embedding", "protecting", "measuring"]
