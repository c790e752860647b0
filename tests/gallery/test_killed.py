"""What was acknowledged is there and nothing is half there, whoever is killed when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.enrolling import EACH, space_named, vectors_of
from tests.fixtures.postgres import own_server
from veilface.gallery import Count, Gallery, Space, open_gallery

REPOSITORY = Path(__file__).resolve().parents[2]
PEOPLE = 1000
ENOUGH = 150  # acknowledgements before the end


def _enrol(database: str, space: Space) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fixtures.enrolling", database, space.recognizer]
    return subprocess.Popen(
        [*command, str(PEOPLE)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _wait(process: subprocess.Popen[str], count: int) -> list[int]:
    """The first ``count`` people who are acknowledged."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    assert all(lines), process.stderr and process.stderr.read()
    return [int(line) for line in lines]


def _rest(process: subprocess.Popen[str]) -> list[int]:
    """Who was acknowledged after that, up to the end of the process; a line cut off is none."""
    out, _ = process.communicate(timeout=60)
    return [int(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]


def _check(gallery: Gallery, acknowledged: list[int]) -> None:
    there = {int(person.id.split()[1]) for person in gallery.people(limit=2 * PEOPLE)}
    assert acknowledged == list(range(len(acknowledged)))
    assert there >= set(acknowledged)
    # At most the one whose acknowledgement was on its way.
    assert there - set(acknowledged) <= {len(acknowledged)}
    for person in gallery.people(limit=2 * PEOPLE):
        assert len(person.records) == EACH
    assert gallery.count() == Count(len(there), EACH * len(there))
    for number in (0, max(there) // 2, max(there)):
        for vector in vectors_of(number):
            best = gallery.identify(vector).candidates[0]
            assert best.id == f"person {number}"
            assert best.score == pytest.approx(1, abs=1e-6)


def test_the_process_that_enrols_is_killed(database: str, space: Space) -> None:
    process = _enrol(database, space)
    acknowledged = _wait(process, ENOUGH)
    process.send_signal(signal.SIGKILL)
    acknowledged += _rest(process)
    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) < PEOPLE
    with open_gallery(database, space) as gallery:
        _check(gallery, acknowledged)
        gallery.enrol("person 5000", vectors_of(5000))
        assert gallery.identify(vectors_of(5000)[0]).candidates[0].id == "person 5000"


def test_the_server_is_killed() -> None:
    space = space_named("killed")
    with own_server() as server:
        address = server.get_uri()
        with open_gallery(address, space) as before:  # whose connections break
            process = _enrol(address, space)
            acknowledged = _wait(process, ENOUGH)
            _kill(server.get_pid())
            acknowledged += _rest(process)
            assert process.returncode == 1
            assert len(acknowledged) < PEOPLE
            server.ensure_postgres_running()
            _check(before, acknowledged)


def _kill(postmaster: int | None) -> None:
    """Every process of a server at once, as a power cut would."""
    assert postmaster is not None
    psutil = pytest.importorskip("psutil")  # comes with the server
    parent = psutil.Process(postmaster)
    processes = [parent, *parent.children(recursive=True)]
    for one in processes:
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)
