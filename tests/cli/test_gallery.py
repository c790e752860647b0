"""`veilface gallery`: enrolled from photos, found from protected images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.photos import photo_pixels
from veilface.cli.main import app
from veilface.gallery import Space, open_gallery
from veilface.imaging.encode import encode
from veilface.imaging.provenance import Mark
from veilface.imaging.tensors import to_uint8

pytest.importorskip("alembic", reason="the extra 'service' is not installed")


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VEILFACE_DATABASE", raising=False)
    for number, face in enumerate(synthetic_faces(3)):
        pixels = to_uint8(face)
        Image.fromarray(pixels).save(f"{number}.png")
        mark = Mark(tool="veilface", version="1", preset="persona", recognizers=("dlib",))
        Path(f"{number}.veil.png").write_bytes(encode(pixels, format="png", mark=mark))


def veilface(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["gallery", *arguments])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def test_enrol_find_list_and_remove() -> None:
    veilface("add", "Ann", "0.png", "0.veil.png", "--aligned", "--recognizer", "dlib")
    added = veilface("add", "Bob", "1.png", "--aligned")  # with the recogniser that is there
    assert added.stdout == "Bob: 1 added, 1 embeddings of dlib in gallery.db\n"
    # An output of veilface is an aligned crop without saying so.
    found = veilface("find", "0.veil.png", "--fpir", "0.05", "--json")
    document = json.loads(found.stdout)
    assert [c["id"] for c in document["candidates"]] == ["Ann", "Bob"]
    assert document["candidates"][0]["score"] == pytest.approx(1, abs=1e-5)
    assert document["candidates"][0]["match"] is True
    assert document["rule"]["size"] == 3
    assert document["rule"]["fmr"] == 0.01
    people = json.loads(veilface("list", "--json").stdout)["people"]
    assert {p["id"]: [r["source"] for r in p["records"]] for p in people} == {
        "Ann": ["photo", "protected"],
        "Bob": ["photo"],
    }
    assert veilface("remove", "Ann").stdout == "Ann: removed\n"
    assert veilface("remove", "Ann", status=1).stdout == "Ann: nobody has that id\n"
    assert veilface("list").stdout.split()[:4] == ["person", "embeddings", "enrolled", "Bob"]


def test_a_decision_that_nobody_can_make() -> None:
    veilface("add", "Ann", "0.png", "--aligned", "--recognizer", "dlib")
    found = veilface("find", "0.png", "--aligned", "--fpir", "0.0001", status=2)
    assert "Ann" in found.stdout
    assert "undecided" in found.stdout
    assert "calibrated down to 0.001 only, so nothing is decided" in found.stderr


def test_a_photo_of_several_people_is_doubtful() -> None:
    Image.fromarray(photo_pixels(2)).save("two.png")
    refused = veilface("add", "Ann", "0.veil.png", "two.png", "--recognizer", "dlib", status=2)
    assert "two.png has 2 faces" in refused.stderr
    assert not Path("gallery.db").exists()
    veilface("add", "Ann", "two.png", "--recognizer", "dlib", "--largest")
    veilface("find", "two.png", "--largest", "--fpir", "0.05")


@pytest.mark.parametrize("arguments", [("list",), ("remove", "Ann"), ("find", "0.veil.png")])
def test_a_gallery_that_is_not_there(arguments: tuple[str, ...]) -> None:
    result = veilface(*arguments, "--database", "none.db", status=2)
    assert "there is no gallery in none.db; 'veilface gallery add' makes one" in result.stderr
    assert not Path("none.db").exists()


def test_a_database_of_several_recognisers() -> None:
    for name in ("dlib", "sface"):
        veilface("add", name, "0.png", "--aligned", "--recognizer", name)
    result = veilface("list", status=2)
    assert "gallery.db has galleries of dlib, sface; choose one with --recognizer" in result.stderr
    assert "sface" in veilface("list", "--recognizer", "sface").stdout
    assert "available: dlib, sface" in veilface("list", "--recognizer", "x", status=2).stderr


def test_other_weights_are_refused() -> None:
    open_gallery("gallery.db", Space("dlib", "ab" * 32, 128)).close()
    result = veilface("add", "Ann", "0.png", "--aligned", status=2)
    assert "made with other weights of dlib" in result.stderr


def test_a_password_is_not_shown() -> None:
    address = "postgresql://me:secret@127.0.0.1:1/x"
    result = veilface("list", "--database", address, status=2)
    assert "127.0.0.1" in result.stderr
    assert "secret" not in result.output
