"""How PartialFace's recogniser is taught: nobody's images show it more than half of the subsets."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from veilface.core.randomness import Draws
from veilface.protectors.dct.front_end import encode, pick
from veilface.protectors.partialface.transform import ORDERS, TRIPLES, drawn_frequencies


def taught(x: Tensor, people: Tensor, generator: Generator) -> Tensor:
    """What is sent of faces whose people are known, when a recogniser learns from it.

    Each draw is fresh, and an image comes back with others: that is the paper's augmentation r.
    A query draws from all subsets, see `veilface.protectors.partialface.protector`.

    Args:
        x: (N, 3, S, S) float RGB in [0, 1].
        people: (N,) class numbers.
        generator: Of the draws.

    Returns:
        (N, 27, S, S): each image in one of the three subsets of its person, in any order.

    Source:
        PartialFace (ICCV 2023), Sec. 3.4.
    """
    words = Draws(x.shape[0], generator=generator, device=x.device).words(2)
    mine = torch.tensor(TRIPLES, device=people.device)[people % len(TRIPLES)].to(words.device)
    subset = mine.gather(1, words[:, :1] % mine.shape[1])[:, 0]
    frequencies = drawn_frequencies(subset, words[:, 1] % len(ORDERS))
    return pick(encode(x.to(torch.float32)), frequencies)
