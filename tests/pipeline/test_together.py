"""Several runs at once in one output folder: every photo once, nobody's work is lost."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import filelock
import pytest
from PIL import Image

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.program import command
from tests.fixtures.quick import quick_protector
from veilface.core import files
from veilface.errors import ImageError
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8
from veilface.pipeline import writing
from veilface.pipeline.progress import Reporter
from veilface.pipeline.run import Options, run
from veilface.pipeline.writing import LOCK, write_all


def make_crops(folder: Path, count: int) -> None:
    folder.mkdir()
    for k, face in enumerate(synthetic_faces(count, seed=5)):
        (folder / f"{k:03}.png").write_bytes(encode(to_uint8(face), format="png"))


def test_four_processes_and_two_hundred_photos(tmp_path: Path) -> None:
    make_crops(tmp_path / "in", 200)
    arguments = command("protect", "in", "-o", "out", "--aligned", "--json", steps=1)
    processes = [
        subprocess.Popen(
            arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ended = [(*process.communicate(timeout=600), process.returncode) for process in processes]
    assert [status for *_, status in ended] == [0, 0, 0, 0], [err for _, err, _ in ended]
    counts = [json.loads(out)["counts"] for out, *_ in ended]
    assert sum(one["done"] for one in counts) == 200
    assert all(one["done"] + one["skipped"] == 200 for one in counts)
    assert sum("another veilface writes into out" in err for _, err, _ in ended) >= 1
    written = {path.name for path in (tmp_path / "out").iterdir()} - {LOCK}
    lines = (tmp_path / "out.veilface.jsonl").read_text().splitlines()
    recorded = [output["path"] for line in lines for output in json.loads(line)["outputs"]]
    assert sorted(recorded) == sorted(written)
    assert len(written) == len(lines) == 200
    for name in written:
        with Image.open(tmp_path / "out" / name) as image:
            image.load()


def test_whoever_comes_second_waits_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PATIENCE", 0.05)
    make_crops(tmp_path / "in", 1)
    (tmp_path / "out").mkdir()
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with filelock.FileLock(tmp_path / "out" / LOCK):
            held.set()
            enough.wait(60)

    threading.Thread(target=hold).start()
    held.wait(60)

    class Listener(Reporter):
        def note(self, sentence: str) -> None:
            assert "another veilface writes into" in sentence
            assert not list((tmp_path / "out").glob("*.png"))
            enough.set()

    done = run(
        quick_protector(),
        [tmp_path / "in"],
        tmp_path / "out",
        Options(aligned=True),
        reporter=Listener(),
    )
    assert done.count("done") == 1
    assert enough.is_set()


def test_only_what_this_call_wrote_goes_away_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loser of a race finds a file in its way that was not there when it looked."""
    real = files.write_atomic
    mine, theirs = tmp_path / "a.png", tmp_path / "b.png"

    def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
        if path == theirs:
            theirs.write_bytes(data)  # equal bytes even, as with a key
        real(path, data, overwrite=overwrite)

    monkeypatch.setattr(writing, "write_atomic", write)
    with pytest.raises(ImageError, match=r"b\.png exists already"):
        write_all([(mine, b"one"), (theirs, b"two")])
    assert not mine.exists()
    assert theirs.read_bytes() == b"two"


@pytest.mark.parametrize("names", ["source", "neutral"])
def test_what_a_killed_run_left_is_made_anew(tmp_path: Path, names: str) -> None:
    """Killed between the image and its line: the image is no stranger's, and no torn file stays."""
    make_crops(tmp_path / "in", 1)
    out, record = tmp_path / "out", tmp_path / "out.veilface.jsonl"
    protector = quick_protector()
    options = Options(aligned=True, names=names)
    assert run(protector, [tmp_path / "in"], out, options).ok
    before = {path.name for path in out.iterdir()}
    record.rename(record.with_name(record.name + ".now"))
    (out / ".veilface-0123456789abcdef.part").write_bytes(b"half")
    again = run(protector, [tmp_path / "in"], out, options)
    assert (again.count("done"), again.count("failed")) == (1, 0)
    assert {path.name for path in out.iterdir()} == before
    assert not record.with_name(record.name + ".now").exists()
