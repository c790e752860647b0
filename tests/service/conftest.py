"""Services that tests talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'service' is not installed")

from fastapi.testclient import TestClient

from tests.fixtures.serving import tiny_app
from tests.fixtures.threads import one_thread
from veilface.service.settings import SCOPES
from veilface.service.tokens import Tokens

__all__ = ["one_thread"]

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service on loopback, with a gallery and without tokens."""
    database = tmp_path_factory.mktemp("people") / "gallery.db"
    with TestClient(tiny_app(database=database), base_url=LOCAL) as made:
        yield made


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A service with one token a scope, and these tokens."""
    tokens = Tokens(tmp_path / "tokens.json")
    secrets = {scope: tokens.new(f"for {scope}", [scope]) for scope in SCOPES}
    app = tiny_app(tokens=tokens, database=tmp_path / "gallery.db")
    with TestClient(app, base_url="http://service.example") as made:
        yield made, secrets
