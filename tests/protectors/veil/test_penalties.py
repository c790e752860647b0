"""The penalties against scipy and scikit-image, and what they punish."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import structural_similarity

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.surrogate import TinySurrogate
from veilface.imaging.filters import coarse_luma, gaussian_blur, luma, oriented_gradients
from veilface.protectors.veil.objective import (
    Objective,
    Recognition,
    State,
    centred_embedding,
    entropy_term,
)
from veilface.protectors.veil.penalties import DecoyRepulsion, StartFidelity


@pytest.mark.parametrize("sigma", [0.5, 1.5, 4.0])
def test_blur_equals_scipy(sigma: float) -> None:
    x = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    radius = max(1, round(3 * sigma))
    expected = ndimage.gaussian_filter(
        x[0].numpy(), sigma=(0, sigma, sigma), mode="mirror", radius=(0, radius, radius)
    )
    np.testing.assert_allclose(gaussian_blur(x, sigma=sigma)[0], expected, atol=1e-12)


def test_coarse_luma_gives_the_correlation_coefficient() -> None:
    a, b = synthetic_faces(2).double().chunk(2)
    ncc = float((coarse_luma(a, sigma=2.0) * coarse_luma(b, sigma=2.0)).sum())
    grey = [
        ndimage.gaussian_filter(
            (f[0] * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0).numpy(),
            2.0,
            mode="mirror",
            radius=6,
        )
        for f in (a, b)
    ]
    expected = np.corrcoef(grey[0].ravel(), grey[1].ravel())[0, 1]
    assert ncc == pytest.approx(expected, abs=1e-6)


def test_descriptor_follows_orientation_not_contrast() -> None:
    stripes = torch.sin(torch.arange(112.0) / 3)[None, None, None].expand(1, 3, 112, 112) / 3 + 0.5
    upright = oriented_gradients(stripes, sigma=1.5)
    faint = oriented_gradients(0.5 + (stripes - 0.5) / 2, sigma=1.5)
    turned = oriented_gradients(stripes.transpose(2, 3), sigma=1.5)
    assert float((upright * faint).sum()) > 0.99
    assert float((upright * turned).sum()) < 0.1


@pytest.mark.parametrize("describe", [oriented_gradients, coarse_luma])
def test_descriptors_pass_gradcheck(describe: object) -> None:
    assert callable(describe)
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda t: describe(t, sigma=1.5), (x,))


def test_repulsion_allows_what_the_source_has() -> None:
    surrogate = TinySurrogate()
    x, decoy = synthetic_faces(2).chunk(2)
    target = centred_embedding(surrogate, x)
    far = centred_embedding(surrogate, decoy)
    term = DecoyRepulsion({"tiny": target}, {"tiny": far[:, None]})
    assert float(term(State(x, {"tiny": target}))) == pytest.approx(0, abs=1e-6)
    cosine = float((target * far).sum())
    assert float(term(State(x, {"tiny": far}))) == pytest.approx(cosine - 1, abs=1e-5)


def test_fidelity_is_the_ssim_of_scikit_image() -> None:
    start, other = synthetic_faces(2).double().chunk(2)
    term = StartFidelity(start)
    assert float(term(State(start, {}))) == pytest.approx(0, abs=1e-9)
    grey = [luma(x)[0, 0].numpy() for x in (start, other)]
    _, full = structural_similarity(
        grey[0], grey[1], win_size=7, use_sample_covariance=False, data_range=1.0, full=True
    )
    expected = full[3:-3, 3:-3].mean() - 1
    assert float(term(State(other, {}))) == pytest.approx(expected, abs=1e-6)


def test_objective_is_the_weighted_sum_of_eq_10() -> None:
    surrogates = [TinySurrogate("a", seed=0), TinySurrogate("b", seed=1, dim=8)]
    x, now = synthetic_faces(4).chunk(2)
    targets = {s.name: centred_embedding(s, x) for s in surrogates}
    recognition = Recognition(targets, weights={"a": 0.7, "b": 0.3})
    objective = Objective(
        surrogates, terms=[(1.0, recognition), (0.1, entropy_term)], view=lambda t: t
    )
    cosines = [
        torch.nn.functional.cosine_similarity(s.embed(x) - s.centre, s.embed(now) - s.centre, dim=1)
        for s in surrogates
    ]
    entropy = entropy_term(State(now, {}))
    expected = 0.7 * cosines[0] + 0.3 * cosines[1] + 0.1 * entropy
    torch.testing.assert_close(objective(now), expected, atol=1e-5, rtol=0)


def test_recognition_of_the_source_itself_is_one() -> None:
    surrogate = TinySurrogate()
    x = synthetic_faces(3)
    targets = {"tiny": centred_embedding(surrogate, x)}
    torch.testing.assert_close(Recognition(targets)(State(x, targets)), torch.ones(3))
