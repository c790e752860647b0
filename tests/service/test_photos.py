"""`/v1/protect` and `/v1/verify` with tiny recognisers."""

from __future__ import annotations

import base64
import io
import zipfile

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from tests.fixtures.bad_files import BAD
from tests.fixtures.serving import photo_file
from veilface.imaging.provenance import read_mark


def protect(client: TestClient, data: bytes | None = None, /, **fields: str) -> Response:
    files = {"photo": ("a.png", data or photo_file())}
    response: Response = client.post("/v1/protect", files=files, data=fields)
    return response


def sentence(response: Response, status: int) -> str:
    """The detail of a problem document, after a look at the rest of it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert set(document) == {"type", "title", "status", "detail", "instance"}
    assert document["status"] == status
    assert document["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    assert "/home" not in response.text
    assert ".py" not in response.text
    detail: str = document["detail"]
    return detail


def test_protect(client: TestClient) -> None:
    response = protect(client, photo_file(2))
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["preset"] == "persona"
    assert answer["recognizers"] == ["a", "b", "c"]
    assert answer["media_type"] == "image/png"
    assert answer["pasted"] is None
    assert len(answer["faces"]) == 2
    for face in answer["faces"]:
        data = base64.b64decode(face["image"])
        assert Image.open(io.BytesIO(data)).size == (112, 112)
        mark = read_mark(data)
        assert mark is not None
        assert mark.preset == "persona"
        assert set(face["similarity"]) == {"a", "b", "c"}
        assert len(face["landmarks"]) == 5


def test_options(client: TestClient) -> None:
    answer = protect(client, photo_file(2), largest="true", recognizer="b", format="jpeg").json()
    assert len(answer["faces"]) == 1
    assert answer["recognizers"] == ["b"]
    assert base64.b64decode(answer["faces"][0]["image"]).startswith(b"\xff\xd8")


def test_whole_photo_and_zip(client: TestClient) -> None:
    source = photo_file()
    whole = protect(client, source, answer="photo")
    assert whole.headers["content-type"] == "image/png"
    before = np.asarray(Image.open(io.BytesIO(source)))
    after = np.asarray(Image.open(io.BytesIO(whole.content)))
    assert before.shape == after.shape
    assert (before != after).any()
    assert (before[:10] == after[:10]).all()
    packed = protect(client, source, answer="zip", paste="true")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == ["face-1.veil.png", "photo.veil.png"]


def test_cover(client: TestClient) -> None:
    answer = protect(client, cover="pixelate").json()
    assert answer["preset"] == "cover-pixelate"
    assert answer["recognizers"] == []
    assert answer["pasted"] is not None


def test_verify(client: TestClient) -> None:
    photo = photo_file()
    face = base64.b64decode(protect(client, photo).json()["faces"][0]["image"])
    same = client.post("/v1/verify", files={"a": photo, "b": photo}, data={"fmr": "0.01"}).json()
    assert same["match"] is True
    assert [one["score"] for one in same["results"]] == pytest.approx([1, 1, 1])
    assert [one["took_part"] for one in same["results"]] == [None] * 3
    veiled = client.post("/v1/verify", files={"a": photo, "b": face}, data={"recognizer": "a,b"})
    assert [one["recognizer"] for one in veiled.json()["results"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"preset": "persons"}, "unknown preset 'persons'; did you mean 'persona'?"),
        ({"recognizer": "a,onnx:/etc/passwd"}, "unknown recogniser 'onnx:/etc/passwd'"),
        ({"cover": "paint"}, "unknown cover 'paint'"),
        ({"format": "gif"}, "format: Input should be 'png' or 'jpeg'"),
        ({"seed": "1"}, "seed: Extra inputs are not permitted"),
        ({"aligned": "true", "paste": "true"}, "use one"),
        ({"aligned": "true"}, "the photo is 260x240; an aligned crop is 112x112"),
    ],
)
def test_wrong_options(client: TestClient, fields: dict[str, str], words: str) -> None:
    assert words in sentence(protect(client, None, **fields), 422)


def test_outputs_are_not_protected_again_unasked(client: TestClient) -> None:
    whole = protect(client, answer="photo").content
    assert "was made by veilface already" in sentence(protect(client, whole), 422)
    assert protect(client, whole, again="true").status_code == 200


@pytest.mark.parametrize("name", BAD)
def test_bad_photos_get_the_sentences_of_the_command_line(client: TestClient, name: str) -> None:
    content, words = BAD[name]
    files = {"photo": (name, content(), "image/jpeg")}
    detail = sentence(client.post("/v1/protect", files=files), 422)
    assert words in detail
    assert name not in detail, "a name may tell on somebody"


def test_bodies_that_are_no_form(client: TestClient) -> None:
    post = client.post
    assert "multipart/form-data" in sentence(post("/v1/protect", json={"photo": "x"}), 415)
    kind = {"content-type": "multipart/form-data; boundary=x"}
    cut = b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n' + b"\x89PNG"
    assert "missing" in sentence(post("/v1/protect", content=cut, headers=kind), 422)
    assert "damaged" in sentence(post("/v1/protect", content=b"\r\n--y", headers=kind), 400)
    kind = {"content-type": "multipart/form-data"}
    assert "damaged" in sentence(post("/v1/protect", content=cut, headers=kind), 400)
    assert "not asked for" in sentence(post("/v1/protect", files={"face": b"x"}), 422)
    twice = [("photo", ("a", b"x")), ("photo", ("b", b"y"))]
    assert "given twice" in sentence(post("/v1/protect", files=twice), 422)
    assert "missing" in sentence(post("/v1/protect", files={"x": (None, "y")}), 422)


def test_unknown_places(client: TestClient) -> None:
    assert "Not Found" in sentence(client.get("/v2/protect"), 404)
    assert "Not Allowed" in sentence(client.get("/v1/protect"), 405)
    assert sentence(client.get("/../../etc/passwd"), 404)
    assert sentence(client.get("/%2e%2e/app.py"), 404)
