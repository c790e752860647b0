"""`veilface train`: what it lists, prints and writes."""

from __future__ import annotations

import json
import shlex
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner, Result

from tests.fixtures.trained import TinyRecognizer, write_faces, write_people
from veilface.cli.main import app
from veilface.errors import UntrainedError
from veilface.protectors import trainers
from veilface.protectors.registry import METHODS
from veilface.protectors.trainers import TRAINERS, native_recognizer
from veilface.recognizers.recognizer import Recognizer


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("veilface.training.straight._STRIDE", 49)
    for module in ("native", "minusface.train", "proface.train"):
        monkeypatch.setattr(f"veilface.protectors.{module}._CHECKED", 2)
    monkeypatch.setattr("veilface.protectors.minusface.train._MEASURED", 2)
    monkeypatch.setattr("veilface.protectors.native._FITTED", 2)

    def tiny(name: str, **_: object) -> Recognizer:
        return cast("Recognizer", TinyRecognizer())

    monkeypatch.setattr(trainers, "load_recognizer", tiny)


def veilface(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def test_without_a_name_it_lists_them() -> None:
    listed = veilface("train").output
    assert all(name in listed for name in TRAINERS)


def test_a_training_ends_with_its_budget_and_goes_on_with_more(tmp_path: Path) -> None:
    faces = str(write_faces(tmp_path / "faces", 14))
    wishes = (
        "train",
        "partialface",
        "--native",
        "--faces",
        faces,
        "--batch",
        "2",
        "--width",
        "0.1",
    )
    first = veilface(*wishes, "--minutes", "0.01", "--every", "1")
    assert "ended by minutes" in first.output
    assert "step 1, " in first.output
    assert "validation loss" in first.output
    again = json.loads(veilface(*wishes, "--minutes", "0.02", "--every", "1", "--json").stdout)
    path = Path(again["weights"])
    assert path.is_file()
    lines = (path.parent / "losses.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == list(range(1, len(steps) + 1))
    assert again["outcome"]["step"] == steps[-1]
    refused = veilface(*wishes, "--minutes", "0.02", "--seed", "1", status=1)
    assert "remove it to start again" in refused.output


@pytest.mark.parametrize("method", ["proface-pixelate", "minusface", "partialface"])
def test_the_command_that_an_untrained_method_names_trains_it(method: str, tmp_path: Path) -> None:
    spec = METHODS[method]
    use = spec.build if spec.requires_training else partial(native_recognizer, method)
    with pytest.raises(UntrainedError) as caught:
        use()
    program, *words = shlex.split(str(caught.value).rpartition("run: ")[2])
    assert program == "veilface"
    people = "--identities" in words
    folder = write_people(tmp_path / "f", 20) if people else write_faces(tmp_path / "f", 14)
    assert words.pop() == "FOLDER"
    small = ["--batch", "2", "--minutes", "0.001", *([] if people else ["--width", "0.1"])]
    veilface(*words, str(folder), *small)
    use()


def test_an_unknown_name_lists_those_that_are_there() -> None:
    assert "proface-blur" in veilface("train", "proface", status=2).output
    assert "available" in veilface("train", "duetface", status=2).output
