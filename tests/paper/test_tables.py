"""Every table on an engine that answers by a rule: what is asked of it, and what is made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import cast

import pytest
import torch

from tests.fixtures.attackers import Ruled
from tests.fixtures.faces import synthetic_faces
from tests.fixtures.studies import PEOPLE, ruled_study
from veilface.datasets.base import FacePairs
from veilface.errors import DatasetError, UnknownNameError, UntrainedError
from veilface.measures.intervals import Estimate, wilson
from veilface.paper.accuracy import THRESHOLDS
from veilface.paper.attacked import Attackers
from veilface.paper.beside import SEEN, SENT
from veilface.paper.compared import compared_methods, other_rules
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Comparison, Value
from veilface.paper.native import NativeRow, Natives
from veilface.paper.published import METHODS, SETS
from veilface.paper.registry import EXPERIMENTS, get_experiment
from veilface.paper.table1 import table1
from veilface.paper.table2 import NATIVE, table2
from veilface.paper.table4 import table4
from veilface.paper.table5 import table5
from veilface.paper.table6 import NEEDS_FACES, table6, without
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.starts import LocalFeatures

pytestmark = pytest.mark.usefixtures("drawn_weights")


def _cell(table: Comparison, label: str, column: str) -> Value:
    line = next(line for line in table.lines if line.label == label and line.origin == "measured")
    return line.cells[table.columns.index(column)]


def _cells(table: Comparison, label: str) -> tuple[Value, ...]:
    return next(line.cells for line in table.lines if line.label == label)


def _value(cell: Value) -> float:
    assert isinstance(cell, Estimate)
    return cell.value


@pytest.mark.parametrize("experiment", [table1, table2, table4, table5, table6])
def test_every_table_has_published_lines_controls_and_whole_rows(experiment: object) -> None:
    assert callable(experiment)
    table = experiment(ruled_study(presets=("paper",))[0])
    assert {line.origin for line in table.lines} == {"published", "measured"}
    assert all(len(line.cells) == len(table.columns) for line in table.lines)
    labels = " ".join(line.label for line in table.lines if line.origin == "measured")
    assert all(control in labels for control in CONTROLS)
    assert Comparison.from_dict(json.loads(json.dumps(table.to_dict(), allow_nan=False))) == table
    assert table.name in EXPERIMENTS


def test_every_method_of_the_paper_is_measured_or_waits_for_its_training() -> None:
    study, rule = ruled_study(sets=tuple(SETS.values()))
    methods = compared_methods()
    assert {each.published for each in methods} - {None} == set(METHODS)
    ready = {each.name for each in methods if each.ready}
    for table in (table1(study), table2(study)):
        for each in methods:
            if each.published is not None:
                cells = {
                    cell
                    for line in table.lines
                    if line.origin == "measured" and line.label.split(",")[0] == each.title
                    for cell in line.cells
                }
                assert cells - {None}
                assert (NOT_TRAINED in cells) is not each.ready
    asked = {name.split(",")[0] for names, _, _ in rule.asked for name in names}
    assert asked & {each.name for each in methods} == ready


def test_what_is_not_an_image_is_shown_by_both_rules() -> None:
    table = table1(ruled_study()[0])
    labels = [line.label for line in table.lines]
    assert labels.index("DuetFace, unstretched") == labels.index("DuetFace", 1) + 1
    face = synthetic_faces(1)
    for other in other_rules():
        shown = other.protect(face, generator=torch.Generator().manual_seed(0)).images
        own = build_protector(other.name.split(",")[0])
        usual = own.protect(face, generator=torch.Generator().manual_seed(0)).images
        assert not torch.equal(shown, usual)
        if other.name.endswith("unstretched"):
            assert shown.std() < usual.std()  # a grey card to the eye


def test_sets_that_are_not_here_have_no_data() -> None:
    study, rule = ruled_study(sets=("lfw", "celeba"))
    for table in (table1(study), table4(study)):
        cells = dict(zip(table.columns, table.lines[-2].cells, strict=True))
        here = [isinstance(cells[title], Estimate) for title in SETS]
        assert here == [True, True, False, False, False]
        assert cells["CALFW"] == NO_DATA
    assert len(rule.asked) == 4


def test_table1_needs_one_ensemble_only() -> None:
    study, rule = ruled_study()
    table = table1(study)
    ((names, *rest),) = rule.asked
    assert rest == [("dlib",), ("dlib", "sface", "mobilefacenet")]
    assert "persona" in names
    assert _value(_cell(table, "a stranger", "LFW")) == 0.245


def test_what_people_see_and_what_is_sent_stand_beside_every_measured_row() -> None:
    study, _ = ruled_study(sets=("lfw", "celeba"))
    first, second = table1(study), table2(study)
    assert first.columns[:4] == ("LFW", "LFW line-up", "CELEBA", "CELEBA line-up")
    for table, column in ((first, "LFW line-up"), (second, SEEN)):
        for label in (line.label for line in table.lines if line.origin == "measured"):
            if "stranger" not in label and NOT_TRAINED not in _cells(table, label):
                assert isinstance(_cell(table, label, column), Estimate) is (": " not in label)
    # Against two surrogates each; the rule's line-up is their number of twenty people.
    assert _value(_cell(second, "persona, FMR 1e-3", SEEN)) == pytest.approx(2 / PEOPLE)
    assert _cell(first, "DuetFace", SENT) == 4 * 162 * 112 * 112
    assert _cell(first, "DuetFace, unstretched", SENT) == 4 * 162 * 112 * 112
    assert _cell(first, "persona", SENT) == _cell(first, "clean", SENT) == 3 * 112 * 112


def test_the_native_recogniser_stands_beside_the_others() -> None:
    study = replace(ruled_study()[0], natives=cast("Natives", KnownNatives()))
    table = table2(study)
    published = {line.label: line.cells[-2] for line in table.lines if line.origin == "published"}
    assert published["DuetFace"] == 0.9982
    assert published["Ours"] is None
    for threshold in THRESHOLDS.values():
        assert _value(_cell(table, f"DuetFace, {threshold}", NATIVE)) == 0.75
        assert _cell(table, f"PartialFace, {threshold}", NATIVE) == NOT_TRAINED
        assert _cell(table, f"persona, {threshold}", NATIVE) is None
    assert _value(_cell(table, "MinusFace: d(r)", NATIVE)) == 0.5
    assert "Pairs: drawn pairs." in table.notes
    assert [each["method"] for each in table.details][-1] == "minusface: d(r)"


def test_the_notes_say_how_much_was_trained(drawn_weights: Path) -> None:
    notes = " ".join(table2(ruled_study()[0]).notes)
    digest = json.loads((drawn_weights / "trained/minusface/record.json").read_text())["sha256"]
    assert "Trained minusface: 0.0625 of the width, 0 steps of 4 on 40 images of drawn" in notes
    assert f"weights {digest[:12]}" in notes
    assert "veilface train duetface-native" in notes


class KnownNatives:
    """Knows what a recogniser of DuetFace scores; the others are not trained."""

    pairs = FacePairs("drawn pairs", (), {})

    def row(self, method: str) -> NativeRow:
        if method != "duetface":
            raise UntrainedError(method)
        return NativeRow(method, "a rule", wilson(75, 100), 0.01, 0.9982)

    def residue(self) -> tuple[NativeRow, ...]:
        names = ("minusface: r", "minusface: d(r)")
        return tuple(NativeRow(name, "a rule", wilson(50, 100), 0.01, None) for name in names)


def test_table2_compares_at_both_thresholds() -> None:
    study, rule = ruled_study()
    table = table2(study)
    assert rule.asked[0][1] == rule.asked[0][2] == study.recognizers
    # Two surrogates convince ten people, one of them at the laxer threshold only.
    assert _value(_cell(table, "persona, best accuracy", "Resnet (dlib)")) == 10 / PEOPLE
    assert _value(_cell(table, "persona, FMR 1e-3", "Resnet (dlib)")) == 9 / PEOPLE
    assert _cell(table, "persona, FMR 1e-3", "ArcFace") is None
    assert isinstance(_cell(table, "persona, FMR 1e-3", "sface"), Estimate)


def test_table4_ends_with_means_over_the_recognisers() -> None:
    table = table4(ruled_study()[0])
    published = [line for line in table.lines if line.origin == "published"][-1]
    assert published.label == "mean"
    assert published.cells[0] == pytest.approx(0.9671, abs=5e-5)
    assert published.cells[1] == pytest.approx(0.8939, abs=5e-5)
    assert _value(_cell(table, "mean, persona, FMR 1e-3", "LFW")) == 9 / PEOPLE


def test_table5_makes_every_subset_once_and_never_the_target() -> None:
    names = ("dlib", "sface", "mobilefacenet", "faceres")
    study, rule = ruled_study(names)
    table = table5(study)
    swept = [(set(targets), surrogates) for made, targets, surrogates in rule.asked if made]
    expected = [subset for size in (1, 2, 3) for subset in combinations(names, size)]
    assert [surrogates for _, surrogates in swept] == expected
    assert all(targets == set(names) - set(surrogates) for targets, surrogates in swept)
    assert len(table.details) == 4 * (3 + 3 + 1) + len(CONTROLS) * 4
    for size in (1, 2, 3):
        for summary in ("mean", "worst", "best"):
            cell = _cell(table, f"{size}, persona, {summary}", "sface")
            assert _value(cell) == (5 * size - 1) / PEOPLE
    assert _cell(table, "4, persona, mean", "sface") is None


def test_table6_removes_one_module_at_a_time() -> None:
    name = "paper"
    preset = PRESETS[name]
    assert isinstance(preset.start, LocalFeatures)
    variants = without(preset)
    assert {v.name for v in variants.values()} == {f"{name} {row}" for row in variants}
    changed = {
        row: {
            field
            for field in ("start", "modulation", "entropy", "steps", "radius", "diversity")
            if getattr(variant, field) != getattr(preset, field)
        }
        for row, variant in variants.items()
    }
    assert changed == {
        "w/o F": {"start"},
        "w/o C": {"start"},
        "w/o P": {"modulation", "entropy"},
        "Ours": set(),
    }
    assert without(PRESETS["persona"]) == {}


def test_table6_measures_every_variant_on_one_ensemble() -> None:
    study, rule = ruled_study(presets=("paper", "persona"))
    table = table6(study)
    assert len(rule.asked) == 1
    assert len(rule.asked[0][0]) == 4
    assert _value(_cell(table, "w/o F, paper", "SSIM")) == 0.1
    assert _cell(table, "w/o F, paper", "rebuilt SSIM") == NEEDS_FACES
    assert _cell(table, "clean", "PSNR") is None
    assert not any("persona" in line.label for line in table.lines)


@pytest.mark.parametrize(("planted", "weak"), [(0.95, 0), (0.7, 4)])
def test_table6_is_rebuilt_where_there_are_photos_to_learn_from(planted: float, weak: int) -> None:
    found, _ = ruled_study(presets=("paper",))
    table = table6(replace(found, attack=cast("Attackers", Ruled(planted))))
    assert _value(_cell(table, "w/o C, paper", "rebuilt SSIM")) == 0.5
    assert _cell(table, "clean", "rebuilt SSIM") is None
    assert sum("too weak" in note for note in table.notes) == weak


def test_an_experiment_says_which_sets_it_needs() -> None:
    assert get_experiment("table4", ["celeba"]).run is table4
    with pytest.raises(DatasetError, match="table5 needs a data set: give --dataset-root lfw=DIR"):
        get_experiment("table5", ["celeba"])
    with pytest.raises(UnknownNameError, match="did you mean 'table1'"):
        get_experiment("table11", ["lfw"])
