"""An ONNX file of the user in every command, from calibration to a decision."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.fixtures.onnx_user import write_onnx
from veilface.cli.main import app
from veilface.pipeline import protector
from veilface.protectors.veil.presets import PRESETS
from veilface.weights.packages import sha256_of


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))


def veilface(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Twelve people in the layout of LFW, each one colour with noise; two folds of three."""
    root = tmp_path / "lfw"
    generator = np.random.default_rng(0)
    lines = ["2\t3"]
    for person in range(12):
        colour = generator.integers(30, 226, 3)
        (root / f"P{person}").mkdir(parents=True)
        for k in (1, 2):
            noise = generator.integers(-20, 21, (112, 112, 3))
            pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / f"P{person}" / f"P{person}_{k:04d}.jpg")
    for fold in range(2):
        people = range(6 * fold, 6 * fold + 6)
        lines += [f"P{p}\t1\t2" for p in list(people)[:3]]
        lines += [f"P{p}\t1\tP{p + 3}\t1" for p in list(people)[:3]]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root


def test_similarity_then_calibration_then_decision(tmp_path: Path, drawn: Path) -> None:
    text = f"onnx:{write_onnx(tmp_path / 'mine.onnx', batch=1)}"
    photos = [str(drawn / "P0" / f"P0_{k:04d}.jpg") for k in (1, 2)]
    before = veilface("verify", "--aligned", *photos, "--recognizer", text, status=2)
    assert "uncalibrated" in before.output
    assert f"veilface recognizers calibrate {text} --dataset lfw" in before.output

    told = veilface("recognizers", "calibrate", text, "--dataset", "lfw", "--root", str(drawn))
    assert "mine on LFW view 2, 12 pairs" in told.output
    assert "fewer than 30" in told.output
    assert "over the folds" in told.output
    document = json.loads(
        next((tmp_path / "cache" / "calibrations").glob("mine-*.json")).read_text()
    )
    assert document["calibration"]["pairs"] == 12
    assert set(document["calibration"]["thresholds"]) == {"0.01", "0.001", "0.0001"}

    threshold = document["calibration"]["thresholds"]["0.001"]
    after = veilface("verify", "--aligned", photos[0], photos[0], "--recognizer", text, "--json")
    (result,) = json.loads(after.stdout)["results"]
    assert result["match"] is True
    assert result["threshold"] == pytest.approx(threshold)
    assert f"{threshold:.4f} at FMR 0.001" in veilface("recognizers", "info", text).output


def test_json_and_limit(tmp_path: Path, drawn: Path) -> None:
    text = f"onnx:{write_onnx(tmp_path / 'mine.onnx')}"
    run = veilface("recognizers", "calibrate", text, "--root", str(drawn), "--limit", "9", "--json")
    document = json.loads(run.stdout)
    assert document["calibration"]["pairs"] == 8
    assert set(document["weak"]) == {"0.01", "0.001", "0.0001"}
    assert Path(document["file"]).is_file()


def test_own_file_as_the_surrogate(
    tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = {name: replace(preset, steps=2) for name, preset in PRESETS.items()}
    monkeypatch.setattr(protector, "PRESETS", presets)
    mine = write_onnx(tmp_path / "mine.onnx", batch=1)
    photo = str(drawn / "P0" / "P0_0001.jpg")
    run = veilface(
        "protect", photo, "-o", "out", "--aligned", "--recognizer", f"onnx:{mine},mean=0", "--json"
    )
    document = json.loads(run.stdout[run.stdout.index("{") :])
    assert document["recognizers"] == ["mine"]
    assert document["counts"]["done"] == 1
    manifest = Path(document["manifest"]).read_text()
    assert sha256_of(mine) in manifest


def test_mistakes_are_sentences(tmp_path: Path, drawn: Path) -> None:
    mine = f"onnx:{write_onnx(tmp_path / 'mine.onnx')}"
    wrong = veilface("recognizers", "calibrate", mine, "--root", "nowhere", status=1)
    assert "error: cannot read" in wrong.output
    wrong = veilface(
        "recognizers", "calibrate", mine, "--root", str(drawn), "--dataset", "lwf", status=2
    )
    assert "unknown data set 'lwf'" in wrong.output
    flat = f"onnx:{write_onnx(tmp_path / 'nhwc.onnx', shape=(112, 112, 3))}"
    wrong = veilface("recognizers", "calibrate", flat, "--root", str(drawn), status=1)
    assert "NHWC" in wrong.output
    photo = str(drawn / "P0" / "P0_0001.jpg")
    wrong = veilface("protect", photo, "-o", "out", "--aligned", "--recognizer", flat, status=1)
    assert "NHWC" in wrong.output
