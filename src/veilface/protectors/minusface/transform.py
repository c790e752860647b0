"""MinusFace's shuffle: what is left of a face, its channels in a random order, as an image."""

from __future__ import annotations

import torch
from torch import Tensor

from veilface.core.randomness import Draws
from veilface.protectors.dct.front_end import CHANNELS, decode


def permutations(draws: Draws) -> Tensor:
    """(N, 192) int64: one random order of all channels for each image.

    Without a caller's generator every order has the operating system's randomness: the authors
    draw from a generator of 32 or 64 bits, which reaches few of the 192! orders.
    """
    # Two words a channel: equal keys, which would favour an order, are out of the question.
    words = draws.words(2, CHANNELS)
    return ((words[:, 0] << 31) ^ words[:, 1]).argsort(dim=1)


def shuffled(residue: Tensor, order: Tensor) -> Tensor:
    """The picture of a residue whose channels were exchanged, across planes too.

    Args:
        residue: (N, 192, S, S).
        order: (N, 192): place k gets channel ``order[:, k]``.

    Returns:
        (N, 3, S, S) RGB, not clamped.

    Source:
        MinusFace (CVPR 2024), Sec. 3.3.
    """
    index = order.to(residue.device)[:, :, None, None].expand_as(residue)
    return decode(torch.gather(residue, 1, index))
