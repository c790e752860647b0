"""`veilface lineup` from photos to a table."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fixtures.lineups import plain_attributes
from tests.fixtures.people import synthetic_people
from veilface.cli.main import app
from veilface.datasets.base import FaceRecord
from veilface.evaluation.asking import material
from veilface.evaluation.asking.key import read_key


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    for record in synthetic_people(5, alone=8).records:
        write(root, record)
    return root


@pytest.fixture(autouse=True)
def _without_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "attributes", plain_attributes)


def write(root: Path, record: FaceRecord) -> None:
    assert isinstance(record.source, bytes)
    (root / record.name).parent.mkdir(exist_ok=True)
    (root / record.name).write_bytes(record.source)


def make(root: Path, output: Path, *options: str) -> Result:
    command = ["lineup", "make", "--dataset", "folders", "--root", str(root), "-o", str(output)]
    return CliRunner().invoke(app, [*command, "--device", "cpu", *options])


def conditions(*whats: str) -> list[str]:
    return [word for what in whats for word in ("--condition", what)]


def test_from_photos_to_a_table(faces: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for record in synthetic_people(5, alone=8, seed=3).records:  # somebody else in each place
        if record.name.endswith("1.png"):
            write(elsewhere, record)
    folder = tmp_path / "asked"
    made = make(
        faces, folder, *conditions("clean", f"other={elsewhere}"), "--people", "4", "--viewers", "3"
    )
    assert made.exit_code == 0, made.output
    assert "2 cases of each of 2 conditions a viewer, 6 answers a condition" in made.stdout
    key = read_key(folder)
    assert all(case.source.endswith("1.png") for case in key.viewers[1]), "what the folder has"
    for viewer in (1, 2):  # whoever sees the person clean knows, else the first is picked
        rows = [
            (
                case.number,
                case.candidates.index(case.source) + 1 if case.condition == "clean" else 1,
                90 if case.condition == "clean" else 10,
            )
            for case in key.viewers[viewer]
        ]
        with (folder / f"viewer-{viewer}" / f"answers-{viewer}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("case", "pick", "confidence"), *rows])
    scored = CliRunner().invoke(app, ["lineup", "score", str(folder)])
    assert scored.exit_code == 0, scored.output
    (clean,) = (line for line in scored.stdout.splitlines() if line.startswith("clean *"))
    assert clean.split() == ["clean", "*", "1.00", "[0.51,", "1.00]", "4", "4", "90%", "-", "-"]
    assert "no answers yet of viewer 3" in scored.stdout
    assert "chance: 0.10" in scored.stdout
    again = CliRunner().invoke(app, ["lineup", "score", str(folder), "--json"])
    document = json.loads(again.stdout)
    assert document == json.loads((folder / "score.json").read_text())
    assert [one["label"] for one in document["conditions"]] == ["clean", "other"]
    expected = sum(
        case.candidates[0] == case.source
        for viewer in (1, 2)
        for case in key.viewers[viewer]
        if case.condition == "other"
    )
    assert document["conditions"][1]["right"]["value"] == expected / 4


def test_equal_seeds_write_equal_files(faces: Path, tmp_path: Path) -> None:
    options = (*conditions("blur", "unmask:blur"), "--people", "4", "--viewers", "2")
    written = []
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert make(faces, tmp_path / folder, *options, "--seed", seed).exit_code == 0
        files = sorted((tmp_path / folder).rglob("*.*"))
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_those_with_the_most_photos_are_to_be_named(faces: Path, tmp_path: Path) -> None:
    made = make(faces, tmp_path / "a", *conditions("blur"), "--people", "5", "--task", "name")
    assert made.exit_code == 0, made.output
    shown = {case.person for case in read_key(tmp_path / "a").viewers[1]}
    assert shown == {f"person{number:03d}" for number in range(5)}, "two photos, not one"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (conditions("personna"), 2, "did you mean 'persona'"),
        (conditions("clean", "blur", "grey"), 1, "take 18 or 21 people"),
        ((*conditions("clean"), "--people", "14"), 1, "13 people of .* 14 are to be asked about"),
        ((*conditions("clean"), "--task", "guess"), 2, "guess"),
    ],
)
def test_sentences(
    faces: Path, tmp_path: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    made = make(faces, tmp_path / "a", *options)
    assert made.exit_code == status
    assert re.search(words, made.stderr)
    assert not (tmp_path / "a").exists()


def test_a_folder_is_asked_about_once(faces: Path, tmp_path: Path) -> None:
    options = (*conditions("clean"), "--people", "2", "--viewers", "1")
    assert make(faces, tmp_path, *options).exit_code == 0
    again = make(faces, tmp_path, *options)
    assert again.exit_code == 1
    assert "holds line-ups already" in again.stderr
    scored = CliRunner().invoke(app, ["lineup", "score", str(tmp_path)])
    assert scored.exit_code == 1
    assert "holds no answers" in scored.stderr


def test_without_age_and_sex_it_says_what_to_fetch(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "none"))
    made = make(faces, tmp_path / "a", *conditions("clean"), "--people", "2")
    assert made.exit_code == 1
    assert "veilface recognizers fetch faceres" in made.stderr
