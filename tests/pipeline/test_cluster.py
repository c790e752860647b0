"""The way of many machines: what a run promises holds on a cluster, whoever dies."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.fixtures.cluster import announced, nodes
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector
from veilface.errors import DeviceError, MissingExtraError, WeightsError
from veilface.pipeline import cluster as module
from veilface.pipeline.cluster import About, Cluster, _agreed, _room
from veilface.pipeline.making import Opened
from veilface.pipeline.manifest import Record
from veilface.pipeline.progress import Reporter
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, run, run_by

__all__ = ["nodes"]

OUT = Path("out")


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("workers").mkdir()
    for k in range(8):
        Image.fromarray(photo_pixels(1 + k % 2, seed=k)).save(f"in/photo{k}.png")
    Image.fromarray(photo_pixels(0)).save("in/wall.png")
    Path("in/broken.jpg").write_bytes(b"no photo")


def lines(root: Path = OUT) -> list[dict[str, Any]]:
    record = root.with_name(root.name + ".veilface.jsonl")
    return [json.loads(line) for line in record.read_text().splitlines()]


def files(root: Path = OUT) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.glob("*.png")}


def pids() -> set[int]:
    return {int(path.name.partition("-")[0]) for path in Path("workers").iterdir()}


class Killer(Reporter):
    """Kills a worker as soon as the first photo is done, when both are at work."""

    def __init__(self) -> None:
        self.killed = 0

    def finished(self, record: Record) -> None:
        if not self.killed and record.status == "done":
            self.killed = min(pids())
            os.kill(self.killed, signal.SIGKILL)


def test_a_run_on_two_nodes_of_which_one_loses_its_worker(nodes: str) -> None:
    options = Options(seed=7)
    make = partial(announced, Path("workers").resolve(), steps=12)
    killer = Killer()
    ended_by = signal.getsignal(signal.SIGTERM)
    with Cluster(make, address=nodes) as cluster:
        assert signal.getsignal(signal.SIGTERM) == ended_by, "SIGTERM ends a run as it always does"
        assert cluster.actors == 2
        assert cluster.method == "persona"
        summary = run_by(cluster, ["in"], OUT, options, reporter=killer)
        assert len(pids()) == 3, "another process took the place of the one that was killed"
        places = {path.read_text() for path in Path("workers").iterdir()}
        assert len(places) == 2
        again = run_by(cluster, ["in"], OUT, options)
    assert (summary.count("done"), summary.count("failed")) == (8, 2)
    assert not summary.ok
    errors = {Path(r.input).name: str(r.error) for r in summary.records if r.error}
    assert errors["wall.png"] == "no face found in in/wall.png"
    assert "in/broken.jpg" in errors["broken.jpg"]
    assert (again.count("skipped"), again.count("failed")) == (8, 2)
    done = Counter(line["input"] for line in lines() if line["status"] == "done")
    assert done == {f"in/photo{k}.png": 1 for k in range(8)}
    assert not list(OUT.glob(".veilface-*"))

    alone = run(quick_protector(steps=12), ["in"], Path("alone"), options)
    assert alone.count("done") == 8
    assert files() == files(Path("alone")), "nothing of the cluster shows in the images"
    mine, theirs = (
        {line["input"]: line["parameters"] for line in lines(root)} for root in (OUT, Path("alone"))
    )
    assert mine == theirs, "a run on a cluster may be continued on one machine"


def test_what_is_in_the_way_stays_and_fails(nodes: str) -> None:
    OUT.mkdir()
    (OUT / "photo1.veil-2.png").write_bytes(b"precious")
    make = partial(announced, Path("workers").resolve())
    with Cluster(make, address=nodes, actors=1) as cluster:
        summary = run_by(cluster, ["in/photo0.png", "in/photo1.png"], OUT, Options())
    assert {Path(r.input).name: r.status for r in summary.records} == {
        "photo0.png": "done",
        "photo1.png": "failed",
    }
    assert set(files()) == {"photo0.veil.png", "photo1.veil-2.png"}
    assert files()["photo1.veil-2.png"] == b"precious"


def broken() -> Protector:
    raise WeightsError("the weights of dlib are not here")


def fatal(folder: Path) -> Protector:
    """A worker that dies with every photo."""
    protector = announced(folder)
    protector.prepare = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore
    return protector


def test_a_worker_that_cannot_work_says_why(nodes: str) -> None:
    with pytest.raises(DeviceError, match="cannot work: the weights of dlib are not here"):
        Cluster(broken, address=nodes)


def test_a_photo_that_kills_its_workers_fails_and_the_run_ends(nodes: str) -> None:
    make = partial(fatal, Path("workers").resolve())
    with Cluster(make, address=nodes, actors=1) as cluster:
        summary = run_by(cluster, ["in/photo0.png"], OUT, Options())
    (record,) = summary.records
    assert record.status == "failed"
    assert "4 worker processes died" in str(record.error)
    assert len(pids()) >= 4


def test_there_is_no_room(nodes: str) -> None:
    with pytest.raises(DeviceError, match="has room for 2 workers of one CPU each, not for 3"):
        Cluster(quick_protector, address=nodes, actors=3)
    with pytest.raises(DeviceError, match="room for 0 workers of one CPU and 1 GPU each"):
        Cluster(quick_protector, address=nodes, gpus_per_actor=1)


def test_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**given: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.")

    nowhere = SimpleNamespace(init=init, is_initialized=lambda: False, shutdown=lambda: None)
    monkeypatch.setattr(module, "_import", lambda: nowhere)
    with pytest.raises(DeviceError, match="no Ray cluster at auto: Could not find any running"):
        Cluster(quick_protector, address="auto")


def test_room() -> None:
    big = {"CPU": 40.0, "GPU": 8.0}
    assert _room(big, None, 0) == 40
    assert _room(big, None, 1) == 8
    assert _room(big, None, 0.25) == 32
    assert _room(big, 3, 1) == 3


@dataclass(eq=False)
class Done:
    """A task of Ray's that is done when it begins."""

    outcomes: list[str]


class AtOnce:
    """What a `Cluster` asks of Ray, for tasks that are done."""

    def wait(self, tasks: list[Done], *, num_returns: int) -> tuple[list[Done], list[Done]]:
        return tasks[:num_returns], tasks[num_returns:]

    def get(self, task: Done) -> list[str]:
        return task.outcomes


def test_a_worker_does_not_wait_for_what_is_written() -> None:
    told: list[str] = []

    def remote(batch: list[Opened], options: Options) -> Done:
        told.append("sent " + " ".join(photo.path for photo in batch))
        return Done([f"no face in {photo.path}" for photo in batch])

    cluster = object.__new__(Cluster)
    hand = SimpleNamespace(make=SimpleNamespace(remote=remote))
    cluster._hands, cluster._ray = [hand], AtOnce()
    cluster._about = About("persona", ("dlib",), False, "cpu", 2, {}, {})
    record = Record("a", "a", "failed", None, {}, False)
    photos = (Opened(str(k), b"", record) for k in range(5))
    for photo, outcome in cluster.make(
        photos, Options(), check=lambda *_: None, moved=lambda _: None
    ):
        assert outcome == f"no face in {photo.path}"
        told.append(f"written {photo.path}")
    assert told == [
        "sent 0 1",
        *("sent 2 3", "written 0", "written 1"),
        *("sent 4", "written 2", "written 3"),
        "written 4",
    ]


def test_workers_have_to_agree() -> None:
    one = About("persona", ("dlib",), False, "cpu", 8, {"version": "1"}, {"version": "1"})
    assert _agreed([one, one]) == one
    with pytest.raises(DeviceError, match="differ in version: install the same version"):
        _agreed([one, replace(one, seeded={"version": "2"})])
    with pytest.raises(DeviceError, match="some workers of the Ray cluster have a GPU"):
        _agreed([one, replace(one, seeded={"version": "1", "device": "cuda"})])


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("veilface.pipeline.cluster.importlib.import_module", absent)
    with pytest.raises(MissingExtraError, match=r"Ray, which is not installed; run: pip install"):
        Cluster(quick_protector)


def test_interrupt_leaves_whole_photos_and_the_rest_for_later(nodes: str) -> None:
    class Impatient(Reporter):
        def finished(self, record: Record) -> None:
            if record.status == "done":
                raise KeyboardInterrupt

    make = partial(announced, Path("workers").resolve())
    with Cluster(make, address=nodes) as cluster:
        summary = run_by(cluster, ["in"], OUT, Options(), reporter=Impatient())
        assert summary.interrupted
        assert summary.count("done") == 1
        assert len([line for line in lines() if line["status"] == "done"]) == 1
        again = run_by(cluster, ["in"], OUT, Options())
    assert (again.count("skipped"), again.count("done")) == (1, 7)
