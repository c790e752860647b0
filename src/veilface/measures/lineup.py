"""Line-ups: is the source of X' told apart from nine people who look like it?

A gallery of strangers is easily told apart by sex, age or pose. A line-up holds those constant, as
the police choose the others of one; what is left is the face. Chance is one in its size, and stays
so: the scale at which a matcher looks is chosen on other people than it is scored on.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from veilface.errors import ShapeError
from veilface.measures.intervals import Estimate, wilson
from veilface.measures.linkage import won

# What counts as one step of difference: years, probability of a sex, and the two ratios of
# `visibility.pose`. Sex is narrow, so that the other one is taken last. House rule.
UNITS = (5.0, 0.1, 0.1, 0.05)


def lineups(attributes: Tensor, own: Tensor, *, size: int = 10, seed: int) -> Tensor:
    """Choose for each source the likest other people of a gallery.

    Args:
        attributes: (M, 4) age in years, sex as a probability, yaw and pitch of each photo of the
            gallery, one photo a person; what is not known is NaN and counts as the median.
        own: (N,) where in the gallery each source lies.
        size: People in a line-up, the source among them.
        seed: Of the order in which they stand.

    Returns:
        (N, size) int64 numbers of photos, all different; each row holds its source once.

    Raises:
        ShapeError: Another shape, a source that is not in the gallery, or too small a gallery.
    """
    people = len(attributes)
    if attributes.ndim != 2 or attributes.shape[1] != len(UNITS):
        raise ShapeError(f"attributes must be (M, {len(UNITS)}), got {tuple(attributes.shape)}")
    if own.ndim != 1 or not bool(((own >= 0) & (own < people)).all()):
        raise ShapeError(f"own must be (N,) numbers of {people} photos")
    if not 2 <= size <= people:
        raise ShapeError(f"a line-up of {size} cannot be chosen from {people} people")
    x = attributes.to(torch.float64)
    x = torch.where(x.isnan(), x.nanmedian(dim=0).values.nan_to_num(), x) / x.new_tensor(UNITS)
    distance = torch.cdist(x[own], x, compute_mode="donot_use_mm_for_euclid_dist")
    distance.scatter_(1, own[:, None], -1.0)  # the source itself is always chosen
    chosen = distance.argsort(dim=1, stable=True)[:, :size]
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(chosen.shape, generator=generator).argsort(dim=1)
    return chosen.gather(1, order.to(chosen.device))


def lineup_rate(table: Mapping[str, Tensor], chosen: Tensor, own: Tensor) -> Mapping[str, Estimate]:
    """How often each matcher picks the source out of its line-up.

    Args:
        table: Per matcher (scales, N, M) similarities, from `linkage.similarities`.
        chosen: (N, size) from `lineups`.
        own: (N,) where in the gallery each source lies.

    Returns:
        Per matcher the share of right picks, where each half of the rows (even, odd) is scored at
        the scale that is best on the other half; an equally similar other person is no pick.

    Raises:
        ShapeError: A line-up does not hold its source once.
    """
    present = chosen == own[:, None]
    if not bool((present.sum(dim=1) == 1).all()):
        raise ShapeError("each line-up must hold its source exactly once")
    place = present.int().argmax(dim=1)
    result = {}
    for name, scores in table.items():
        picked = won(scores.gather(2, chosen.expand(len(scores), *chosen.shape)), place)
        even, odd = picked[:, 0::2], picked[:, 1::2]
        right = even[odd.sum(dim=1).argmax()].sum() + odd[even.sum(dim=1).argmax()].sum()
        result[name] = wilson(int(right), len(own))
    return result
