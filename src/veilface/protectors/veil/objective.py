"""The objective: recognition by an ensemble of surrogates, plus weighted terms (Eq. 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.protectors.base import Surrogate
from veilface.protectors.veil.entropy import image_entropy


@dataclass(frozen=True, slots=True)
class State:
    """What a term of the objective may look at in one step.

    Attributes:
        x: X_t, (N, 3, H, W) in [0, 1].
        embeddings: Per surrogate the (N, D) centred unit embeddings of a random view of X_t.
    """

    x: Tensor
    embeddings: Mapping[str, Tensor]


Term = Callable[[State], Tensor]
"""Maps a state to (N,) values that are to be maximised."""


def centred(recognizer: Surrogate, embedding: Tensor) -> Tensor:
    """(N, D) unit vectors after subtraction of the recogniser's mean embedding."""
    return F.normalize(embedding - recognizer.centre.to(embedding.dtype), dim=1)


def centred_embedding(recognizer: Surrogate, x: Tensor) -> Tensor:
    """Unit embedding after subtraction of the recogniser's mean embedding.

    Cosines of different recognisers live on different scales (impostors of one average 0.83, of
    others 0.0 to 0.1). Centring puts the impostor mean of each near zero, so that they mix.

    Args:
        recognizer: A differentiable recogniser.
        x: (N, 3, 112, 112) in [0, 1].

    Returns:
        (N, D) unit vectors.
    """
    return centred(recognizer, recognizer.embed(x))


class Recognition:
    """Σ β_i cos(f_i(X), f_i(X_t)), the first sum of Eq. 10.

    Args:
        targets: Per surrogate the (N, D) centred unit embeddings of the source images X.
        weights: β_i by surrogate; equal weights that sum to 1 when absent.
    """

    def __init__(
        self, targets: Mapping[str, Tensor], *, weights: Mapping[str, float] | None = None
    ) -> None:
        self.targets = targets
        self.weights = weights or dict.fromkeys(targets, 1.0 / len(targets))

    def __call__(self, state: State) -> Tensor:
        """(N,) weighted mean of the cosines."""
        terms = [
            self.weights[name] * (embedding * self.targets[name]).sum(dim=1)
            for name, embedding in state.embeddings.items()
        ]
        return torch.stack(terms).sum(dim=0)


def entropy_term(state: State) -> Tensor:
    """E(H(X_t)), the second sum of Eq. 10."""
    return image_entropy(state.x)


class Objective:
    """L_total(X_t): a weighted sum of terms over one random view of X_t.

    Args:
        surrogates: The ensemble.
        terms: Pairs of weight and term.
        view: Draws a random view of X_t; the identity without input diversity.
    """

    def __init__(
        self,
        surrogates: Sequence[Surrogate],
        *,
        terms: Sequence[tuple[float, Term]],
        view: Callable[[Tensor], Tensor],
    ) -> None:
        self.surrogates = surrogates
        self.terms = terms
        self.view = view

    def __call__(self, x: Tensor) -> Tensor:
        """(N,) values for (N, 3, 112, 112) images; differentiable to the images."""
        view = self.view(x)
        state = State(x, {s.name: centred_embedding(s, view) for s in self.surrogates})
        return torch.stack([weight * term(state) for weight, term in self.terms]).sum(dim=0)
