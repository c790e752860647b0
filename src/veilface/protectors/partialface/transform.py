"""PartialFace's random subset: for each image a few of the weak frequencies, in a drawn order."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from veilface.protectors.dct.front_end import FREQUENCIES, decode, pick, place

PRUNED = (0, 1, 2, 3, 8, 9, 10, 16, 17, 24)  # code; the paper states mean absolute value
KEPT = tuple(k for k in range(FREQUENCIES) if k not in PRUNED)  # the other 54, ascending

SUBSETS = (  # code: one fixed draw, as places in KEPT; s = 9 channels, m = 6 subsets
    (1, 24, 28, 12, 32, 45, 47, 40, 52),
    (35, 39, 44, 42, 10, 4, 37, 31, 53),
    (0, 50, 19, 6, 22, 51, 49, 23, 21),
    (38, 8, 25, 13, 17, 30, 7, 33, 9),
    (26, 29, 16, 2, 43, 14, 5, 11, 48),
    (36, 41, 46, 34, 15, 27, 18, 20, 3),
)
ORDERS = (  # the paper has n = 6; its code lists the first three, the others are drawn here
    (0, 1, 2, 3, 4, 5, 6, 7, 8),
    (7, 3, 0, 6, 5, 4, 1, 2, 8),
    (4, 8, 6, 0, 2, 5, 3, 7, 1),
    (2, 6, 8, 1, 7, 0, 4, 5, 3),
    (5, 0, 3, 8, 1, 7, 2, 6, 4),
    (8, 4, 1, 5, 3, 2, 6, 0, 7),
)

TRIPLES = tuple(combinations(range(len(SUBSETS)), 3))
"""The 20 choices of half of the subsets: in training a person has one of them, by number mod 20."""


def variants() -> Tensor:
    """(6, 6, 9) int64: by subset and order the frequencies that are sent, 0..63.

    All 36 are known to everybody, so that an attacker can try each.
    """
    frequencies = torch.tensor(KEPT)[torch.tensor(SUBSETS)]
    return frequencies[:, torch.tensor(ORDERS)]


def drawn_frequencies(subset: Tensor, order: Tensor) -> Tensor:
    """(N, 9) int64: what images send that drew (N,) subsets and (N,) orders."""
    return variants().to(subset.device)[subset, order]


def drawn_picture(data: Tensor, frequencies: Tensor) -> Tensor:
    """(N, 3, S, S) picture of (N, 27, S, S) channels at their true places, zeros elsewhere."""
    return decode(place(data, frequencies))


def kept_picture(channels: Tensor) -> Tensor:
    """(N, 3, S, S) picture of all 54 kept channels of (N, 192, S, S), as in the paper's figures."""
    kept = torch.tensor(KEPT)
    return decode(place(pick(channels, kept), kept))
