"""The line-up by blurred recognisers: what stands in for viewers until they are asked.

People recognise a face by its coarse half. SFace and dlib on copies that have lost the fine half
pick the source out of ten about as often as viewers do, where NCC, HOG and LBP do not see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from veilface.errors import ShapeError
from veilface.imaging.filters import gaussian_blur
from veilface.measures.intervals import Estimate, wilson
from veilface.protectors.base import check_faces
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer

SIGMA = 2.25
"""Of the Gaussian blur in pixels: in measured line-ups nearest to what viewers picked."""

ONLOOKERS = ("sface", "dlib")
"""Both come with the package, so that the figure is the same everywhere."""

CAVEAT = (
    "a high figure means that people recognise the picture, a low one does not mean that they do "
    "not. Viewers picked persona in .23 where it says .15, and the line drawings that DuetFace and "
    "PartialFace leave in .75 and .62 where it says .26 and .23: ask viewers. SFace and dlib are "
    "usually among the surrogates: that is as designed, since the loss sees sharp copies. Of a "
    "protector whose loss sees blurred copies through one of them, that one must not be reported"
)
"""What a reader of the figure has to know."""


class Onlookers:
    """Recognisers that see blurred copies of the candidates; prepared once.

    Args:
        gallery: (M, 3, 112, 112) clean photos in [0, 1].
        chosen: (N, size) numbers of photos, from `veilface.measures.lineup.lineups`.
        recognizers: By default those of `ONLOOKERS`.

    Raises:
        ShapeError: The gallery is of another shape or range, or a line-up names no photo of it.
        WeightsError: The weights of a recogniser are not here.
    """

    def __init__(
        self,
        gallery: Tensor,
        chosen: Tensor,
        *,
        recognizers: Sequence[Recognizer] | None = None,
    ) -> None:
        check_faces(gallery)
        if chosen.ndim != 2 or not bool(((chosen >= 0) & (chosen < len(gallery))).all()):
            raise ShapeError(f"line-ups must be (N, size) numbers of {len(gallery)} photos")
        self._recognizers = recognizers or [
            load_recognizer(name, differentiable=False) for name in ONLOOKERS
        ]
        needed, inverse = np.unique(chosen.numpy(), return_inverse=True)
        places = torch.from_numpy(inverse).view(chosen.shape)
        self._candidates = {
            recognizer.name: _embed(recognizer, gallery[torch.from_numpy(needed)])[places]
            for recognizer in self._recognizers
        }
        self._cases = len(chosen)

    def picks(self, protected: Tensor) -> Mapping[str, Tensor]:
        """Whom each recogniser picks.

        Args:
            protected: (N, 3, 112, 112) in [0, 1], one for each line-up.

        Returns:
            By recogniser (N,) int64 places in the line-ups, from 0; -1 where several candidates are
            equally similar.

        Raises:
            ShapeError: Another shape, range or number.
        """
        check_faces(protected)
        if len(protected) != self._cases:
            raise ShapeError(f"{len(protected)} images are not one for each of {self._cases}")
        return {
            recognizer.name: _best(self._candidates[recognizer.name], _embed(recognizer, protected))
            for recognizer in self._recognizers
        }


def blurred_picks(protected: Tensor, gallery: Tensor, chosen: Tensor) -> Mapping[str, Tensor]:
    """Whom SFace and dlib pick out of line-ups, on blurred copies.

    Args:
        protected: (N, 3, 112, 112) in [0, 1].
        gallery: (M, 3, 112, 112) clean photos.
        chosen: (N, size) numbers of photos of the gallery.

    Returns:
        As `Onlookers.picks`.

    Raises:
        ShapeError: As in `Onlookers`.
        WeightsError: As in `Onlookers`.
    """
    return Onlookers(gallery, chosen).picks(protected)


def pick_rates(picks: Mapping[str, Tensor], chosen: Tensor, own: Tensor) -> Mapping[str, Estimate]:
    """How often the source is picked.

    Args:
        picks: By recogniser, from `Onlookers.picks`.
        chosen: (N, size) numbers of photos.
        own: (N,) which photo each source is.

    Returns:
        The share of right picks by recogniser, and under ``mean`` that of all; its interval counts
        people, not picks, since recognisers that look at the same face do not err independently.
    """
    place = (chosen == own[:, None]).int().argmax(dim=1)
    right = {name: int((picked == place).sum()) for name, picked in picks.items()}
    rates = {name: wilson(count, len(own)) for name, count in right.items()}
    return rates | {"mean": wilson(sum(right.values()) / len(right), len(own))}


def _embed(recognizer: Recognizer, faces: Tensor) -> Tensor:
    return torch.from_numpy(embed_faces(recognizer, gaussian_blur(faces, sigma=SIGMA)))


def _best(candidates: Tensor, vectors: Tensor) -> Tensor:
    """(N,) place of the candidate (N, size, D) that is most similar to a vector (N, D)."""
    scores = (candidates * vectors[:, None]).sum(dim=2)
    best = scores.max(dim=1)
    alone = (scores >= best.values[:, None]).sum(dim=1) == 1
    return torch.where(alone, best.indices, -1)
