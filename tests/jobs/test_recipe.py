"""What an image depends on: complete for the record, for kept chunks and for keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from tests.fixtures.faces import synthetic_faces
from veilface.errors import WeightsError
from veilface.jobs import recipe as module
from veilface.jobs.cache import Job, tasks_of
from veilface.jobs.recipe import Recipe, is_shipped
from veilface.protectors.base import quantise
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.starts import Stranger

PERSONA = PRESETS["persona"]
WEIGHTS = {"dlib": ["ab" * 32], "sface": ["cd" * 32]}
FACES = quantise(synthetic_faces(2))


def recipe(preset: Preset = PERSONA, *, device: str = "cpu") -> Recipe:
    return Recipe.of(preset, WEIGHTS, device=device)


def uses(one: Recipe) -> tuple[str, str, str, str]:
    return (
        json.dumps(one.for_record(repeatable=True)),
        json.dumps(one.for_record(repeatable=False)),
        json.dumps(one.for_chunk()),
        one.for_key(),
    )


def bank(path: Path, *, content: bytes = b"") -> Path:
    """The shipped bank somewhere else, with another hash when something is appended."""
    shipped = resources.files("veilface") / "data" / "strangers.zip"
    path.write_bytes(shipped.read_bytes() + content)
    return path


def with_bank(path: Path) -> Preset:
    assert isinstance(PERSONA.start, Stranger)
    return replace(PERSONA, start=replace(PERSONA.start, bank=str(path)))


@pytest.mark.parametrize(
    "change",
    [
        lambda: recipe(replace(PERSONA, radius=0.05)),
        lambda: recipe(replace(PERSONA, fidelity=0.5)),
        lambda: recipe(replace(PERSONA, steps=49)),
        lambda: recipe(PRESETS["paper"]),
        lambda: Recipe.of(PERSONA, {"dlib": ["ab" * 32]}, device="cpu"),
        lambda: Recipe.of(PERSONA, {**WEIGHTS, "dlib": ["ef" * 32]}, device="cpu"),
    ],
)
def test_parameters_and_weights_show_everywhere(change: Callable[[], Recipe]) -> None:
    for before, after in zip(uses(recipe()), uses(change()), strict=True):
        assert before != after


def test_names_and_places_show_nowhere(tmp_path: Path) -> None:
    renamed = replace(PERSONA, name="mine", summary="the same by another name")
    moved = with_bank(bank(tmp_path / "elsewhere.zip"))
    assert uses(recipe(renamed)) == uses(recipe(moved)) == uses(recipe())


def test_content_of_the_bank_shows_everywhere(tmp_path: Path) -> None:
    other = with_bank(bank(tmp_path / "other.zip", content=b"\0"))
    for before, after in zip(uses(recipe()), uses(recipe(other)), strict=True):
        assert before != after
    with pytest.raises(WeightsError, match="is no bank of strangers"):
        recipe(with_bank(tmp_path / "none.zip"))


def test_device_shows_where_an_image_is_made_again_and_never_under_a_key() -> None:
    here, there = uses(recipe()), uses(recipe(device="cuda"))
    assert [a == b for a, b in zip(here, there, strict=True)] == [False, True, False, True]
    assert uses(recipe(device="cuda:1")) == there, "the number of a device is no ingredient"


def test_a_key_s_message_is_the_one_that_it_has_always_been() -> None:
    """Images under a key can be made again only as long as this stands."""
    former = f"{replace(PERSONA, name='', summary='')!r} {sorted(WEIGHTS.items())!r}"
    assert recipe().for_key() == former


def test_device_and_bank_change_the_names_of_chunks(tmp_path: Path) -> None:
    def name(preset: Preset = PERSONA, *, device: str = "cpu") -> str:
        job = Job(preset, ("dlib",))
        (task,) = tasks_of(job, FACES, seed=0, draw=0, folder=tmp_path, device=device)
        return task.path.name

    path = tmp_path / "bank.zip"
    shutil.copy(bank(tmp_path / "copy.zip"), path)
    assert name(with_bank(path)) == name()
    changed = tmp_path / "changed.zip"
    bank(changed, content=b"\0")
    assert len({name(), name(device="cuda"), name(with_bank(changed))}) == 3


def test_method_of_a_former_line_is_the_shipped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = replace(PERSONA, radius=0.05)
    assert is_shipped(recipe().for_record(repeatable=False)["method"], "persona")
    assert not is_shipped(recipe(mine).for_record(repeatable=False)["method"], "persona")
    assert not is_shipped(recipe().for_record(repeatable=False)["method"], "paper")
    assert not is_shipped(recipe().for_record(repeatable=False)["method"], "unknown")
    monkeypatch.setattr(module, "PRESETS", {"persona": mine})
    assert is_shipped(recipe(mine).for_record(repeatable=False)["method"], "persona")
