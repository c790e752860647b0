"""What holds for every photo and every choice of parameters."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.surrogate import TinySurrogate
from veilface.core.randomness import entropic_generator
from veilface.imaging.frequency import high_pass
from veilface.protectors.base import FaceProtector
from veilface.protectors.registry import PROTECTORS, build_protector
from veilface.protectors.veil.presets import PRESETS, Preset

pytestmark = pytest.mark.usefixtures("drawn_weights")
_SURROGATES = [TinySurrogate("a", seed=0), TinySurrogate("b", seed=1)]
_FACES = synthetic_faces(4)
_KINDS = ("face", "noise", "black", "white", "checks")

presets = st.builds(
    lambda name, steps, radius, step_size, weights: replace(
        PRESETS[name],
        steps=steps,
        radius=radius,
        step_size=step_size,
        entropy=weights[0],
        repulsion=weights[1],
    ),
    name=st.sampled_from(sorted(PRESETS)),
    steps=st.integers(0, 3),
    radius=st.one_of(st.none(), st.floats(0, 1)),
    step_size=st.floats(0, 1),
    weights=st.tuples(st.floats(0, 10), st.floats(0, 10)),
)


def photo(kind: str, seed: int) -> Tensor:
    """(1, 3, 112, 112): a face, or what a face is not."""
    if kind == "face":
        return _FACES[seed % 4][None]
    if kind == "noise":
        return torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(seed))
    if kind == "checks":
        return (torch.arange(112) % 2).float().expand(1, 3, 112, 112).contiguous()
    return torch.full((1, 3, 112, 112), float(kind == "white"))


def make(name: str) -> FaceProtector:
    if name not in PRESETS:
        return build_protector(name)
    return build_protector(replace(PRESETS[name], steps=2), _SURROGATES)


@given(preset=presets, kind=st.sampled_from(_KINDS), seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_result_is_an_8_bit_image_within_its_bound(preset: Preset, kind: str, seed: int) -> None:
    x = photo(kind, seed)
    entropy = seed.to_bytes(4, "big")

    def images(preset: Preset) -> Tensor:
        protector = build_protector(preset, _SURROGATES)
        return protector.protect(x, generator=[entropic_generator(entropy)]).images

    result = images(preset)
    assert result.shape == x.shape
    levels = (result * 255).round()
    torch.testing.assert_close(result * 255, levels, atol=1e-3, rtol=0)
    assert 0 <= float(levels.min()) <= float(levels.max()) <= 255
    if preset.radius is not None and preset.band is None:
        start = images(replace(preset, steps=0))
        assert float((result - start).abs().max()) <= preset.radius + 1.01 / 255
    if preset.band is not None:
        change = result - images(replace(preset, steps=0))
        coarse = change - high_pass(change, cutoff=preset.band.cutoff)
        assert float(coarse.abs().max()) <= 1.5 / 255, "both images are rounded"


@pytest.mark.parametrize("name", PROTECTORS)
@given(
    kinds=st.tuples(*[st.sampled_from(_KINDS)] * 3),
    seed=st.integers(0, 2**31),
    at=st.integers(0, 1),
)
@settings(max_examples=4, deadline=None)
def test_neighbours_in_the_batch_do_not_matter(
    name: str, kinds: tuple[str, str, str], seed: int, at: int
) -> None:
    """The same photo with the same stream between two sets of other photos is the same image."""
    mine, one, other = (photo(kind, seed) for kind in kinds)

    def beside(neighbour: Tensor, theirs: bytes) -> Tensor:
        batch, streams = [neighbour, neighbour], [theirs, theirs]
        batch[at], streams[at] = mine, b"mine"
        generators = [entropic_generator(stream) for stream in streams]
        return make(name).protect(torch.cat(batch), generator=generators).images[at]

    first, second = beside(one, b"one"), beside(other, b"other")
    # Sums in another order may move a value across a rounding boundary: one 8-bit level.
    assert float((first - second).abs().max()) < 1.5 / 255
    assert float(((first - second).abs() > 0.5 / 255).float().mean()) < 0.05


@pytest.mark.parametrize("name", PROTECTORS)
def test_no_global_generator_is_used(name: str) -> None:
    """Without a generator of the caller too; PyTorch's own is watched by the tests' fixture."""

    def states() -> str:
        legacy = np.random.get_state()  # noqa: NPY002 - it is what is watched
        return f"{random.getstate()} {[np.asarray(part).tolist() for part in legacy]}"

    before = states()
    make(name).protect(_FACES[:1])
    assert states() == before
