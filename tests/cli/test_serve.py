"""`veilface serve`: where it listens, and its tokens."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from veilface.cli.main import app


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi", reason="the extra 'service' is not installed")
    monkeypatch.chdir(str(tmp_path))


def serve(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_loopback_only_without_tokens() -> None:
    said = serve("--host", "0.0.0.0", status=1)  # noqa: S104 - refused
    assert "without tokens the service listens on loopback only, not on 0.0.0.0" in said


def test_tokens() -> None:
    secret = serve("token", "new", "shop", "--scope", "protect,verify").strip()
    assert secret.startswith("veil_")
    listed = json.loads(serve("token", "list", "--json"))["tokens"]
    assert [(one["name"], one["scopes"]) for one in listed] == [("shop", ["protect", "verify"])]
    assert secret not in serve("token", "list")
    assert "unknown scope 'all'" in serve("token", "new", "x", "--scope", "all", status=2)
    assert "revoked" in serve("token", "revoke", "shop")
    assert "unknown token 'shop'" in serve("token", "revoke", "shop", status=2)
