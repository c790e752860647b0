from __future__ import annotations

from dataclasses import replace

import pytest

from veilface.errors import ShapeError, UnknownNameError, WeightsError
from veilface.evaluation.image_sets import image_sets
from veilface.protectors.controls import CONTROLS
from veilface.protectors.veil.presets import PRESETS

TARGETS = ("dlib", "sface")


def test_target_is_never_a_surrogate() -> None:
    sets = image_sets(["persona", "paper"], TARGETS, ("sface", "dlib", "faceres"), controls=False)
    assert [(s.name, s.targets, s.surrogates) for s in sets] == [
        ("persona", ("dlib",), ("sface", "faceres")),
        ("persona", ("sface",), ("dlib", "faceres")),
        ("paper", ("dlib",), ("sface", "faceres")),
        ("paper", ("sface",), ("dlib", "faceres")),
    ]
    assert all(s.kind == "preset" for s in sets)
    assert sets[0].parameters["steps"] == PRESETS["persona"].steps


def test_targets_share_the_images_of_one_ensemble() -> None:
    (found,) = image_sets(["paper"], TARGETS, ("faceres",), controls=False)
    assert (found.targets, found.surrogates) == (TARGETS, ("faceres",))


def test_controls_stand_beside_everything() -> None:
    sets = image_sets(["persona", "blur"], TARGETS, ("faceres",))
    assert [s.name for s in sets] == ["persona", "blur", *(n for n in CONTROLS if n != "blur")]
    for control in sets[1:]:
        assert (control.kind, control.targets) == ("control", TARGETS)
        assert (control.surrogates, control.parameters) == ((), {})


def test_what_makes_no_sense() -> None:
    with pytest.raises(WeightsError, match="the target dlib leaves no surrogate"):
        image_sets(["persona"], TARGETS, ("dlib",))
    mine = replace(PRESETS["persona"], radius=None)
    with pytest.raises(ShapeError, match="two protectors are called persona"):
        image_sets(["persona", mine], TARGETS, ("faceres",))
    for protectors, targets in ((["personna"], TARGETS), (["persona"], ("dlip",))):
        with pytest.raises(UnknownNameError, match="did you mean"):
            image_sets(protectors, targets, ("faceres",))
