"""Nobody gets anything without the right scope."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.fixtures.serving import photo_file, tiny_app
from tests.service.test_photos import sentence
from veilface.errors import ServiceError, UnknownNameError
from veilface.service.settings import SCOPES, Limits
from veilface.service.tokens import Tokens

TABLE = (
    ("POST", "/v1/protect", "protect"),
    ("POST", "/v1/verify", "verify"),
    ("PUT", "/v1/people/anna", "enrol"),
    ("GET", "/v1/people/anna", "enrol"),
    ("DELETE", "/v1/people/anna", "enrol"),
    ("POST", "/v1/identify", "identify"),
)
ANY_TOKEN = (("GET", "/v1/recognizers"), ("GET", "/metrics"))
OPEN = ("/healthz", "/readyz", "/", "/openapi.json")

Guarded = tuple[TestClient, dict[str, str]]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(("method", "path", "needed"), TABLE)
def test_scopes(guarded: Guarded, method: str, path: str, needed: str) -> None:
    client, secrets = guarded
    for headers in ({}, bearer("veil_wrong"), {"authorization": "Basic YTpi"}, bearer("")):
        response = client.request(method, path, headers=headers)
        assert "needs a valid token" in sentence(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"
    for scope in SCOPES:
        response = client.request(method, path, headers=bearer(secrets[scope]))
        if scope == needed:
            assert response.status_code not in (401, 403)
        else:
            assert f"needs the scope {needed}" in sentence(response, 403)


def test_the_table_is_complete(guarded: Guarded) -> None:
    client, _ = guarded
    listed = {
        (method.upper(), path)
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    known = {(method, path.replace("anna", "{id}")) for method, path, _ in TABLE}
    assert listed == known | set(ANY_TOKEN) | {("GET", "/healthz"), ("GET", "/readyz")}


def test_any_token_and_none(guarded: Guarded) -> None:
    client, secrets = guarded
    for method, path in ANY_TOKEN:
        assert sentence(client.request(method, path), 401)
        for secret in secrets.values():
            assert client.request(method, path, headers=bearer(secret)).status_code == 200
    for path in OPEN:
        assert client.get(path).status_code == 200


def test_revoked_at_once(guarded: Guarded, tmp_path: Path) -> None:
    client, secrets = guarded
    headers = bearer(secrets["verify"])
    assert client.get("/v1/recognizers", headers=headers).status_code == 200
    Tokens(tmp_path / "tokens.json").revoke("for verify")
    assert sentence(client.get("/v1/recognizers", headers=headers), 401)


def test_places_are_for_those_with_a_token(guarded: Guarded) -> None:
    client, _ = guarded
    state = client.app.state.veilface  # type: ignore[attr-defined]
    state.places = state.limits.max_queue
    assert sentence(client.post("/v1/protect"), 401)


def test_tokens_are_kept_as_hashes(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "tokens.json"
    tokens = Tokens(path)
    secret = tokens.new("shop", ["protect", "verify"])
    assert secret not in path.read_text()
    found = Tokens(path).find(secret)
    assert found is not None
    assert (found.name, found.scopes) == ("shop", ("protect", "verify"))
    assert tokens.find(secret[:-1]) is None
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IWOTH == 0
    with pytest.raises(ServiceError, match="there is a token 'shop' already"):
        tokens.new("shop", ["protect"])
    with pytest.raises(UnknownNameError, match="unknown scope 'delete'"):
        tokens.new("other", ["delete"])
    with pytest.raises(ServiceError, match="printable"):
        tokens.new("a\nb", ["protect"])
    with pytest.raises(UnknownNameError, match="unknown token 'shop2'; did you mean 'shop'"):
        tokens.revoke("shop2")
    path.write_text("{}")
    path.write_text('[{"name": 1}]')
    with pytest.raises(ServiceError, match="cannot be read"):
        Tokens(path).all()


def test_other_sites_are_kept_out_without_tokens(client: TestClient) -> None:
    assert "localhost only" in sentence(
        client.get("/v1/recognizers", headers={"host": "rebound.example"}), 421
    )
    for origin in ("https://elsewhere.example", "null", "http://127.0.0.1:9999"):
        response = client.get("/v1/recognizers", headers={"origin": origin})
        assert "its own page only" in sentence(response, 403)
    own = client.get("/v1/recognizers", headers={"origin": "http://127.0.0.1:8000"})
    assert own.status_code == 200


def test_limits_of_bodies_and_pixels() -> None:
    limits = Limits(max_body=3000, max_pixels=50_000)
    with TestClient(tiny_app(limits=limits), base_url="http://localhost") as client:
        large = client.post("/v1/protect", files={"photo": b"x" * 3001})
        assert "more than the 3,000 bytes" in sentence(large, 413)
        kind = {"content-type": "multipart/form-data; boundary=x"}
        chunks = (b"--x\r\n" for _ in range(1000))
        streamed = client.post("/v1/protect", content=chunks, headers=kind)
        assert "more than the 3,000 bytes" in sentence(streamed, 413)
    with TestClient(tiny_app(limits=Limits(max_pixels=50_000)), base_url="http://[::1]") as client:
        wide = client.post("/v1/protect", files={"photo": photo_file()})
        assert "at most 50,000 pixels" in sentence(wide, 422)
        assert client.app.state.veilface.places == 0  # type: ignore[attr-defined]
        assert client.app.state.veilface.reserved == 0  # type: ignore[attr-defined]


def test_logs_tell_on_nobody(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    client, secrets = guarded
    caplog.set_level(logging.INFO, "veilface.service")
    photo = photo_file()
    path = "/v1/people/anna.secret"
    calls: tuple[Callable[[], object], ...] = (
        lambda: client.put(path, files={"photo": photo}, headers=bearer(secrets["enrol"])),
        lambda: client.get(path, headers=bearer(secrets["enrol"])),
        lambda: client.post(
            "/v1/identify",
            files={"photo": ("anna.png", photo)},
            headers=bearer(secrets["identify"]),
        ),
        lambda: client.delete(path, headers=bearer(secrets["enrol"])),
        lambda: client.delete(path, headers=bearer(secrets["enrol"])),
    )
    for call in calls:
        call()
    lines = [r for r in caplog.records if r.name.startswith("veilface")]
    assert "anna" not in caplog.text
    assert all(secret not in caplog.text for secret in secrets.values())
    audits = [json.loads(r.message) for r in lines if r.name == "veilface.service.audit"]
    assert [line["action"] for line in audits] == ["enrol", "identify", "delete", "delete nobody"]
    assert [line["token"] for line in audits] == ["for enrol", "for identify", *["for enrol"] * 2]
    first, _, second, _ = (line["person"] for line in audits)
    assert first == second != "anna.secret"
    requests = [json.loads(r.message) for r in lines if r.name == "veilface.service"]
    assert {line["route"] for line in requests} == {"/v1/people/{id}", "/v1/identify"}
    assert [line["request"] for line in audits] == [
        line["request"] for line in requests if line["method"] != "GET"
    ]
