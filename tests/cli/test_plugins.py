"""Packages that add to the registries: the page that says how, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.people import synthetic_people
from tests.fixtures.program import REPOSITORY, command
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8

tomllib = pytest.importorskip("tomllib", reason="comes with Python 3.11")

PAGE = REPOSITORY / "docs" / "own_method.md"


def install(folder: Path, name: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    """What an installer leaves of a package that adds entry points."""
    about = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page, and one beside it of which nothing works."""
    folder = tmp_path_factory.mktemp("site")
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for name, block in zip(("my_faces", "my_colours", "my_attacks"), blocks, strict=True):
        (folder / f"{name}.py").write_text(block)
    project = tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])["project"]
    install(folder, project["name"], project["entry-points"])
    (folder / "hopeless.py").write_text("NUMBER = 1\n")
    bad = {"gone": "not_there:SPEC", "number": "hopeless:NUMBER", "clean": "hopeless:NUMBER"}
    install(folder, "hopeless", {"veilface.protectors": bad})
    return folder


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("album")
    for record in synthetic_people(3, alone=3).records:
        assert isinstance(record.source, bytes)
        (root / record.name).parent.mkdir(exist_ok=True)
        (root / record.name).write_bytes(record.source)
    return root


def veilface(site: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "VEILFACE_CACHE": str(cache)}
    return subprocess.run(
        command(*arguments), env=env, capture_output=True, text=True, check=False, cwd=cache
    )


def test_the_page_works_as_it_stands(site: Path, album: Path, tmp_path: Path) -> None:
    options = ["--dataset", "album", "--root", str(album), "--preset", "tiles,negative"]
    options += ["--targets", "colours", "--no-controls", "--no-adr", "--device", "cpu", "--json"]
    done = veilface(site, tmp_path, "evaluate", *options, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    rows = {row["protector"]: row for row in json.loads(done.stdout)["rows"]}
    assert set(rows) == {"tiles", "negative"}
    assert rows["tiles"]["target"] == "colours"
    assert 0 < rows["tiles"]["measures"]["ssim"]["value"] < 0.9
    assert "not_there" not in done.stderr, "nobody asked for this method"


def test_its_attack_is_scored(site: Path, album: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, face in enumerate(to_uint8(synthetic_faces(20, seed=5))):
        (photos / f"{number:02d}.png").write_bytes(encode(face, format="png"))
    options = ["--protector", "tiles", "--dataset", "album", "--root", str(album), "--limit", "3"]
    options += ["--faces", str(photos), "--judge", "dlib", "--device", "cpu", "--json"]
    done = veilface(site, tmp_path, "attack", "untile", *options, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["attack"], document["level"]) == ("untile", "bystander")
    assert document["about"] == {"photos": 20}
    assert 0 < document["measures"]["ssim"]["value"] < 1


def test_its_recogniser_is_listed_and_present(site: Path, tmp_path: Path) -> None:
    done = veilface(site, tmp_path, "recognizers", "list")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("colours"))
    assert line.split()[2] == "yes"
    assert any(line.startswith("dlib") for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "'gone' of the package hopeless (veilface.protectors, not_there:SPEC) does not"),
        ("number", "must be of the type MethodSpec, not int"),
    ],
)
def test_a_broken_method_is_an_error_for_who_asks_for_it(
    site: Path, album: Path, tmp_path: Path, name: str, words: str
) -> None:
    options = ("--dataset", "album", "--root", str(album), "--preset", name)
    done = veilface(site, tmp_path, "evaluate", *options, "--targets", "dlib")
    assert done.returncode == 1
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("error:"))
    assert words in sentence
    assert "Traceback" not in done.stderr


def test_broken_methods_are_told_of_where_all_names_are_wanted(
    site: Path, album: Path, tmp_path: Path
) -> None:
    options = ("--dataset", "album", "--root", str(album), "--preset", "tilez")
    done = veilface(site, tmp_path, "evaluate", *options, "--targets", "dlib")
    assert done.returncode == 2
    assert "did you mean 'tiles'" in done.stderr
    for words in ("'gone' of the package", "'number' of", "'clean' of", "the name is taken"):
        assert done.stderr.count(words) == 1, done.stderr
    assert "ModuleNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr
