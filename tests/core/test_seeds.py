"""The streams under a seed: one for each face, tied to the photo."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from veilface.core.devices import one_thread
from veilface.core.seeds import face_generator, pixel_digest


def draw(seed: int, photo: bytes, face: int) -> float:
    return float(torch.rand((), generator=face_generator(seed, photo, face)))


def test_seed_photo_and_face_each_make_another_stream() -> None:
    streams = [
        draw(seed, photo, face)
        for seed, photo, face in itertools.product((1, 2, -1, 2**70), (b"a", b"b"), (0, 1, 10))
    ]
    assert len(set(streams)) == len(streams)
    assert draw(2, b"b", 10) == draw(2, b"b", 10)


def test_digest_depends_on_values_and_shape_not_on_the_layout() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert pixel_digest(pixels) == pixel_digest(np.asfortranarray(pixels))
    assert pixel_digest(pixels) != pixel_digest(pixels.reshape(4, 2, 3))
    assert pixel_digest(pixels) != pixel_digest(pixels + 1)


def test_one_thread_is_for_the_block_only() -> None:
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
