"""Table 3 and figure 5 on attackers that answer by a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
import torch

from tests.fixtures.attackers import Ruled
from tests.fixtures.studies import ruled_study
from veilface.errors import DatasetError
from veilface.measures.intervals import Estimate
from veilface.paper.attacked import Attackers
from veilface.paper.compared import compared_methods
from veilface.paper.comparison import NO_DATA, NOT_TRAINED
from veilface.paper.figure5 import figure5
from veilface.paper.published import TABLE_3
from veilface.paper.study import Study
from veilface.paper.table3 import table3


def study(planted: float) -> Study:
    found, _ = ruled_study(sets=("lfw", "celeba"))
    return replace(found, attack=cast("Attackers", Ruled(planted)))


def test_published_values_stand_over_ours() -> None:
    table = table3(study(0.95))
    lines = {(line.label, line.origin): line.cells for line in table.lines}
    assert table.columns[:4] == ("LFW SSIM", "LFW PSNR", "LFW photo", "LFW person")
    assert lines["DuetFace", "published"][:4] == (*TABLE_3["DuetFace"]["LFW"], None, None)
    mine = lines["DuetFace: unet", "measured"]
    assert mine[0] == Estimate(0.5, 0.4, 0.6, 20)
    assert mine[table.columns.index("CALFW PSNR")] == NO_DATA
    assert table.columns[-3:] == ("photos", "steps", "control")
    assert mine[-3:] == ("400", "900", "0.950, 950 steps")
    assert lines["DuetFace: linear", "measured"][-3:] == (None, None, None)
    assert ("DuetFace: linear", "measured") in lines
    assert ("ProFace: linear", "measured") not in lines
    assert lines["persona: unet", "measured"][0] == "-"
    assert "persona: unet: 8 pairs are too few to learn from." in table.notes
    assert "People of lfw: 20." in table.notes


def test_every_method_of_the_registry_has_a_row_or_says_why_not() -> None:
    lines = {line.label: line for line in table3(study(0.95)).lines if line.origin == "measured"}
    for method in compared_methods():
        if method.ready:
            assert f"{method.title}: unet" in lines
        elif method.published is not None:
            assert NOT_TRAINED in lines[method.title].cells


@pytest.mark.parametrize(("planted", "weak"), [(0.95, False), (0.7, True)])
def test_the_table_says_itself_when_the_attack_is_weak(planted: float, weak: bool) -> None:
    rows = {line.label: line.cells[-1] for line in table3(study(planted)).lines}
    assert rows["DuetFace: unet"] == ("0.700, 950 steps: too weak" if weak else "0.950, 950 steps")
    assert rows["ldp_slicing: unet"] == rows["DuetFace: unet"]


def test_attackers_need_photos() -> None:
    with pytest.raises(DatasetError, match="--faces"):
        table3(ruled_study()[0])


def test_the_figure_shows_what_each_method_gives_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Study, "some_faces", lambda self, dataset: torch.ones(2, 3, 112, 112))
    sheet = figure5(study(0.95))
    strips = {strip.label: strip for strip in sheet.strips}
    assert strips["DuetFace linear"].faces is not None
    assert strips["persona unet"].faces is None
    assert strips["persona unet"].absent == "cannot"
    assert {f"{each.title} unet" for each in compared_methods()} <= set(strips)
    assert [strip.label for strip in sheet.publishable.strips] == ["persona look"]
