"""Names of databases, and what is imported for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.enrolling import space_named, unit_vectors
from veilface.errors import GalleryError, MissingExtraError
from veilface.gallery import open_gallery

SPACE = space_named("tiny")


@pytest.mark.parametrize("name", ["g.db", "sqlite:///{}/g.db", "Ge#?rät 1.db"])
def test_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pytest.importorskip("alembic", reason="the extra 'service' is not installed")
    monkeypatch.chdir(tmp_path)
    with open_gallery(name.format(tmp_path), SPACE) as gallery:
        gallery.enrol("a", unit_vectors(1))
        names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == Path(name).name


@pytest.mark.parametrize(
    "name", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "://", "nonsense://x"]
)
def test_names_of_nothing(name: str) -> None:
    pytest.importorskip("alembic", reason="the extra 'service' is not installed")
    with pytest.raises(GalleryError):
        open_gallery(name, SPACE)


@pytest.mark.parametrize(
    ("package", "database", "extra"),
    [("sqlalchemy", "g.db", "service"), ("pgvector", "postgresql://localhost/x", "postgres")],
)
def test_packages_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, database: str, extra: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'{package} .*pip install "veilface\[{extra}\]"'):
        open_gallery(database, SPACE)
    assert list(tmp_path.iterdir()) == []


def test_the_packages_are_imported_when_a_gallery_is_opened() -> None:
    code = (
        "import sys, veilface, veilface.gallery, veilface.pipeline.verify, veilface.cli.main\n"
        "print([n for n in ('sqlalchemy', 'alembic', 'psycopg', 'pgvector') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
