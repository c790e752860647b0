"""Linkage: each matcher against an oracle, then on images whose answer is known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage.feature import local_binary_pattern
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ShapeError
from veilface.imaging.tensors import to_tensor
from veilface.measures.linkage import (
    MATCHERS,
    Descriptors,
    binary_patterns,
    describe,
    link,
    linked,
    pattern_codes,
    similarities,
    won,
)
from veilface.protectors.controls import CONTROLS


@pytest.fixture(scope="module")
def gallery() -> Tensor:
    return synthetic_faces(24)


@pytest.fixture(scope="module")
def clean(gallery: Tensor) -> Descriptors:
    return describe(gallery)


def control(name: str, x: Tensor) -> Tensor:
    return CONTROLS[name].protect(x, generator=torch.Generator().manual_seed(0)).images


def test_patterns_equal_scikit_image() -> None:
    generator = torch.Generator().manual_seed(0)
    field = torch.rand(1, 80, 90, generator=generator, dtype=torch.float64)
    mine = pattern_codes(field)[0, 2:-2, 2:-2].flatten().tolist()
    grey = field[0].numpy()
    with pytest.warns(UserWarning, match="integer dtype"):  # ties are left out by drawing floats
        theirs = local_binary_pattern(grey, 8, 2, method="nri_uniform")[2:-2, 2:-2].ravel()
    # Each numbers the patterns in an order of its own; one number must stand for one number.
    pairs = set(zip(mine, theirs.tolist(), strict=True))
    assert len(pairs) == len({m for m, _ in pairs}) == len({t for _, t in pairs}) == 59


def test_histograms_are_shares_of_each_cell() -> None:
    x = synthetic_faces(2)
    found = binary_patterns(x, sigma=1.0).reshape(2, 49, 59)
    torch.testing.assert_close(found.sum(dim=2), torch.ones(2, 49))
    flat = binary_patterns(torch.full_like(x, 0.3), sigma=2.0).reshape(2, 49, 59)
    assert bool((flat.max(dim=2).values == 1).all())


def test_chi_square_orders_as_its_definition() -> None:
    x, y = (binary_patterns(f, sigma=0.0).double() for f in torch.split(synthetic_faces(9), [3, 6]))
    total = x[:, None] + y[None]
    distance = ((x[:, None] - y[None]) ** 2 / total.clamp(min=1e-12)).sum(dim=2)
    found = MATCHERS["lbp"].compare(x, y)
    torch.testing.assert_close(2 * 49 - 4 * found, distance)


def test_ncc_is_the_correlation_of_blurred_luma(gallery: Tensor) -> None:
    a, b = gallery[:2].double().numpy()
    weights = np.array([0.299, 0.587, 0.114])[:, None, None]
    blurred = [
        ndimage.gaussian_filter((f * weights).sum(0), 3.0, mode="mirror", radius=9) for f in (a, b)
    ]
    expected = abs(np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1])
    found = similarities(describe(gallery[:1]), describe(gallery[1:2]))["ncc"]
    scale = MATCHERS["ncc"].sigmas.index(3.0)
    assert float(found[scale, 0, 0]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["clean", "blur", "pixelate", "noisy"])
def test_naive_protection_is_linked(name: str, gallery: Tensor, clean: Descriptors) -> None:
    found = linked(similarities(describe(control(name, gallery[:8])), clean), torch.arange(8))
    assert {key: (value.value, value.n) for key, value in found.items()} == dict.fromkeys(
        MATCHERS, (1.0, 8)
    )


def test_what_holds_nothing_of_the_source_is_not_linked(
    gallery: Tensor, clean: Descriptors
) -> None:
    own = torch.arange(24)
    for images in (control("noise", gallery), synthetic_faces(24, seed=9)):
        for found in linked(similarities(describe(images), clean), own).values():
            assert found.low < 4 / 24  # the best of a few scales is somewhat above chance
    for found in linked(similarities(describe(control("grey", gallery)), clean), own).values():
        assert found.value <= 1 / 24  # one image for everybody is at most one person's


def test_a_negative_is_linked_by_ncc_and_hog(gallery: Tensor, clean: Descriptors) -> None:
    negative = describe(control("negative", gallery[:8]))
    found = linked(similarities(negative, clean), torch.arange(8))
    assert found["ncc"].value == found["hog"].value == 1


def test_order_of_the_gallery_does_not_matter(gallery: Tensor, clean: Descriptors) -> None:
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    probes = (0.3 * gallery[:8] + 0.7 * synthetic_faces(8, seed=5)).clamp(0, 1)
    own = torch.arange(8)
    found = linked(similarities(describe(probes), clean), own)
    assert found == link(probes, gallery[order], order.argsort()[own])


def test_images_are_compared_one_by_one(gallery: Tensor, clean: Descriptors) -> None:
    probes = control("noisy", gallery[:3])
    batch = similarities(describe(probes), clean)
    singles = [similarities(describe(probe[None]), clean) for probe in probes]
    for name in MATCHERS:
        found = torch.cat([single[name] for single in singles], dim=1)
        # The blur rounds otherwise in another batch, and a pattern may flip at a tie.
        torch.testing.assert_close(found, batch[name], rtol=1e-3, atol=1e-5)


def test_the_best_scale_counts_and_a_tie_is_no_link() -> None:
    scores = torch.tensor([[[0.9, 0.1], [0.8, 0.2]], [[0.5, 0.5], [0.1, 0.3]]])

    def rate(table: Tensor, *own: int) -> float:
        return linked({"ncc": table}, torch.tensor(own))["ncc"].value

    assert won(scores, torch.tensor([0, 1])).tolist() == [[True, False], [False, True]]
    assert rate(scores, 0, 1) == 0.5
    assert rate(scores, 0, 0) == 1
    assert rate(scores[1:], 0, 0) == 0
    for own in ((0,), (0, 2), (-1, 0)):
        with pytest.raises(ShapeError, match="own must be 2 numbers of 2 photos"):
            rate(scores, *own)


def test_other_shapes_are_refused() -> None:
    for shape in ((3, 112, 112), (2, 1, 112, 112), (2, 3, 64, 64), (0, 3, 112, 112)):
        with pytest.raises(ShapeError, match=r"\(N, 3, 112, 112\)"):
            describe(torch.zeros(shape))


def test_scales_rise_and_each_matcher_has_several() -> None:
    assert list(MATCHERS) == ["ncc", "hog", "lbp"]
    for matcher in MATCHERS.values():
        assert len(matcher.sigmas) >= 3
        assert all(a < b for a, b in pairwise(matcher.sigmas))


@pytest.mark.data
def test_real_photos_are_linked_through_blur_and_pixels(lfw: Path) -> None:
    people = sorted(path for path in lfw.iterdir() if path.is_dir())[:20]
    photos = torch.stack(
        [to_tensor(np.asarray(Image.open(min(p.glob("*.jpg"))).convert("RGB"))) for p in people]
    )
    faces, own = describe(photos), torch.arange(20)
    for name in ("clean", "blur", "pixelate"):
        found = linked(similarities(describe(control(name, photos)), faces), own)
        assert {key: value.value for key, value in found.items()} == dict.fromkeys(MATCHERS, 1.0)
    for value in linked(similarities(describe(control("noise", photos)), faces), own).values():
        assert value.low < 4 / 20
