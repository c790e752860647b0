"""PartialFace's draw of channels."""

from __future__ import annotations

import torch

from tests.fixtures.faces import synthetic_faces
from veilface.core.randomness import entropic_generator
from veilface.protectors.dct.front_end import decode, encode
from veilface.protectors.partialface.protector import PartialFace
from veilface.protectors.partialface.transform import (
    KEPT,
    ORDERS,
    PRUNED,
    SUBSETS,
    kept_picture,
    variants,
)


def test_subsets_are_a_partition_and_orders_are_permutations() -> None:
    assert sorted({*KEPT, *PRUNED}) == list(range(64))
    assert sorted(k for subset in SUBSETS for k in subset) == list(range(54))
    assert len(set(ORDERS)) == 6
    assert all(sorted(order) == list(range(9)) for order in ORDERS)


def test_variants_are_36_and_hold_true_frequencies() -> None:
    table = variants()
    assert table.shape == (6, 6, 9)
    assert len({tuple(row.tolist()) for row in table.flatten(0, 1)}) == 36
    # Place 1 of the kept channels is frequency 5, place 24 is 34: the first two of subset 0.
    assert table[0, 0, :2].tolist() == [5, 34]
    assert table[0, 1, 0] == KEPT[SUBSETS[0][ORDERS[1][0]]]
    assert not set(table.flatten().tolist()) & set(PRUNED)


def test_data_are_the_drawn_channels() -> None:
    x = synthetic_faces(3)
    protected = PartialFace().protect(x, generator=torch.Generator().manual_seed(1))
    channels = encode(x)
    assert protected.data is not None
    assert protected.picture is not None
    for k in range(3):
        subset, order = (int(protected.secret[name][k]) for name in ("subset", "order"))
        mine = [KEPT[SUBSETS[subset][place]] for place in ORDERS[order]]
        places = [64 * plane + frequency for plane in range(3) for frequency in mine]
        torch.testing.assert_close(protected.data[k], channels[k, places])
        alone = torch.zeros_like(channels[:1])
        alone[0, places] = protected.data[k]
        torch.testing.assert_close(protected.picture[k : k + 1], decode(alone))


def test_queries_draw_from_every_subset_and_order_alike() -> None:
    """A port passed one label to all images, so that they used three subsets of the six."""
    count = 600
    x = torch.zeros(1, 3, 112, 112).expand(25, -1, -1, -1)
    streams = [entropic_generator(b"%d" % k) for k in range(count)]
    drawn = [
        PartialFace().protect(x, generator=streams[k : k + 25]).secret for k in range(0, count, 25)
    ]
    for name in ("subset", "order"):
        counts = torch.cat([secret[name] for secret in drawn]).bincount(minlength=6)
        chi_square = float(((counts - count / 6) ** 2 / (count / 6)).sum())
        assert chi_square < 20.5, f"{counts.tolist()}: chance gives this once in a thousand"


def test_every_image_is_stretched_by_itself() -> None:
    """A port scaled the whole batch by the range of its first image."""
    x = synthetic_faces(2)
    x[0] = 0.5 + 0.05 * (x[0] - 0.5)  # hardly any contrast: a range that would burn the other out
    images = PartialFace().protect(x, generator=torch.Generator().manual_seed(0)).images
    for image in images:
        assert float(image.min()) == 0
        assert float(image.max()) == 1
        assert 0.01 < float(image.std()) < 0.4


def test_the_variant_of_the_figures_shows_all_that_is_kept() -> None:
    x = synthetic_faces(1)
    stream = [entropic_generator(b"a")]
    kept = PartialFace(image="kept").protect(x, generator=stream)
    assert kept.picture is not None
    channels = encode(x)
    torch.testing.assert_close(kept.picture, kept_picture(channels))
    channels.view(1, 3, 64, 112, 112)[:, :, list(PRUNED)] = 0
    torch.testing.assert_close(kept.picture, decode(channels))
    drawn = PartialFace().protect(x, generator=[entropic_generator(b"a")])
    assert torch.equal(kept.data, drawn.data)  # type: ignore[arg-type]
    assert not torch.equal(kept.images, drawn.images)
