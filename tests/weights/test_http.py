"""Downloads against a local server with faults; no test here leaves this machine.

Nothing below says how the real hosts behave: they were never asked.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures.fault_server import Fault, Served, serve
from veilface.errors import WeightsError
from veilface.recognizers import get_spec
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights import http, store
from veilface.weights.downloads import plan
from veilface.weights.spec import WeightFile, WeightSource

CONTENT = bytes(range(256)) * 800
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as served:
        served.content = CONTENT
        yield served


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VEILFACE_OFFLINE", raising=False)
    return tmp_path / "cache"


def spec_for(url: str, *, known: bool = True, about: int = 200_000) -> RecognizerSpec:
    """A recogniser whose one file is served; its size and hash are published or not."""
    file = (
        WeightFile("a.pt", len(CONTENT), SHA256) if known else WeightFile("a.pt", None, None, about)
    )
    source = WeightSource("http", "owner/models", "v1", (file,), address=url)
    return replace(get_spec("facenet-casia"), name="served", source=source)


def files_in(cache: Path) -> set[str]:
    return {p.name for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock"}


# store


def test_fetches_once_and_checks(server: Served, cache: Path) -> None:
    spec = spec_for(server.url)
    assert not store.present(spec)
    (path,) = store.fetch(spec)
    assert path.read_bytes() == CONTENT
    assert store.present(spec)
    assert store.fetch(spec) == store.locate(spec) == (path,)
    assert server.ranges == [None]
    assert files_in(cache) == {"a.pt"}


def test_wrong_hash_keeps_nothing(server: Served, cache: Path) -> None:
    server.content = OTHER
    with pytest.raises(WeightsError, match=rf"sha256 is [0-9a-f]{{64}}, expected {SHA256}"):
        store.fetch(spec_for(server.url))
    assert files_in(cache) == set()


def test_hash_of_the_first_copy_is_recorded_and_checked(server: Served, cache: Path) -> None:
    spec = spec_for(server.url, known=False)
    (path,) = store.fetch(spec)
    record = path.with_name("a.pt.sha256")
    assert record.read_text(encoding="utf-8") == f"{SHA256}  a.pt\n"
    assert store.hashes(spec) == (SHA256,)
    assert files_in(cache) == {"a.pt", "a.pt.sha256"}
    path.write_bytes(OTHER)
    with pytest.raises(WeightsError, match="not the expected file"):
        store.locate(spec)
    # what is published now must be what was published then
    server.content = OTHER + b"."
    with pytest.raises(WeightsError, match=r"to accept it, delete .*a\.pt\.sha256"):
        store.fetch(spec)
    server.content = CONTENT
    assert store.fetch(spec)[0].read_bytes() == CONTENT


def test_a_file_put_there_by_hand_is_recorded_without_download(
    server: Served, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    spec = spec_for(server.url, known=False)
    (path,) = store.paths(spec)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert not store.present(spec)
    with pytest.raises(WeightsError, match="run: veilface recognizers fetch served"):
        store.locate(spec)
    assert not plan(spec).needed
    store.fetch(spec)
    assert store.present(spec)
    assert store.hashes(spec) == (SHA256,)
    assert server.ranges == []


@pytest.mark.parametrize("record", ["", "abc  a.pt\n", SHA256, f"{SHA256.upper()}  a.pt\n"])
def test_a_damaged_record_is_no_licence(server: Served, record: str) -> None:
    spec = spec_for(server.url, known=False)
    (path,) = store.fetch(spec)
    path.with_name("a.pt.sha256").write_text(record, encoding="utf-8")
    for ask in (store.locate, store.fetch):
        with pytest.raises(WeightsError, match="not a recorded sha256; delete it"):
            ask(spec)


def test_offline(server: Served, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_for(server.url)
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    with pytest.raises(WeightsError, match=rf"VEILFACE_OFFLINE .*by hand: put {server.url}/a\.pt"):
        store.fetch(spec)
    assert server.ranges == []
    assert not cache.exists()
    monkeypatch.delenv("VEILFACE_OFFLINE")
    store.fetch(spec)
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    assert store.fetch(spec) == store.locate(spec)


def test_plan_downloads_nothing(server: Served, cache: Path) -> None:
    spec = spec_for(server.url, known=False)
    found = plan(spec)
    assert found.needed
    assert found.files == (f"{server.url}/a.pt",)
    assert found.size == 200_000
    assert found.folder == str(cache / "weights" / "served")
    assert server.ranges == []
    assert not cache.exists()
    store.fetch(spec)
    assert not plan(spec).needed


def test_concurrent_processes_download_once(server: Served) -> None:
    server.faults = [Fault(wait=0.2)]
    program = (
        "from tests.weights.test_http import spec_for\n"
        "from veilface.weights import store\n"
        f"print(len(store.fetch(spec_for({server.url!r}, known=False))))\n"
    )
    root = Path(__file__).resolve().parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert outputs == [b"1\n"] * 3
    assert server.ranges == [None]


# download


def get(
    server: Served,
    folder: Path,
    *,
    timeout: float = 60,
    silence: float = 20,
    size: int | None = None,
) -> bytes:
    what = http.Download(f"{server.url}/a.pt", folder / "a.pt", 300_000, size)
    part = http.download(what, timeout=timeout, silence=silence, pause=0.01)
    content = part.read_bytes()
    what.discard()
    return content


def test_goes_on_where_it_broke_off(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(cut=100_000), Fault(cut=50_000)]
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_goes_on_in_a_later_call(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(cut=1000)] + [Fault(status=503)] * 3
    with pytest.raises(WeightsError, match="HTTP status 503"):
        get(server, tmp_path)
    assert get(server, tmp_path) == CONTENT
    assert server.ranges[-1] == "bytes=1000-"


@pytest.mark.parametrize(
    "later",
    [Fault(etag='"2"'), Fault(ranges=False)],
    ids=["another version", "no ranges"],
)
def test_begins_again_when_it_cannot_go_on(later: Fault, server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(cut=1000), later]
    server.content = CONTENT
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None, "bytes=1000-"]


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_begins_again_without_a_version(etag: str | None, server: Served, tmp_path: Path) -> None:
    """Two halves of different files must not become one."""
    server.faults = [Fault(cut=1000, etag=etag)]
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None, None]


def test_a_beginning_that_nobody_knows_is_not_used(server: Served, tmp_path: Path) -> None:
    (tmp_path / "a.pt.part").write_bytes(b"evil")
    assert get(server, tmp_path) == CONTENT
    for state in ("", "[]", '{"url": "https://other/a.pt", "etag": "\\"1\\""}', '{"etag": 1}'):
        (tmp_path / "a.pt.part").write_bytes(b"evil")
        (tmp_path / "a.pt.part.json").write_text(state, encoding="utf-8")
        assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None] * 5


def test_a_beginning_longer_than_the_file(server: Served, tmp_path: Path) -> None:
    (tmp_path / "a.pt.part").write_bytes(CONTENT + b"more")
    state = f'{{"url": "{server.url}/a.pt", "etag": "\\"1\\""}}'
    (tmp_path / "a.pt.part.json").write_text(state, encoding="utf-8")
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 4}-", None]


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500), Fault(status=503), Fault(status=429), Fault(cut=0)],
    ids=["500", "503", "429", "closed"],
)
def test_tries_again(fault: Fault, server: Served, tmp_path: Path) -> None:
    server.faults = [fault]
    assert get(server, tmp_path) == CONTENT
    assert len(server.ranges) == 2


def test_silence_is_not_waited_for(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(wait=8)]
    start = time.monotonic()
    assert get(server, tmp_path, silence=1) == CONTENT
    assert time.monotonic() - start < 7
    assert len(server.ranges) >= 2


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_gives_up_at_once(status: int, server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(status=status)]
    with pytest.raises(WeightsError, match=rf"{server.url}/a\.pt: HTTP status {status}"):
        get(server, tmp_path)
    assert len(server.ranges) == 1


def test_gives_up_in_the_end(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(status=500)] * 9
    with pytest.raises(WeightsError, match="HTTP status 500"):
        get(server, tmp_path)
    assert len(server.ranges) == http.ATTEMPTS


def test_nobody_answers(tmp_path: Path) -> None:
    with serve() as served:
        pass
    with pytest.raises(WeightsError, match="cannot download"):
        get(served, tmp_path)


def test_a_slow_server_does_not_hold_it_for_ever(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(drip=0.05, etag=None)] * 9
    start = time.monotonic()
    with pytest.raises(WeightsError, match=r"not complete within 0\.5 s"):
        get(server, tmp_path, timeout=0.5)
    assert time.monotonic() - start < 3


def test_too_large(server: Served, tmp_path: Path) -> None:
    server.content = b"x" * 300_001
    with pytest.raises(WeightsError, match="300001 bytes, more than 300000"):
        get(server, tmp_path)
    assert list(tmp_path.glob("a.pt*")) == []
    server.faults = [Fault(lengthless=True)]
    what = http.Download(f"{server.url}/a.pt", tmp_path / "a.pt", 204_800, 204_800)
    with pytest.raises(WeightsError, match="has more than 204800 bytes"):
        http.download(what, timeout=20)
    assert list(tmp_path.glob("a.pt*")) == []


def test_another_size_than_published(server: Served, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"it has {len(CONTENT)} bytes, not 9"):
        get(server, tmp_path, size=9)


def test_without_length_or_packed(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(lengthless=True)]
    with pytest.raises(WeightsError, match="does not say how long"):
        get(server, tmp_path)
    server.faults = [Fault(lengthless=True, cut=1000)]
    assert get(server, tmp_path, size=len(CONTENT)) == CONTENT
    server.faults = [Fault(packed=True)]
    with pytest.raises(WeightsError, match="packs it"):
        get(server, tmp_path)


def test_redirects(server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(to=f"{server.url}/elsewhere"), Fault(cut=1000), Fault(to="/files/x")]
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None, None, "bytes=1000-", "bytes=1000-"]
    server.faults = [Fault(to=f"{server.url}/loop")] * 40
    with pytest.raises(WeightsError, match="HTTP status 302"):
        get(server, tmp_path)


@pytest.mark.parametrize(
    "target", ["http://example.invalid/a", "ftp://127.0.0.1/a", "file:///etc/hostname"]
)
def test_redirects_to_other_kinds_of_address(target: str, server: Served, tmp_path: Path) -> None:
    server.faults = [Fault(to=target)]
    with pytest.raises(WeightsError, match=r"is no https address|is not allowed"):
        get(server, tmp_path)
    assert len(server.ranges) == 1


@pytest.mark.parametrize("url", ["http://example.invalid/a", "file:///etc/hostname", "a.pt", ""])
def test_only_https(url: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no https address"):
        http.download(http.Download(url, tmp_path / "a", 10), timeout=1)


def test_a_public_address_may_not_lead_to_this_machine() -> None:
    with pytest.raises(WeightsError, match="is no https address"):
        http._check_address("http://127.0.0.1/a", origin="https://example.invalid/a")
