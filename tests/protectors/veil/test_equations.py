"""Each equation against an independent computation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage

from tests.fixtures.faces import synthetic_faces
from veilface.core.randomness import Draws, child_generators
from veilface.errors import ShapeError
from veilface.imaging.frequency import high_pass
from veilface.protectors.veil.diversity import Diversity, blur_each
from veilface.protectors.veil.entropy import image_entropy, soft_histogram
from veilface.protectors.veil.filling import EYES, feature_mask, stochastic_fill
from veilface.protectors.veil.noise import gradient_noise, multi_scale_noise, positive_field
from veilface.protectors.veil.optimizer import MomentumRule, ascend


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("cutoff", [0.0, 3.5, 8.0, 30.0])
def test_high_pass_equals_scipy(cutoff: float) -> None:
    x = torch.rand(2, 3, 20, 23, generator=generator(), dtype=torch.float64)
    v = np.fft.fftfreq(20, 1 / 20)[:, None]
    u = np.fft.fftfreq(23, 1 / 23)[None, :]
    spectrum = fft.fft2(x.numpy()) * (np.hypot(v, u) > cutoff)
    expected = fft.ifft2(spectrum)
    assert np.abs(expected.imag).max() < 1e-12
    np.testing.assert_allclose(high_pass(x, cutoff=cutoff), expected.real, atol=1e-12)


def test_high_pass_is_a_zero_mean_projection() -> None:
    x = torch.rand(1, 3, 112, 112, generator=generator())
    once = high_pass(x, cutoff=8)
    assert once.mean().abs() < 1e-6
    torch.testing.assert_close(high_pass(once, cutoff=8), once, atol=1e-5, rtol=0)


def test_fill_has_the_colour_statistics_of_the_image_and_none_of_its_places() -> None:
    x = synthetic_faces(2)
    filled = stochastic_fill(x, Draws(2, generator=generator()), spread=0.5)
    torch.testing.assert_close(filled.mean((2, 3)), x.mean((2, 3)), atol=0.01, rtol=0)
    torch.testing.assert_close(filled.std((2, 3)), 0.5 * x.std((2, 3)), atol=0.01, rtol=0)
    shuffled = x.flatten(2)[:, :, torch.randperm(112 * 112, generator=generator(1))].view_as(x)
    again = stochastic_fill(shuffled, Draws(2, generator=generator()), spread=0.5)
    torch.testing.assert_close(again, filled, atol=1e-4, rtol=0)


def test_mask_keeps_the_eyes_only() -> None:
    mask = feature_mask(EYES, softness=0.3)[0, 0]
    assert mask[52, 38] == 1
    assert mask[52, 74] == 1
    assert mask[92, 56] == 0
    assert 0 < mask[52, 38 + 15] < 1  # on the edge, one radius from the centre
    assert 0.03 < float(mask.mean()) < 0.12


def test_gradient_noise_equals_the_sum_of_eq_5() -> None:
    side, wavelength = 12, 5.0
    field = gradient_noise(Draws(1, generator=generator()), side=side, wavelength=wavelength)[0]
    points = int((side - 0.5) // wavelength) + 2
    angle = Draws(1, generator=generator()).uniform(points**2, high=2 * np.pi)[0].numpy()
    h = np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(points, points, 2)

    def fade(t: float) -> float:
        return 0.0 if t >= 1 else 1 - (6 * t**5 - 15 * t**4 + 10 * t**3)

    for row, column in [(0, 0), (3, 7), (11, 11), (5, 2)]:
        y, x = (row + 0.5) / wavelength, (column + 0.5) / wavelength
        value = sum(
            (h[i, j, 0] * (x - j) + h[i, j, 1] * (y - i)) * fade(abs(x - j)) * fade(abs(y - i))
            for i in range(points)
            for j in range(points)
        )
        assert float(field[row, column]) == pytest.approx(value, abs=1e-5)


def test_levels_add_finer_detail_with_less_weight() -> None:
    coarse = multi_scale_noise(Draws(4, generator=generator()), octaves=1)
    full = multi_scale_noise(Draws(4, generator=generator()), octaves=4)

    def roughness(field: torch.Tensor) -> float:
        return float(field.diff(dim=2).square().mean() / field.square().mean())

    assert roughness(full) > 2 * roughness(coarse)


@given(seed=st.integers(0, 2**31), amplitude=st.floats(0.05, 0.95))
@settings(max_examples=20, deadline=None)
def test_field_never_reverses_a_step(seed: int, amplitude: float) -> None:
    noise = multi_scale_noise(Draws(2, generator=generator(seed)), side=28, wavelength=14)
    field = positive_field(noise, amplitude=amplitude)
    assert float(field.min()) >= 1 - amplitude - 1e-5 > 0
    assert float(field.max()) <= 1 + amplitude + 1e-5
    torch.testing.assert_close(field.mean((1, 2, 3)), torch.ones(2), atol=1e-4, rtol=0)


def test_entropy_of_known_histograms() -> None:
    levels = torch.linspace(0, 1, 16).repeat(1, 3, 4, 1)
    assert float(image_entropy(levels, bins=16)) == pytest.approx(1.0, abs=1e-6)
    assert float(image_entropy(torch.full((1, 3, 8, 8), 0.4), bins=11)) == pytest.approx(
        0, abs=1e-6
    )
    halves = torch.cat([torch.zeros(1, 3, 4, 8), torch.ones(1, 3, 4, 8)], dim=2)
    assert float(image_entropy(halves, bins=64)) == pytest.approx(np.log(2) / np.log(64), abs=1e-6)


def test_soft_histogram_equals_the_hard_one_on_bin_centres() -> None:
    values = torch.randint(0, 32, (2, 3, 10, 10), generator=generator())
    soft = soft_histogram(values / 31, bins=32)
    for row, image in zip(soft, values, strict=True):
        expected = torch.bincount(image.flatten(), minlength=32) / 300
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=0)


def test_entropy_and_view_pass_gradcheck() -> None:
    x = torch.rand(1, 3, 8, 8, generator=generator(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: image_entropy(t, bins=8), (x,))
    view = Diversity(scale=0.1, rotation=5, shift=1)
    assert torch.autograd.gradcheck(lambda t: view.view(t, Draws(1, generator=generator())), (x,))


def test_view_without_any_range_is_the_identity() -> None:
    x = synthetic_faces(2)
    still = Diversity(scale=0, rotation=0, shift=0, brightness=0, blur=0, noise=0)
    torch.testing.assert_close(still.view(x, Draws(2)), x, atol=1e-4, rtol=0)


def test_view_shift_is_in_pixels() -> None:
    x = torch.zeros(1, 3, 112, 112)
    x[:, :, 50:60, 50:60] = 1
    view = Diversity(scale=0, rotation=0, shift=10, brightness=0, blur=0, noise=0)
    for seed in range(5):
        unit = Draws(1, generator=generator(seed)).uniform(6, low=-1.0)[0]
        moved = view.view(x, Draws(1, generator=generator(seed)))[0, 0].numpy()
        row, column = ndimage.center_of_mass(moved)
        assert column == pytest.approx(54.5 - 10 * float(unit[2]), abs=0.05)
        assert row == pytest.approx(54.5 - 10 * float(unit[3]), abs=0.05)


def test_every_image_is_blurred_as_scipy_would() -> None:
    x = torch.rand(4, 3, 30, 34, generator=generator(), dtype=torch.float64)
    sigmas = (0.0, 0.6, 1.3, 2.0)
    blurred = blur_each(x, torch.tensor(sigmas))
    assert torch.equal(blurred[0], x[0])
    for image, result, sigma in zip(x[1:], blurred[1:], sigmas[1:], strict=True):
        expected = ndimage.gaussian_filter(
            image.numpy(), (0, sigma, sigma), mode="mirror", truncate=24 / sigma
        )
        np.testing.assert_allclose(result.numpy(), expected, atol=1e-9)


def test_rule_is_eq_9_with_momentum_of_mi_fgsm() -> None:
    first = torch.tensor([[[[1.0, -3.0]]]])
    second = torch.tensor([[[[2.0, 2.0]]]])
    rule = MomentumRule(step_size=0.1, momentum=0.9)
    torch.testing.assert_close(rule(first, elapsed=0.0), torch.tensor([[[[0.05, -0.15]]]]))
    expected = 0.1 * 0.5 * (0.9 * torch.tensor([[[[0.5, -1.5]]]]) + 1)
    torch.testing.assert_close(rule(second, elapsed=0.5), expected)


def test_rule_multiplies_the_step_by_the_noise_field() -> None:
    field = torch.rand(1, 1, 4, 4, generator=generator()) + 0.5
    gradient = torch.randn(1, 3, 4, 4, generator=generator())
    plain = MomentumRule(step_size=0.1, momentum=0.9)(gradient, elapsed=0.0)
    noisy = MomentumRule(step_size=0.1, momentum=0.9, modulation=lambda: field)
    torch.testing.assert_close(noisy(gradient, elapsed=0.0), plain * field)


@given(radius=st.floats(0.01, 0.5), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_ascent_stays_in_its_ball_and_range_and_climbs(radius: float, seed: int) -> None:
    start = torch.rand(2, 3, 8, 8, generator=generator(seed))
    wanted = torch.rand(2, 3, 8, 8, generator=generator(seed + 1))
    steps: list[int] = []

    def closeness(x: torch.Tensor) -> torch.Tensor:
        return -(x - wanted).square().sum((1, 2, 3))

    rule = MomentumRule(step_size=0.02, momentum=0.5)
    x = ascend(
        start,
        closeness,
        rule=rule,
        steps=30,
        radius=radius,
        progress=lambda done, _: steps.append(done),
    )
    assert steps == list(range(1, 31))
    assert float((x - start).abs().max()) <= radius + 1e-6
    assert float(x.min()) >= 0
    assert float(x.max()) <= 1
    assert bool((closeness(x) > closeness(start)).all())


def test_draws_of_an_image_do_not_depend_on_its_batch() -> None:
    streams = child_generators(generator(), 3)
    batch = Draws(3, generator=streams)
    together = batch.normal(4, 5)
    alone = Draws(1, generator=child_generators(generator(), 3)[2:]).normal(4, 5)
    torch.testing.assert_close(together[2:], alone, rtol=0, atol=0)


def test_draws_without_a_generator_never_repeat() -> None:
    assert not torch.equal(Draws(1).normal(4), Draws(1).normal(4))


def test_draws_want_one_generator_for_each_image() -> None:
    with pytest.raises(ShapeError, match="2 generators for 3 images"):
        Draws(3, generator=child_generators(generator(), 2))
