"""Table 3 and figure 5 on attackers that answer by a rule."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from tests.fixtures.studies import ruled_study
from veilface.attacks.run import Outcome
from veilface.errors import DatasetError
from veilface.measures.intervals import Estimate, wilson
from veilface.paper.attacked import Attackers
from veilface.paper.comparison import NO_DATA, NOT_TRAINED
from veilface.paper.figure5 import figure5
from veilface.paper.published import METHODS, TABLE_3
from veilface.paper.study import Study
from veilface.paper.table3 import table3
from veilface.protectors.veil.presets import Preset


class Ruled:
    """Recovers half of everything; of persona nothing, since its pairs do not suffice."""

    def __init__(self, planted: float) -> None:
        self.planted = planted

    def __call__(self, name: str, protector: str | Preset, dataset: str) -> Outcome | str:
        label = protector if isinstance(protector, str) else protector.name
        if label == "persona" and name == "unet":
            return "8 pairs are too few to learn from"
        value = Estimate(0.5, 0.4, 0.6, 20)
        found = {"ssim": value, "psnr": value, "source": wilson(5, 20), "xdr": wilson(4, 20)}
        cheat = Estimate(self.planted, self.planted, self.planted, 20) if name == "unet" else None
        image = torch.zeros(1, 3, 112, 112)
        return Outcome(
            name, "trainer", label, dataset, "dlib", 1, found, found, cheat, None, {}, image
        )

    def bench(self, dataset: str) -> SimpleNamespace:
        return SimpleNamespace(name=dataset, faces=torch.zeros(1, 3, 112, 112))


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
    assert mine[-1] == NO_DATA  # CALFW is not here
    assert ("DuetFace: linear", "measured") in lines
    assert ("ProFace: linear", "measured") not in lines
    assert lines["persona: unet", "measured"][0] == "-"
    assert {f"{method}: unet" for method in METHODS} <= {line.label for line in table.lines}


def test_methods_that_are_not_there_say_so() -> None:
    found = study(0.95)
    missing = [title for title in METHODS if title not in found.compared]
    lines = {line.label: line.cells for line in table3(found).lines if line.origin == "measured"}
    for title in missing:
        assert lines[f"{title}: unet"][0] == NOT_TRAINED


@pytest.mark.parametrize(("planted", "weak"), [(0.95, False), (0.7, True)])
def test_the_table_says_itself_when_the_attack_is_weak(planted: float, weak: bool) -> None:
    said = table3(study(planted)).notes[-1]
    assert "planted cheat" in said
    assert ("too weak" in said) is weak


def test_attackers_need_photos() -> None:
    with pytest.raises(DatasetError, match="--faces"):
        table3(ruled_study()[0])


def test_the_figure_shows_what_each_method_gives_away() -> None:
    sheet = figure5(study(0.95))
    strips = {strip.label: strip for strip in sheet.strips}
    assert strips["DuetFace linear"].faces is not None
    assert strips["persona unet"].faces is None
    assert strips["persona unet"].absent == "cannot"
    assert [strip.label for strip in sheet.publishable.strips] == ["persona look"]
