"""The OpenAPI document: as it was agreed, and nothing that follows it breaks the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from tests.fixtures.serving import tiny_app

if TYPE_CHECKING:
    from schemathesis import Case

SNAPSHOT = Path(__file__).with_name("openapi.json")


def test_snapshot(client: TestClient) -> None:
    """After a wanted change, write what `tiny_app().openapi()` gives to the file."""
    document = client.get("/openapi.json").json()
    assert document | {"info": None} == json.loads(SNAPSHOT.read_text()) | {"info": None}


def test_no_input_makes_it_fail(tmp_path: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error

    app = tiny_app(database=tmp_path / "gallery.db", steps=1)
    with TestClient(app, base_url="http://localhost") as client:
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        asked = 0
        for found in schema.get_all_operations():

            @given(case=found.ok().as_strategy())
            @settings(
                max_examples=15,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: Case[Any]) -> None:
                nonlocal asked
                asked += 1
                response = case.call(session=client, base_url="http://localhost")
                case.validate_response(response, checks=[not_a_server_error])

            ask()
    assert asked >= 60
