"""One engine under the threads of a service."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.quick import TinyRecognizer, tiny
from veilface.jobs.engine import Engine
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.recognizer import Recognizer

FACES = synthetic_faces(3)
TWO_STEPS = replace(PRESETS["persona"], steps=2)


class Meeting(TinyRecognizer):
    """Lets every thread wait in its first call until all of them are there."""

    def __init__(self, count: int) -> None:
        super().__init__("meeting")
        self.barrier = threading.Barrier(count)
        self.known: set[int] = set()

    def embed(self, x: Tensor) -> Tensor:
        mine = threading.get_ident()
        if mine not in self.known:
            self.known.add(mine)
            self.barrier.wait(timeout=60)
        return super().embed(x)


@pytest.fixture(autouse=True)
def _two() -> None:
    torch.set_num_threads(2)


def test_everybody_hears_of_their_own_faces_alone() -> None:
    meeting = cast("Recognizer", Meeting(3))
    engine = Engine(TWO_STEPS, [meeting], device=torch.device("cpu"))

    def work(count: int) -> list[float]:
        heard: list[float] = []
        engine.protect(list(FACES[:count]), on_progress=heard.append)
        return heard

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, (1, 2, 3))) == [[0.5, 1.0], [1.0, 2.0], [1.5, 3.0]]


def test_repeatable_images_are_the_same_whatever_the_other_threads_do() -> None:
    engine = Engine(
        replace(PRESETS["persona"], steps=4), [tiny(), tiny("b")], device=torch.device("cpu")
    )

    def keyed(face: int) -> Tensor:
        (result,) = engine.protect([FACES[face]], generators=[Generator().manual_seed(face)])
        return result.image

    def fresh(face: int) -> Tensor:
        return engine.protect([FACES[face]])[0].image

    alone = [keyed(face) for face in range(3)]
    with ThreadPoolExecutor(4) as pool:
        both = [(pool.submit(keyed, k % 3), pool.submit(fresh, k % 3)) for k in range(9)]
        found = [one.result() for one, _ in both]
    assert all(torch.equal(image, alone[k % 3]) for k, image in enumerate(found))
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
