"""Ctrl-C and SIGTERM in a real process: no half file, and the same command continues."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.fixtures.photos import photo_pixels
from tests.fixtures.program import command

ARGUMENTS = ("protect", "in", "-o", "out", "--batch-size", "1")


def wait_for(path: Path, process: subprocess.Popen[str], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the first photo took too long"
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_is_resumed(tmp_path: Path, number: int, status: int) -> None:
    (tmp_path / "in").mkdir()
    for seed in range(4):
        Image.fromarray(photo_pixels(1, seed=seed)).save(tmp_path / "in" / f"{seed}.png")
    out, record = tmp_path / "out", tmp_path / "out.veilface.jsonl"
    with subprocess.Popen(
        command(*ARGUMENTS, steps=60),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(record, process)
        process.send_signal(number)
        out_text, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert "interrupted: run the same command again to continue" in err
    assert " done; outputs in out" in out_text
    assert "Traceback" not in err
    done = {json.loads(line)["outputs"][0]["path"] for line in record.open()}
    assert 1 <= len(done) < 4
    assert {path.name for path in out.iterdir()} == done | {".veilface.lock"}
    before = {name: (out / name).read_bytes() for name in done}

    second = subprocess.run(
        command(*ARGUMENTS, steps=60),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("done already") == len(done)
    assert {path.name for path in out.glob("*.png")} == {f"{k}.veil.png" for k in range(4)}
    assert {name: (out / name).read_bytes() for name in done} == before
