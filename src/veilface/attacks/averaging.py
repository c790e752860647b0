"""Averaging: the mean of many protected versions of one photo, linked to its source.

Fresh randomness cancels in a mean, and what all versions have in common stays. Where that is more
of the source than one version shows, a photo must be protected once, or with a secret key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from veilface.errors import ShapeError
from veilface.measures.intervals import Estimate
from veilface.measures.linkage import link

COUNTS = (1, 2, 4, 8, 16)
"""Numbers of versions that are averaged unless others are named."""


@dataclass(frozen=True, slots=True)
class Averaging:
    """How well means of protected versions link to their sources.

    Attributes:
        rates: By number of averaged versions, then by matcher: the rank-1 linkage.
    """

    rates: Mapping[int, Mapping[str, Estimate]]

    @property
    def leaks(self) -> dict[str, bool]:
        """By matcher: does the longest mean link better than the shortest one may by chance?

        That is, does its rate lie above the upper end of the other's 95 % interval.
        """
        first, last = self.rates[min(self.rates)], self.rates[max(self.rates)]
        return {matcher: last[matcher].value > rate.high for matcher, rate in first.items()}


def mean_draws(draws: Iterable[Tensor], *, counts: Sequence[int] = COUNTS) -> dict[int, Tensor]:
    """Means of the first versions of every photo.

    Args:
        draws: At least as many (N, 3, H, W) batches in [0, 1] as the largest count, each an
            independent version of the same N photos: a (K, N, 3, H, W) tensor, or a generator of
            batches, of which only the sum is kept.
        counts: How many versions to average.

    Returns:
        By count the (N, 3, H, W) means, not rounded: an attacker need not round.

    Raises:
        ShapeError: There are fewer draws than the largest count, or a count below 1.
    """
    if not counts or min(counts) < 1:
        raise ShapeError(f"means of {tuple(counts)} draws: every count must be at least 1")
    means: dict[int, Tensor] = {}
    total: Tensor | None = None
    for done, draw in enumerate(draws, start=1):
        total = draw if total is None else total + draw
        if done in counts:
            means[done] = total / done
        if done == max(counts):
            return means
    raise ShapeError(f"fewer draws than the {max(counts)} to be averaged")


def link_means(
    draws: Iterable[Tensor],
    gallery: Tensor,
    own: Tensor,
    *,
    counts: Sequence[int] = COUNTS,
) -> Averaging:
    """Link means of protected versions to the photo they were made from.

    Args:
        draws: As in `mean_draws`, of N photos.
        gallery: (M, 3, 112, 112) clean photos, the N sources among them.
        own: (N,) index of each source in the gallery.
        counts: How many versions to average.

    Raises:
        ShapeError: As in `mean_draws` and `veilface.measures.linkage.link`.
    """
    means = mean_draws(draws, counts=counts)
    return Averaging({count: link(mean, gallery, own) for count, mean in means.items()})
