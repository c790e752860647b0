"""Chunks and their company: on no device do two chunks share a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.quick import tiny
from veilface.errors import ProtectionError
from veilface.jobs import cache, pool
from veilface.jobs.cache import Job, Task, tasks_of
from veilface.jobs.engine import Engine
from veilface.jobs.pool import run_tasks
from veilface.protectors.base import Steps, quantise
from veilface.protectors.veil.presets import PRESETS
from veilface.types import Protected

FACES = quantise(synthetic_faces(10))
JOB = Job(replace(PRESETS["persona"], steps=1), ("dlib",))
GPU = torch.device("cuda")


class Spy:
    """Writes down the batches that it sees; the images show how large theirs was."""

    name = "spy"

    def __init__(self, *, room: int = 100) -> None:
        self.room = room
        self.batches: list[Tensor] = []

    def protect(
        self,
        x: Tensor,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        progress: Steps | None = None,
    ) -> Protected:
        assert isinstance(generator, list)
        assert len(generator) == len(x)
        if len(x) > self.room:
            raise torch.cuda.OutOfMemoryError
        self.batches.append(x)
        return Protected(quantise(x / 2 + 0.05 * len(x)), {})


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """In place of the method, and an accelerator that computes on the CPU."""
    found = Spy()

    def engine(*args: Any, device: torch.device) -> Engine:  # noqa: ANN401
        made = Engine(*args, device=torch.device("cpu"))
        made.protector = found
        return made

    monkeypatch.setattr(pool, "Engine", engine)
    monkeypatch.setattr(pool, "load_recognizer", lambda name, device: tiny(name))
    monkeypatch.setattr(cache, "_CHUNK_ON_GPU", 4)
    return found


def chunks(folder: Path) -> list[Task]:
    folder.mkdir(exist_ok=True)
    return tasks_of(JOB, FACES, seed=0, draw=0, folder=folder, device=GPU)


def kept(tasks: Sequence[Task]) -> list[bytes]:
    return [task.path.read_bytes() for task in tasks]


def test_on_an_accelerator_a_batch_is_a_chunk_whoever_else_is_missing(
    spy: Spy, tmp_path: Path
) -> None:
    done: list[int] = []
    together = chunks(tmp_path / "together")
    run_tasks(together, jobs=4, device=GPU, done=done.append)
    assert [len(batch) for batch in spy.batches] == done == [4, 4, 2]
    torch.testing.assert_close(torch.cat(spy.batches), FACES)
    alone = chunks(tmp_path / "alone")
    for task in reversed(alone):
        run_tasks([task], jobs=1, device=GPU, done=done.append)
    assert kept(alone) == kept(together)


def test_full_memory_costs_a_chunk_its_company_and_not_the_run(spy: Spy, tmp_path: Path) -> None:
    spy.room = 2
    run_tasks(chunks(tmp_path), jobs=1, device=GPU, done=lambda more: None)
    assert [len(batch) for batch in spy.batches] == [2, 2, 2, 2, 2]


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "not finite"), (0.5, "constant")])
def test_an_image_without_content_is_not_kept(
    spy: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, words: str
) -> None:
    def fail(x: Tensor, **_: object) -> Protected:
        return Protected(torch.full_like(x, value), {})

    monkeypatch.setattr(spy, "protect", fail)
    tasks = chunks(tmp_path)
    with pytest.raises(ProtectionError, match=f"an image of persona .*{words}"):
        run_tasks(tasks, jobs=1, device=GPU, done=lambda more: None)
    assert list(tmp_path.iterdir()) == []
