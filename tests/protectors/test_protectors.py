"""The contract that every protector of the registry keeps, and what sets the presets apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.surrogate import TinySurrogate
from veilface.core.randomness import child_generators
from veilface.errors import ShapeError, UnknownNameError
from veilface.imaging.frequency import high_pass
from veilface.protectors.base import FaceProtector
from veilface.protectors.registry import METHODS, PROTECTORS, build_protector
from veilface.protectors.veil.presets import PRESETS

pytestmark = pytest.mark.usefixtures("drawn_weights")
RANDOM = (
    *PRESETS,
    *(spec.name for spec in METHODS.values() if spec.randomised),
    "noisy",
    "noise",
)


def make(name: str, *, steps: int = 3) -> FaceProtector:
    if name not in PRESETS:
        return build_protector(name)
    surrogates = [TinySurrogate("a", seed=0), TinySurrogate("b", seed=1)]
    return build_protector(replace(PRESETS[name], steps=steps), surrogates)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", PROTECTORS)
def test_output_is_a_batch_of_8_bit_faces(name: str) -> None:
    x = synthetic_faces(2)
    protected = make(name).protect(x, generator=seeded(1))
    assert protected.images.shape == x.shape
    levels = protected.images * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert float(protected.images.min()) >= 0
    assert float(protected.images.max()) <= 1
    assert not protected.images.requires_grad
    for values in protected.similarity.values():
        assert values.shape == (2,)
        assert bool((values.abs() <= 1 + 1e-5).all())


@pytest.mark.parametrize("name", PROTECTORS)
def test_equal_generator_equal_bytes(name: str) -> None:
    x = synthetic_faces(1)
    first = make(name).protect(x, generator=seeded(7)).images
    assert torch.equal(first, make(name).protect(x, generator=seeded(7)).images)


@pytest.mark.parametrize("name", RANDOM)
def test_other_generator_or_none_gives_another_image(name: str) -> None:
    # A method with a few dozen draws, such as PartialFace's 36, repeats one of them now and then,
    # six of six once in two thousand million.
    x = synthetic_faces(6)
    first = make(name).protect(x, generator=seeded(7)).images
    assert not torch.equal(first, make(name).protect(x, generator=seeded(8)).images)
    assert not torch.equal(make(name).protect(x).images, make(name).protect(x).images)


@pytest.mark.parametrize("name", PROTECTORS)
def test_a_photo_alone_and_in_a_batch_are_the_same(name: str) -> None:
    x = synthetic_faces(3)
    together = make(name).protect(x, generator=child_generators(seeded(3), 3)).images
    alone = make(name).protect(x[1:2], generator=child_generators(seeded(3), 3)[1:2]).images
    # Sums in another order may move a value across a rounding boundary: one 8-bit level.
    assert float((together[1:2] - alone).abs().max()) < 1.5 / 255
    assert float(((together[1:2] - alone).abs() > 0.5 / 255).float().mean()) < 0.05


@pytest.mark.parametrize("name", PROTECTORS)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(3, 112, 112), "float tensor"),
        (torch.zeros(1, 3, 112, 96), "float tensor"),
        (torch.zeros(1, 3, 112, 112, dtype=torch.uint8), "float tensor"),
        (torch.full((1, 3, 112, 112), 255.0), "divide 8-bit values by 255"),
        (torch.full((1, 3, 112, 112), float("nan")), "must lie in"),
    ],
)
def test_bad_input_is_one_sentence(name: str, x: Tensor, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make(name).protect(x)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_climb_towards_their_source(name: str) -> None:
    """Without the views and the repulsion, in which a tiny network loses its way."""
    x = synthetic_faces(2)
    surrogates = [TinySurrogate("a", seed=0), TinySurrogate("b", seed=1)]
    plain = replace(PRESETS[name], diversity=None, repulsion=0.0)
    start, end = (
        build_protector(replace(plain, steps=steps), surrogates)
        .protect(x, generator=seeded(1))
        .similarity
        for steps in (0, 20)
    )
    for surrogate, values in end.items():
        assert bool((values > start[surrogate]).all())


def test_persona_stays_a_stranger_in_the_coarse_band() -> None:
    x = synthetic_faces(2)
    preset = replace(PRESETS["persona"], steps=0)
    surrogates = [TinySurrogate()]
    start = build_protector(preset, surrogates).protect(x, generator=seeded(5)).images
    moved = build_protector(replace(preset, steps=20), surrogates)
    images = moved.protect(x, generator=seeded(5)).images
    assert preset.band is not None
    coarse = (images - start) - high_pass(images - start, cutoff=preset.band.cutoff)
    assert float(coarse.abs().max()) <= 1 / 255
    assert float((images - start).abs().max()) > 4 / 255


def test_persona_holds_nothing_of_the_pixels_but_their_embeddings() -> None:
    """A surrogate that is blind to the photo leaves no path from X to X'."""

    class Blind(TinySurrogate):
        def embed(self, x: Tensor) -> Tensor:
            return super().embed(torch.full_like(x, 0.5) + 0 * x)

    preset = replace(PRESETS["persona"], steps=3)
    a, b = (
        build_protector(preset, [Blind()]).protect(face, generator=seeded(2)).images
        for face in synthetic_faces(2).chunk(2)
    )
    assert torch.equal(a, b)


def test_preset_without_surrogates_says_so() -> None:
    with pytest.raises(ShapeError, match="at least one recogniser"):
        build_protector("persona", [])


def test_unknown_protector_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'persona'"):
        build_protector("persone")
