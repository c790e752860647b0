"""Sets through protectors: kept, found again, and continued after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ImageError, ProtectionError, ShapeError
from veilface.jobs.cache import Job
from veilface.jobs.sets import (
    Request,
    Tally,
    prepare,
    protect_set,
    read_set,
    transform,
)
from veilface.protectors.base import quantise
from veilface.protectors.controls import CONTROLS
from veilface.protectors.veil.presets import PRESETS
from veilface.types import Protected

REPOSITORY = Path(__file__).resolve().parents[2]
FACES = quantise(synthetic_faces(24))
QUICK = Job(replace(PRESETS["persona"], steps=1, decoys=1), ("dlib",))
Calls = list[tuple[int, int]]


def test_found_again(tmp_path: Path) -> None:
    calls: Calls = []
    first = protect_set(
        QUICK, FACES[:9], cache=tmp_path, jobs=1, progress=lambda *c: calls.append(c)
    )
    assert calls == [(0, 9), (8, 9), (9, 9)]
    assert first.shape == (9, 3, 112, 112)
    assert torch.equal(first, quantise(first))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(files) == 2
    calls.clear()
    again = protect_set(
        QUICK, FACES[:9], cache=tmp_path, jobs=1, progress=lambda *c: calls.append(c)
    )
    assert calls == [(9, 9)], "nothing is repeated"
    assert torch.equal(again, first)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files


def test_several_sets_share_what_they_can(tmp_path: Path) -> None:
    sets = [Request(QUICK, FACES[:8]), Request(QUICK, FACES[:8]), Request(QUICK, FACES[:8], 1)]
    assert prepare(sets, seed=0, cache=tmp_path, jobs=1) == Tally(found=0, protected=16)
    assert prepare(sets, seed=0, cache=tmp_path, jobs=1) == Tally(found=16, protected=0)
    first, draw = (read_set(request, seed=0, cache=tmp_path) for request in sets[1:])
    assert not torch.equal(first, draw)
    assert torch.equal(first, protect_set(QUICK, FACES[:8], cache=tmp_path, jobs=1))


def test_controls_are_not_kept(tmp_path: Path) -> None:
    for name in CONTROLS:
        made = [protect_set(Job(name), FACES[:9], cache=tmp_path, seed=4) for _ in range(2)]
        assert torch.equal(*made)
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(protect_set(Job("clean"), FACES, cache=tmp_path), FACES)


def test_what_cannot_be_done(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="at least one recogniser"):
        protect_set(Job("persona"), FACES[:1], cache=tmp_path, jobs=1)
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="cannot make the folder"):
        protect_set(QUICK, FACES[:1], cache=tmp_path / "file" / "cache")
    with pytest.raises(ImageError, match="have gone"):
        read_set(Request(QUICK, FACES[:1]), seed=0, cache=tmp_path)


PROGRAM = """
import multiprocessing, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.jobs.test_sets import FACES, QUICK
from veilface.jobs.sets import protect_set

def tell(done, total):
    print(done, *(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    protect_set(QUICK, FACES, cache=Path("cache"), jobs=2, progress=tell)
"""


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_killed_run_is_continued(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(PROGRAM.format(repository=str(REPOSITORY)))
    with subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["0"]
        done, *workers = map(int, process.stdout.readline().split())
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert done == 8
    assert workers, "it worked in processes of its own"
    end = time.monotonic() + 30
    while not all(map(gone, workers)):
        assert time.monotonic() < end, "workers outlive the process that was killed"
        time.sleep(0.05)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").glob("[!.]*.png")}
    assert 1 <= len(kept) <= 3

    calls: Calls = []
    images = protect_set(
        QUICK, FACES, cache=tmp_path / "cache", jobs=1, progress=lambda *c: calls.append(c)
    )
    assert calls[0] == (8 * len(kept), 24), "nothing is lost"
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").glob("[!.]*.png")}
    assert len(after) == 3
    assert {name: after[name] for name in kept} == kept, "nothing is repeated"
    fresh = protect_set(QUICK, FACES, cache=tmp_path / "fresh", jobs=1)
    assert torch.equal(images, fresh), "processes and threads do not show in the images"


class Own:
    """A protector of somebody else."""

    name = "mine"

    def __init__(self, answer: Callable[[Tensor], object]) -> None:
        self.answer = answer

    def protect(self, x: Tensor, *, generator: object = None) -> Any:  # noqa: ANN401
        return self.answer(x)


def test_a_protector_of_ones_own_is_told_what_it_has_to_return() -> None:
    faces = synthetic_faces(2)
    made = transform(Own(lambda x: Protected(1 - x, {})), faces, seed=0)
    assert torch.equal(made, 1 - faces)
    for answer, words in (
        (lambda x: x, r"mine has to return veilface\.types\.Protected.*, not a Tensor"),
        (
            lambda x: Protected(x[:1], {}),
            r"images \(2, 3, 112, 112\).*, not images \(1, 3, 112, 112\)",
        ),
        (lambda x: Protected(x * 255, {}), "outside of that, or not finite"),
        (lambda x: Protected(x / 0, {}), "outside of that, or not finite"),
    ):
        with pytest.raises(ProtectionError, match=words):
            transform(Own(answer), faces, seed=0)
