from __future__ import annotations

import pytest

from veilface.errors import UnknownNameError
from veilface.paper.published import FAMILIES, TABLE_2
from veilface.paper.targets import arrange


def test_stand_ins_are_named_beside_their_family_and_others_follow() -> None:
    columns = arrange(["dlib", "sface", "mobilefacenet", "faceres"])
    assert [column.title for column in columns] == [
        "ArcFace",
        "Mobilenet (mobilefacenet)",
        "Resnet (dlib)",
        "IR",
        "FaceNet",
        "CosFace",
        "sface",
        "faceres",
    ]
    assert [name for column in columns for name in column.here] == [
        "mobilefacenet",
        "dlib",
        "sface",
        "faceres",
    ]


def test_two_recognisers_of_a_family_are_two_columns_with_one_published_value() -> None:
    columns = [c for c in arrange(["dlib", "resnet-100"]) if c.published == "Resnet"]
    assert [column.recognizer for column in columns] == ["dlib", "resnet-100"]
    assert {column.value(TABLE_2["Ours"]) for column in columns} == {0.9875}


def test_nothing_is_published_about_others() -> None:
    assert arrange(["sface"])[-1].value(TABLE_2["Ours"]) is None
    assert len(arrange([])) == len(FAMILIES)


def test_an_unknown_recogniser_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="dlibb"):
        arrange(["dlibb"])
