from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.studies import drawn_lfw
from veilface.cli.main import app
from veilface.evaluation.attacking import JUDGE
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8
from veilface.paper.compared import compared_methods
from veilface.protectors.veil import presets
from veilface.recognizers.registry import available

NEEDED = ["dlib", "sface"]


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if len(available(NEEDED)) < len(NEEDED):
        pytest.skip("the packages with the weights of dlib and sface are not installed")
    return drawn_lfw(tmp_path_factory.mktemp("lfw"))


@pytest.fixture(autouse=True)
def _one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    quick: Mapping[str, presets.Preset] = {
        name: replace(preset, steps=1) for name, preset in presets.PRESETS.items()
    }
    monkeypatch.setattr(presets, "PRESETS", quick)


def test_a_table_is_printed_and_written_in_three_formats(lfw: Path, tmp_path: Path) -> None:
    common = ("--dataset-root", f"lfw={lfw}", "--recognizer", ",".join(NEEDED), "--jobs", "1")
    result = _run("table1", *common, "--preset", "paper", "-o", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["experiment"] == "table1"
    assert [Path(file).name for file in document["files"]] == [
        "table1.json",
        "table1.csv",
        "table1.md",
    ]
    assert all(Path(file).is_file() for file in document["files"])
    kept = json.loads((tmp_path / "table1.json").read_text(encoding="utf-8"))
    assert kept == {key: value for key, value in document.items() if key != "files"}
    text = (tmp_path / "table1.md").read_text("utf-8")
    assert "| DuetFace | measured | " in text
    assert "not yet" not in text
    line = next(line for line in kept["lines"] if line["label"] == "clean")
    assert line["cells"][0]["value"] == 1
    assert line["cells"][1:5] == ["no data"] * 4


def test_a_figure_comes_with_and_without_photographs(lfw: Path, tmp_path: Path) -> None:
    common = ("--dataset-root", f"lfw={lfw}", "--recognizer", "dlib,sface", "--jobs", "1")
    result = _run("figure4", *common, "--preset", "paper", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    whole, public = (
        np.asarray(Image.open(tmp_path / name)) for name in ("figure4.png", "figure4-protected.png")
    )
    assert whole.shape[0] == 2 * 116 + 4
    assert (public[4:116, 116:] == whole[120:232, 116:]).all()
    assert public.shape[0] == 116 + 4


def test_several_at_once_where_nothing_is_trained(
    lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))
    common = ("--dataset-root", f"lfw={lfw}", "--recognizer", "dlib,sface", "--jobs", "1")
    result = _run("table2", "figure3", *common, "--preset", "paper", "-o", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)["experiments"]
    assert [each["experiment"] for each in made] == ["table2", "figure3"]
    assert all(Path(file).is_file() for each in made for file in each["files"])
    text = (tmp_path / "table2.md").read_text("utf-8")
    native = made[0]["columns"].index("native recogniser")
    cells = {line["label"]: line["cells"] for line in made[0]["lines"]}
    assert cells["DuetFace, FMR 1e-3"][native] == cells["MinusFace"][native] == "not trained"
    assert "veilface train proface-blur --identities FOLDER" in text
    assert "not yet" not in text


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    wrong = {
        ("table1", "--dataset-root", "lfw"): (2, "NAME=DIR"),
        ("tabel3", "--dataset-root", "lfw=x"): (2, "did you mean"),
        ("table2", "--dataset-root", "celeba=x"): (1, "give --dataset-root lfw=DIR"),
        ("table2", "--dataset-root", f"lfw={tmp_path}"): (1, "pairs.txt"),
        ("table2",): (2, "--dataset-root"),
    }
    for arguments, (status, said) in wrong.items():
        result = _run(*arguments, "-o", tmp_path / "out")
        assert result.exit_code == status, result.output
        assert said in result.output.replace("│", "").replace("\n", " ")
        assert "Traceback" not in result.output


def test_unknown_presets_and_single_recognisers_are_refused(lfw: Path, tmp_path: Path) -> None:
    common = ("table2", "--dataset-root", f"lfw={lfw}", "-o", tmp_path)
    assert "unknown preset 'papr'" in _run(*common, "--preset", "papr").output
    assert "alone leaves no surrogate" in _run(*common, "--recognizer", "dlib").output


@pytest.mark.slow
def test_attackers_learn_once_for_a_table_and_a_figure(
    lfw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not available([JUDGE]):
        pytest.skip(f"the weights of {JUDGE} are fetched, not installed")
    one = [each for each in compared_methods() if each.name == "duetface"]
    for module in ("compared", "figure5", "study"):
        monkeypatch.setattr(f"veilface.paper.{module}.compared_methods", lambda: tuple(one))
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, face in enumerate(to_uint8(synthetic_faces(20, seed=5))):
        (photos / f"{number:02d}.png").write_bytes(encode(face, format="png"))
    common = ("--dataset-root", f"lfw={lfw}", "--recognizer", "dlib,sface", "--jobs", "1")
    means = ("--faces", photos, "--budget", "0.001", "--full", "--preset", "persona")
    monkeypatch.setattr("veilface.attacks.means.FULL", 0.0625)
    monkeypatch.setattr("veilface.attacks.inversion.STEPS", 3)
    result = _run("table3", "figure5", *common, *means, "-o", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    assert "table3 --full: 7 trainings" in result.stderr
    table, figure = json.loads(result.stdout)["experiments"]
    lines = {
        line["label"]: line["cells"] for line in table["lines"] if line["origin"] != "published"
    }
    assert lines["DuetFace: linear"][0]["value"] > 0.5
    assert lines["DuetFace: unet"][-3] == "20"
    assert lines["DuetFace: unet"][-1].endswith(": too weak")
    assert "persona: unet: 8 pairs are too few" in " ".join(table["notes"])
    assert lines["persona: look"][0]["n"] == 4
    assert {each["attack"] for each in table["details"]} >= {"unet", "embedding", "shuffled"}
    kinds = [folder.name.split("-")[0] for folder in (tmp_path / "cache/networks").iterdir()]
    assert sorted(kind for kind in kinds if kind in {"unet", "shuffled", "embedding"}) == [
        "embedding",
        "shuffled",
        *["unet"] * 3,  # of the method, and of the planted cheats
    ]
    assert all(Path(file).is_file() for file in figure["files"])
