"""The experiments on the real engine, with drawn faces and presets of one step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.fixtures.studies import drawn_lfw
from tests.fixtures.threads import one_thread
from veilface.datasets import load_faces
from veilface.errors import WeightsError
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import choose
from veilface.jobs.cache import Job
from veilface.paper.accuracy import source_match
from veilface.paper.compared import compared_methods
from veilface.paper.conduct import make_study
from veilface.paper.figures import figure3, figure4
from veilface.paper.people import people_of
from veilface.paper.study import Study
from veilface.paper.table6 import without
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.registry import available

__all__ = ["one_thread"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    if len(available(["dlib", "sface"])) < 2:
        pytest.skip("the packages with the weights of dlib and sface are not installed")
    faces = load_faces("lfw", drawn_lfw(tmp_path_factory.mktemp("lfw")))
    preset = replace(PRESETS["paper"], steps=1)
    cache = tmp_path_factory.mktemp("cache")
    return make_study({"lfw": faces}, ["dlib", "sface"], [preset], cache=cache, jobs=1)


def test_the_accuracy_of_a_row_is_the_engine_s_source_match(study: Study) -> None:
    names = study.recognizers
    found = study.evaluate(study.sets["lfw"], study.protectors, names, names, controls=False)
    assert {row.target for row in found.rows} == {"dlib", "sface"}
    for row in found.rows:
        again = source_match([row], "0.001", seed=0)
        assert again.value == pytest.approx(row.measures["source"].value)
        assert row.target not in row.surrogates
    assert study.leave_one_out("celeba") is None


def test_without_high_pass_and_filling_the_start_is_what_the_table_says(study: Study) -> None:
    faces = study.some_faces("lfw")[:2]
    variants = without(replace(PRESETS["paper"], steps=0))
    images = {
        row: study.protect(Job(preset, study.recognizers), faces)
        for row, preset in variants.items()
    }
    eye = {row: (made - faces)[..., 52, 38].abs().max() for row, made in images.items()}
    corner = {row: made[..., :20, :20].std(dim=(2, 3)) for row, made in images.items()}
    assert eye["w/o F"] < 1 / 255 < eye["Ours"]
    assert corner["w/o C"].max() < 1e-6
    assert corner["Ours"].min() > 0.01


def test_figures_hold_the_first_people_of_an_evaluation(study: Study) -> None:
    first = aligned_faces(choose(study.sets["lfw"], seed=0).probes).faces
    for figure in (figure3(study), figure4(study)):
        originals = [strip.faces for strip in figure.strips if strip.private]
        assert len(originals) == 1
        assert originals[0] is not None
        assert torch.equal(originals[0], first[: len(originals[0])])
        made = [strip for strip in figure.publishable.strips if strip.faces is not None]
        assert made[-1].label.split()[0] == "paper"
    shown = {strip.label: strip.faces for strip in figure3(study).strips}
    for each in compared_methods():
        assert (shown[each.title] is not None) is each.ready


def test_presets_may_be_shown_on_fewer_people(study: Study, tmp_path: Path) -> None:
    few = make_study(
        study.sets,
        study.recognizers,
        study.presets,
        cache=tmp_path,
        limit=4,
        preset_limit=2,
        jobs=1,
    )
    found = few.one_ensemble("lfw", ["duetface", *few.presets])
    images = {row.protector: row.images for row in found.rows}
    assert images["paper"] == 2
    assert images["duetface"] == images["clean"] == 4
    assert people_of([found]) == ["People of LFW: 4; 2 for paper."]


def test_one_recogniser_leaves_no_surrogate(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="dlib alone leaves no surrogate"):
        make_study({}, ["dlib"], [], cache=tmp_path)
