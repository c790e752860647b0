"""`veilface attack` from the command line, on people who do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.fixtures.studies import drawn_lfw
from tests.fixtures.trained import write_faces
from veilface.attacks.base import Attack, Setting
from veilface.cli.main import app
from veilface.errors import AttackError


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_lfw(tmp_path_factory.mktemp("lfw"))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["attack", *map(str, arguments)])


def test_an_attack_is_scored_and_written(lfw: Path, tmp_path: Path) -> None:
    photos = write_faces(tmp_path / "photos", 20, seed=5)
    common = ("--dataset", "lfw", "--root", lfw, "--judge", "dlib", "--limit", 4, "-o", tmp_path)
    result = _run("linear", "--protector", "duetface", "--faces", photos, *common, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["measures"]["ssim"]["value"] > 0.9
    assert document["measures"]["source"]["value"] == 1.0
    assert "recovers more of the picture than an attacker who knows nothing" in document["verdict"]
    assert {Path(file).name for file in document["files"]} == {
        "linear-duetface.json",
        "linear-duetface.png",
    }
    assert all(Path(file).is_file() for file in document["files"])
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("linear-duetface/*/*.png"))
    assert made[0] == Path("linear-duetface/P0/P0_0001.png")
    assert len(made) == 4
    shown = _run("grey", "--protector", "clean", *common)
    assert shown.exit_code == 0, shown.output
    assert "knows nothing" in shown.output
    assert "recovers no more than an attacker who knows nothing" in shown.output


def test_more_pairs_make_a_curve(lfw: Path, tmp_path: Path) -> None:
    photos = write_faces(tmp_path / "photos", 30, seed=5)
    common = ("--dataset", "lfw", "--root", lfw, "--judge", "dlib", "--limit", 4, "-o", tmp_path)
    means = ("--faces", photos, "--pairs", 30, "--pairs", 20, "--budget", 0.01, "--width", 0.0625)
    result = _run("unet", "--protector", "blur", *common, *means, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["about"]["photos"] == 30
    assert [each["about"]["photos"] for each in document["with_fewer_pairs"]] == [20]
    assert "too weak" in document["verdict"][0]
    curve = document["curve"]
    assert curve["photos"] == [20, 30]
    assert curve["ssim"][1] == document["measures"]["ssim"]
    assert curve["null"] == document["null"]["ssim"]
    assert (tmp_path / "unet-blur-curve.svg").is_file()
    with Image.open(tmp_path / "unet-blur.png") as sheet:
        assert sheet.height == 3 * 116 + 4  # the photos, and what each number of them recovers


def test_mistakes_are_one_sentence(lfw: Path, tmp_path: Path) -> None:
    common = ("--dataset", "lfw", "--root", lfw, "--judge", "dlib", "-o", tmp_path)
    wrong = {
        ("unett", "--protector", "clean"): (2, "did you mean 'unet'"),
        ("unet", "--protector", "clean"): (1, "--faces DIR"),
        ("look", "--protector", "cleen"): (2, "did you mean 'clean'"),
        ("linear", "--protector", "clean"): (1, "duetface, partialface"),
    }
    for arguments, (status, said) in wrong.items():
        result = _run(*arguments, *common)
        assert result.exit_code == status, result.output
        assert said in result.output
        assert "Traceback" not in result.output


def test_pairs_may_take_fewer_steps(
    lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = write_faces(tmp_path / "photos", 20, seed=5)
    common = ("--dataset", "lfw", "--root", lfw, "--judge", "dlib", "--limit", 4, "-o", tmp_path)
    hasty = ("--faces", photos, "--pair-steps", 5, "--pair-minutes", 60, "--budget", 5)
    refused = _run("unet", "--protector", "blur", *common, *hasty)
    assert refused.exit_code == 1
    assert "blur optimises nothing: its pairs take no steps" in refused.output
    asked: list[Setting] = []

    def attacked(attack: Attack, setting: Setting, *_: object, **__: object) -> None:
        asked.append(setting)
        raise AttackError("enough")

    monkeypatch.setattr("veilface.attacks.run.run_attack", attacked)
    result = _run("unet", "--protector", "persona", *common, *hasty, "--full")
    assert "--full: 3 trainings of 5 minutes and 1 x 60 minutes of pairs" in result.output
    assert "enough" in result.output
    assert asked[0].pair_steps == 5
    assert (asked[0].minutes, asked[0].pair_minutes) == (5, 60)
    assert asked[0].victim.name == "persona"
