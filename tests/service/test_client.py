"""`veilface.client` against a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.serving import photo_file, served, tiny_app
from veilface.client import AsyncClient, Client, RemoteError
from veilface.imaging.provenance import read_mark


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("people") / "gallery.db"
    with served(tiny_app(database=database)) as url:
        yield url


def test_all_calls(address: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(photo_file())
    with Client(address) as client:
        made = client.protect(path, paste=True, recognizer="a,b")
        assert made.recognizers == ("a", "b")
        assert made.pasted is not None
        assert read_mark(made.faces[0].image) is not None
        assert "PNG" not in repr(made)
        again = client.verify(path, made.faces[0].image, recognizer="a", fmr=0.01)
        assert again.results[0].threshold == 0.9
        assert client.enrol("a b/c".replace("/", "-"), path).sources == ("photo",)
        assert client.enrol("a b-c", made.faces[0].image, add=True).sources == (
            "photo",
            "protected",
        )
        assert client.person("a b-c").id == "a b-c"
        assert client.identify(path, limit=1).candidates[0].id == "a b-c"
        client.delete("a b-c")
        with pytest.raises(RemoteError, match="nobody has that id") as error:
            client.delete("a b-c")
        assert error.value.status == 404
        assert error.value.request_id
        with pytest.raises(RemoteError, match="is text, not an image"):
            client.protect(b"no photo at all\n" * 9)


def test_many_at_once(address: str) -> None:
    async def several() -> list[str]:
        async with AsyncClient(address) as client:
            made = await asyncio.gather(*(client.protect(photo_file(seed=k)) for k in range(4)))
            checked = await client.verify(photo_file(), photo_file(), fmr=0.01)
            assert checked.match is True
            await client.enrol("x", photo_file())
            assert (await client.person("x")).id == "x"
            assert (await client.identify(photo_file())).candidates
            await client.delete("x")
            return [name for one in made for name in one.recognizers]

    assert asyncio.run(several()) == ["a", "b", "c"] * 4


def test_nobody_there() -> None:
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(RemoteError, match="cannot be reached") as error:
            client.person("x")
        assert error.value.status == 0
