"""Generators whose whole state is secret, and draws that belong to their image."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.core.randomness import (
    Draws,
    child_generators,
    entropic_generator,
    system_generator,
)
from veilface.errors import ShapeError


def words(generator: torch.Generator, count: int = 700) -> np.ndarray:
    """The lower 31 bits of the next outputs of the Mersenne Twister."""
    return torch.empty(count, dtype=torch.int32).random_(generator=generator).numpy()


@given(st.binary(max_size=64))
@settings(max_examples=20, deadline=None)
def test_state_is_the_expansion_as_numpy_reads_it(entropy: bytes) -> None:
    twister = np.random.MT19937(0)
    state = twister.state
    key = np.frombuffer(hashlib.shake_256(entropy).digest(2496), dtype=np.uint32)
    twister.state = {**state, "state": {"key": key, "pos": 624}}
    expected = twister.random_raw(700) & 0x7FFFFFFF
    np.testing.assert_array_equal(words(entropic_generator(entropy)), expected)


def test_every_bit_of_the_entropy_counts() -> None:
    """`manual_seed` of the CPU ignores all but 32 bits; this is why it is not used for secrets."""
    ignored = [torch.Generator().manual_seed(seed) for seed in (5, 5 + 2**32, 5 + 2**62)]
    assert len({words(generator).tobytes() for generator in ignored}) == 1
    flipped = [(1 << bit).to_bytes(32, "big") for bit in range(256)]
    streams = {words(entropic_generator(one)).tobytes() for one in (*flipped, bytes(32))}
    assert len(streams) == 257


def test_entropy_cannot_be_read_off_the_seed() -> None:
    first, second = (entropic_generator(one).initial_seed() for one in (b"one", b"two"))
    assert first == second == torch.Generator().initial_seed()


def test_system_generators_differ_and_draw_what_they_should() -> None:
    first, second = system_generator(), system_generator()
    assert words(first).tobytes() != words(second).tobytes()
    normal = torch.empty(200_000).normal_(generator=first)
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 1) < 0.02
    uniform = torch.empty(200_000).uniform_(generator=second)
    counts = torch.histc(uniform, bins=20, min=0, max=1)
    assert float((counts - 10_000).abs().max()) < 6 * 10_000**0.5


@given(count=st.integers(1, 5), at=st.integers(0, 4), seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_draws_of_an_image_do_not_depend_on_its_batch(count: int, at: int, seed: int) -> None:
    at %= count

    def streams() -> list[torch.Generator]:
        return child_generators(torch.Generator().manual_seed(seed), count)

    batch, alone = Draws(count, generator=streams()), Draws(1, generator=streams()[at : at + 1])
    for _ in range(2):
        assert torch.equal(batch.normal(3, 40)[at], alone.normal(3, 40)[0])
        assert torch.equal(batch.uniform(7, low=-1.0)[at], alone.uniform(7, low=-1.0)[0])


def test_one_generator_for_each_image_or_a_sentence() -> None:
    with pytest.raises(ShapeError, match="2 generators for 3 images"):
        Draws(3, generator=[system_generator(), system_generator()])
