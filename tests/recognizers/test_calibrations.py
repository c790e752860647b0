"""Calibration files: what they are bound to, and what happens to damaged ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures.onnx_user import write_onnx
from veilface.errors import WeightsError
from veilface.recognizers import RECOGNIZERS, get_spec
from veilface.recognizers.calibrations import calibrated, is_used, load, path_of, save
from veilface.recognizers.spec import Calibration

MEASURED = Calibration(
    data="drawn",
    thresholds={1e-2: 0.31, 1e-4: 0.52},
    best=0.33,
    impostor_mean=0.01,
    impostor_std=0.1,
    genuine_mean=0.7,
    accuracy=0.99,
    accuracy_std=0.004,
    pairs=6000,
    date="2026-01-02",
    impostors={1e-2: 3000, 1e-4: 9_000_000},
    intervals={"0.01": (0.3, 0.32), "best": (0.32, 0.34)},
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))


def test_round_trip_and_use(tmp_path: Path) -> None:
    text = f"onnx:{write_onnx(tmp_path / 'mine.onnx')}"
    spec = get_spec(text)
    assert spec.calibration is None
    path = save(spec, MEASURED, weights=[file.sha256 or "" for file in spec.source.files])
    assert path == path_of(spec)
    assert get_spec(text).calibration == MEASURED
    assert get_spec(text).threshold(1e-4) == 0.52
    assert is_used(spec)
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # no temporary file stays


def test_other_preprocessing_or_other_weights_do_not_count(tmp_path: Path) -> None:
    text = f"onnx:{write_onnx(tmp_path / 'mine.onnx')}"
    spec = get_spec(text)
    save(spec, MEASURED, weights=[file.sha256 or "" for file in spec.source.files])
    assert get_spec(f"{text},mean=0").calibration is None
    assert get_spec(f"{text},order=bgr").calibration is None
    write_onnx(tmp_path / "mine.onnx", dim=7)
    assert get_spec(text).calibration is None
    save(spec, MEASURED, weights=["0" * 64])
    assert load(spec) is None


def test_shipped_calibration_is_never_replaced() -> None:
    shipped = RECOGNIZERS["dlib"]
    save(shipped, MEASURED, weights=[file.sha256 or "" for file in shipped.source.files])
    assert get_spec("dlib").calibration == shipped.calibration
    assert not is_used(shipped)
    assert calibrated(replace(shipped, calibration=None)).calibration == MEASURED


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 1, "weights": []}'])
def test_damaged_file_is_one_sentence(text: str) -> None:
    spec = replace(RECOGNIZERS["dlib"], calibration=None)
    path = path_of(spec)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"dlib\.json.*calibrate again"):
        calibrated(spec)
