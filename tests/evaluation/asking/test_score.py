"""Answers: what fits the key, and what they add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from veilface.errors import AnswersError
from veilface.evaluation.asking.answers import Answer, read_answers
from veilface.evaluation.asking.key import KEY, Case, Key, read_key
from veilface.evaluation.asking.score import score
from veilface.measures.intervals import wilson

PEOPLE = ("Ann_Able", "Bo_Best", "Cy_Carr")


def case(number: int, person: int, condition: str, place: int) -> Case:
    photos = [f"{name}.jpg" for name in PEOPLE]
    photos.insert(place - 1, photos.pop(person))
    return Case(number, PEOPLE[person], f"{PEOPLE[person]}.jpg", condition, tuple(photos))


def small_key() -> Key:
    return Key(
        task="pick",
        dataset="Generated",
        seed=0,
        conditions={"clean": True, "mine": False},
        viewers={
            1: (case(1, 0, "clean", 2), case(2, 1, "mine", 1)),
            2: (case(1, 1, "mine", 3), case(2, 0, "clean", 1)),
            3: (case(1, 0, "mine", 2), case(2, 1, "clean", 2)),
        },
        studies={1: "a", 2: "b", 3: "c"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / KEY).write_text(small_key().to_json(), encoding="utf-8")
    return tmp_path


def put(
    folder: Path, viewer: int, *picks: object, changes: Mapping[str, Any] | None = None
) -> Path:
    document = {
        "study": small_key().studies[viewer],
        "viewer": viewer,
        "task": "pick",
        "answers": [
            {"case": number, "pick": pick, "confidence": 80}
            for number, pick in enumerate(picks, start=1)
        ],
    } | dict(changes or {})
    path = folder / f"answers-{viewer}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_key_reads_back(folder: Path) -> None:
    assert read_key(folder) == small_key()


def test_shares_confidence_agreement_and_everybody() -> None:
    sure, unsure = 0.9, 0.4
    answers: Mapping[int, Mapping[int, Answer]] = {
        1: {1: Answer(2, sure), 2: Answer(1, unsure)},  # both right
        2: {1: Answer(1, unsure), 2: Answer(1, None)},  # wrong, right
    }
    found = score(small_key(), answers)
    clean, mine = found.conditions
    assert (clean.label, clean.is_control, clean.right) == ("clean", True, wilson(2, 2))
    assert (mine.right, mine.people) == (wilson(1, 2), 1)
    assert (clean.sure_right, clean.sure_wrong) == (sure, None)
    assert (mine.sure_right, mine.sure_wrong) == (unsure, unsure)
    # Both saw Ann clean and named the same photo from different places; of Bo they did not.
    assert clean.agreement == wilson(1, 1)
    assert mine.agreement == wilson(0, 1)
    assert found.chance == pytest.approx(1 / 3)
    assert found.viewers == {1: wilson(2, 2), 2: wilson(1, 2)}
    assert found.waiting == (3,)
    assert found.everybody == ()
    assert json.loads(json.dumps(found.to_dict()))["conditions"][1]["right"]["n"] == 2
    right = score(small_key(), {1: answers[1], 2: {1: Answer(3, None), 2: Answer(1, None)}})
    assert right.everybody == ("Bo_Best",)


def test_names_are_scored_by_the_name() -> None:
    key = Key(
        "name", "Generated", 0, {"mine": False},
        {1: (Case(1, "Ann_Able", "a.jpg", "mine"), Case(2, "Bo_Best", "b.jpg", "mine")),
         2: (Case(1, "Ann_Able", "a.jpg", "mine"), Case(2, "Bo_Best", "b.jpg", "mine"))},
        {1: "a", 2: "b"},
    )  # fmt: skip
    said = {
        1: {1: Answer("ÁBLE", 1.0), 2: Answer("", 0.0)},
        2: {1: Answer("ann able", 1.0), 2: Answer("", 0.0)},
    }
    found = score(key, said)
    assert found.conditions[0].right == wilson(2, 4)
    assert found.chance is None
    assert found.conditions[0].agreement == wilson(0, 2), "to know nobody is no agreement"
    assert found.everybody == ("Ann_Able",)


def test_pages_and_tables_are_read_and_an_empty_table_is_no_answer(folder: Path) -> None:
    put(folder, 1, 2, 1)
    for viewer, lines in ((1, "1,,\n2,,\n"), (2, "1,3,70%\n2, 1 ,\n")):
        (folder / f"viewer-{viewer}").mkdir()
        table = folder / f"viewer-{viewer}" / f"answers-{viewer}.csv"
        table.write_text(f"case,pick,confidence\n{lines}", encoding="utf-8-sig")
    found = read_answers(folder, read_key(folder))
    assert found == {
        1: {1: Answer(2, 0.8), 2: Answer(1, 0.8)},
        2: {1: Answer(3, 0.7), 2: Answer(1, None)},
    }


@pytest.mark.parametrize(
    ("picks", "changes", "words"),
    [
        ((2, 1, 1), {}, "there is no case 3, but 1 to 2"),
        ((4, 1), {}, "case 1 has the pick 4, not 1 to 3"),
        ((0, 1), {}, "case 1 has the pick 0"),
        ((True, 1), {}, "case 1 has the pick True"),
        (("Ann", 1), {}, "case 1 has the pick Ann"),
        ((2,), {}, "no answer to case 2"),
        ((None, None), {}, "no answer to case 1, 2"),
        ((2, 1), {"study": "z"}, "answers other line-ups"),
        ((2, 1), {"task": "name"}, "answers other line-ups"),
        ((2, 1), {"viewer": 7}, "is of viewer 7; the key has 1 to 3"),
        ((2, 1), {"viewer": [1]}, r"is of viewer \[1\]"),
        ((2, 1), {"viewer": True}, "is of viewer True"),
        ((2, 1), {"answers": "no list"}, "is no file that the page"),
        ((2, 1), {"answers": [{"case": 1, "pick": 2}] * 2}, "answers case 1 twice"),
        ((2, 1), {"answers": [{"case": 1, "pick": 2, "confidence": 101}]}, "confidence 101"),
    ],
)
def test_what_does_not_fit_the_key_is_refused(
    folder: Path, picks: tuple[object, ...], changes: dict[str, Any], words: str
) -> None:
    put(folder, 1, *picks, changes=changes)
    with pytest.raises(AnswersError, match=words):
        read_answers(folder, read_key(folder))


def test_a_viewer_answers_once(folder: Path) -> None:
    path = put(folder, 1, 2, 1)
    path.rename(folder / "answers-1 (1).json")
    put(folder, 1, 2, 2)
    with pytest.raises(AnswersError, match="viewer 1 answered twice"):
        read_answers(folder, read_key(folder))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("answers-9.csv", "case,pick,confidence\n1,1,1\n", "is of viewer 9"),
        ("answers-ann.csv", "case,pick,confidence\n1,1,1\n", "call it answers-K.csv"),
        ("answers-1.csv", "case;pick\n1;1\n", "needs the columns case, pick, confidence"),
        ("answers-1.json", "{", "is no file that the page"),
        ("notes.txt", "", "holds no answers"),
    ],
)
def test_files_that_are_no_answers(folder: Path, name: str, text: str, words: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(AnswersError, match=words):
        read_answers(folder, read_key(folder))


def test_a_folder_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="holds no line-ups"):
        read_key(tmp_path)
    (tmp_path / KEY).write_text('{"task": "pick"}', encoding="utf-8")
    with pytest.raises(AnswersError, match="is no key"):
        read_key(tmp_path)
