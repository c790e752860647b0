from __future__ import annotations

import json
from dataclasses import replace

import pytest

from veilface.errors import UncalibratedError, UnknownNameError, VeilfaceError
from veilface.recognizers import RECOGNIZERS, available, get_spec
from veilface.recognizers.building import FORMATS, build_network
from veilface.weights.spec import published


def test_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'mobilefacenet'.*dlib.*sface"):
        get_spec("mobilefacnet")
    with pytest.raises(UnknownNameError):
        available(["dlib", "nobody"])


def test_thresholds() -> None:
    spec = get_spec("sface")
    assert spec.threshold(1e-3) == spec.threshold() == 0.3589
    assert spec.threshold(0.01) == 0.3043
    assert spec.threshold("best") == 0.3292
    assert spec.fmrs == (1e-2, 1e-3)
    with pytest.raises(VeilfaceError, match=r"false match rate of sface '0\.05'.*0\.001.*best"):
        spec.threshold(0.05)


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_entries_are_complete(name: str) -> None:
    spec = RECOGNIZERS[name]
    assert spec.name == name
    assert spec.parameters > 0
    assert spec.macs > 0
    stored = json.loads(json.dumps(spec.to_dict()))
    if spec.calibration is None:
        assert not spec.verified
        assert stored["calibration"] is None
        assert all(file.limit > 0 for file in spec.source.files)
        return
    assert spec.verified
    assert spec.threshold(1e-3) > spec.threshold(1e-2) > spec.impostor_mean
    assert spec.calibration.genuine_mean > spec.threshold(1e-3) > spec.impostor_mean
    for file in spec.source.files:
        assert file.sha256 is not None
        assert len(file.sha256) == 64
        assert file.limit == file.size
    assert stored["calibration"]["thresholds"]["0.001"]


PAPER = {"ArcFace", "MobileFaceNet", "ResNet", "IR", "FaceNet", "CosFace"}


def test_the_six_families_of_the_paper_are_listed() -> None:
    assert {spec.family for spec in RECOGNIZERS.values()} >= PAPER
    for spec in RECOGNIZERS.values():
        # No family name stands over weights of another architecture or loss.
        if spec.family == "FaceNet":
            assert spec.architecture == "InceptionResnetV1"
        if spec.family in {"ArcFace", "CosFace"}:
            assert spec.loss == spec.family
    keys = [s.source.package for s in RECOGNIZERS.values() if s.source.registry == "frbench"]
    assert len(keys) == len(set(keys)) == 6


def test_without_calibration_there_is_no_threshold() -> None:
    spec = get_spec("facenet-vggface2")
    command = "veilface recognizers calibrate facenet-vggface2 --dataset lfw --root DIR"
    for ask in (spec.threshold, spec.calibrated, lambda: spec.impostor_mean):
        with pytest.raises(UncalibratedError, match=command):
            ask()
    assert spec.fmrs == ()


def test_a_source_is_what_its_text_says() -> None:
    sources = [spec.source for spec in RECOGNIZERS.values() if not spec.source.address]
    assert len(sources) > 10
    for source in sources:
        assert published(str(source), *source.files) == source


def test_every_recogniser_has_a_reader() -> None:
    assert {spec.format for spec in RECOGNIZERS.values()} == set(FORMATS) - {"user"}
    other = replace(RECOGNIZERS["dlib"], format="pickle")
    with pytest.raises(UnknownNameError, match=r"format of weights 'pickle'.*dlib.*tfjs"):
        build_network(other, ())
