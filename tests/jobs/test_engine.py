"""Batches of faces: order, back-off, progress, and what counts as an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.quick import tiny
from veilface.core import devices
from veilface.core.devices import is_out_of_memory, resolve_device
from veilface.errors import DeviceError, ProtectionError
from veilface.jobs.engine import Engine, check_image
from veilface.protectors.base import Steps
from veilface.protectors.veil.presets import PRESETS
from veilface.types import Protected


class Recorder:
    """A protector that brightens, records its batches, and has memory for ``room`` faces."""

    name = "recorder"

    def __init__(self, *, room: int = 100, error: str = "out of memory") -> None:
        self.room = room
        self.error = error
        self.sizes: list[int] = []

    def protect(
        self,
        x: Tensor,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        progress: Steps | None = None,
    ) -> Protected:
        self.sizes.append(x.shape[0])
        if x.shape[0] > self.room:
            raise torch.cuda.OutOfMemoryError(self.error)
        return Protected(x / 2 + 0.5, {"one": x.mean(dim=(1, 2, 3))})


def engine(batch_size: int = 4, **options: Any) -> tuple[Engine, Recorder]:  # noqa: ANN401
    made = Engine("persona", [tiny()], device=torch.device("cpu"), batch_size=batch_size)
    recorder = Recorder(**options)
    made.protector = recorder
    return made, recorder


def test_results_keep_their_order_over_batches() -> None:
    made, recorder = engine(batch_size=4)
    faces = synthetic_faces(10)
    results = made.protect(list(faces))
    assert recorder.sizes == [4, 4, 2]
    torch.testing.assert_close(torch.stack([r.image for r in results]), faces / 2 + 0.5)
    scores = torch.tensor([result.similarity["one"] for result in results])
    torch.testing.assert_close(scores, faces.mean(dim=(1, 2, 3)))


def test_full_memory_halves_the_batch_for_good() -> None:
    made, recorder = engine(batch_size=8, room=3)
    faces = synthetic_faces(5)
    results = made.protect(list(faces))
    assert recorder.sizes == [5, 2, 2, 1]
    assert made.batch_size == 2
    torch.testing.assert_close(torch.stack([r.image for r in results]), faces / 2 + 0.5)


def test_memory_for_not_even_one_face_is_an_error() -> None:
    made, recorder = engine(batch_size=4, room=0)
    with pytest.raises(DeviceError, match="does not suffice for one face"):
        made.protect(list(synthetic_faces(4)))
    assert recorder.sizes == [4, 2, 1]


def test_other_errors_are_not_taken_for_full_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    made, recorder = engine()

    def fail(x: Tensor, **_: object) -> Protected:
        raise RuntimeError("a bug")

    recorder.protect = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a bug"):
        made.protect(list(synthetic_faces(1)))


def test_faces_with_generators_come_one_by_one() -> None:
    made, recorder = engine(batch_size=4)
    made.protect(
        list(synthetic_faces(3)), generators=[Generator().manual_seed(k) for k in range(3)]
    )
    assert recorder.sizes == [1, 1, 1]


def test_progress_counts_faces_with_every_step() -> None:
    preset = replace(PRESETS["persona"], steps=2)
    made = Engine(preset, [tiny()], device=torch.device("cpu"), batch_size=2)
    seen: list[float] = []
    made.protect(list(synthetic_faces(3)), on_progress=seen.append)
    assert seen == [1.0, 2.0, 2.5, 3.0]


def test_batch_size_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Engine("persona", [tiny()], device=torch.device("cpu"), batch_size=0)


def test_images_without_content_are_refused() -> None:
    face = synthetic_faces(1)[0]
    check_image(face)
    with pytest.raises(ProtectionError, match="constant"):
        check_image(torch.full((3, 112, 112), 0.5))
    face[0, 3, 3] = float("nan")
    with pytest.raises(ProtectionError, match="not finite"):
        check_image(face)


def test_devices() -> None:
    assert resolve_device("cpu").type == "cpu"
    with pytest.raises(ValueError, match="available: auto, cpu, cuda"):
        resolve_device("gpu")


def test_absent_cuda_is_an_error_and_auto_takes_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(DeviceError, match="sees no CUDA device"):
        resolve_device("cuda")


def test_threads_are_chosen_by_trial_and_the_users_word_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = torch.get_num_threads()
    chosen: list[int] = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    times = {1: 0.02, 4: 0.01, 8: 0.05}
    monkeypatch.setattr(devices, "_trial", lambda x, weight, count: times[count])
    assert devices.fitting_threads() == 4
    times[1] = 0.005  # the other cores are busy
    assert devices.fitting_threads() == 1
    assert chosen == [4, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert devices.fitting_threads() == 8
    assert chosen == [4, 1]
    monkeypatch.undo()
    assert torch.get_num_threads() == before


def test_a_trial_of_threads_takes_a_moment() -> None:
    x, weight = torch.ones(1, 4, 8, 8), torch.ones(4, 4, 3, 3)
    assert 0 < devices._trial(x, weight, 1) < 1
