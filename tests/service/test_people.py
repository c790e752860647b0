"""The gallery over HTTP."""

from __future__ import annotations

import base64

import pytest
from fastapi.testclient import TestClient

from tests.fixtures.serving import photo_file, tiny_app
from tests.service.test_photos import protect, sentence


def test_enrol_find_delete(client: TestClient) -> None:
    for seed, name in enumerate(("anna", "Bob Ünal"), start=1):
        stored = client.put(f"/v1/people/{name}", files={"photo": photo_file(seed=seed)}).json()
        assert stored["id"] == name
        assert [record["source"] for record in stored["records"]] == ["photo"]
    face = protect(client, photo_file(seed=1)).json()["faces"][0]["image"]
    veiled = {"photo": base64.b64decode(face)}
    added = client.put("/v1/people/anna", files=veiled, data={"add": "true"}).json()
    assert [record["source"] for record in added["records"]] == ["photo", "protected"]
    assert client.get("/v1/people/anna").json() == added
    found = client.post(
        "/v1/identify", files={"photo": photo_file(seed=2)}, data={"limit": "1", "fpir": "0.05"}
    ).json()
    assert [one["id"] for one in found["candidates"]] == ["Bob Ünal"]
    assert found["candidates"][0]["score"] == pytest.approx(1)
    assert found["candidates"][0]["match"] is True
    assert found["rule"]["size"] == 3
    assert "false positive identification rate of 0.05" in found["explanation"]
    replaced = client.put("/v1/people/anna", files=veiled).json()
    assert [record["source"] for record in replaced["records"]] == ["protected"]
    assert client.delete("/v1/people/anna").status_code == 204
    assert "nobody has that id" in sentence(client.delete("/v1/people/anna"), 404)
    assert "nobody has that id" in sentence(client.get("/v1/people/anna"), 404)


@pytest.mark.parametrize("name", ["%00", " a", "x" * 129, "%0A", "..%5C.."])
def test_ids_that_are_none(client: TestClient, name: str) -> None:
    response = client.put(f"/v1/people/{name}", files={"photo": photo_file()})
    assert sentence(response, 422)


def test_photos_that_name_nobody(client: TestClient) -> None:
    two = {"photo": photo_file(2)}
    assert "doubtful who is meant" in sentence(client.put("/v1/people/x", files=two), 422)
    stored = client.put("/v1/people/x", files=two, data={"largest": "true"})
    assert stored.status_code == 200
    assert "fpir" in sentence(client.post("/v1/identify", files=two, data={"fpir": "0"}), 422)
    nobody = {"photo": photo_file(0)}
    assert "no face found" in sentence(client.post("/v1/identify", files=nobody), 422)


def test_without_a_gallery() -> None:
    with TestClient(tiny_app(), base_url="http://localhost") as client:
        assert "has no gallery" in sentence(client.get("/v1/people/anna"), 404)
        photo = {"photo": photo_file()}
        assert "has no gallery" in sentence(client.post("/v1/identify", files=photo), 404)
        assert client.get("/v1/recognizers").json()["gallery"] is None
