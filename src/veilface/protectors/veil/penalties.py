"""Penalties beside Eq. 10: against matching strangers, and against showing the source.

Each is a term of the objective with values <= 0. They are not in the paper, which measures neither
false matches between protected images nor links by plain image similarity (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.imaging.filters import luma
from veilface.protectors.veil.objective import State


class DecoyRepulsion:
    """-mean_j relu(cos(f(X_t), d_j) - cos(f(X), d_j)): no closer to a decoy than X itself is.

    Protected images of different people resemble each other for a recogniser, because what they
    start from and how they are made pushes every embedding the same way. The decoys are embeddings
    of starts drawn like X_0, the image's own among them; nothing of the batch enters, so that one
    photo alone is as safe as many.

    Args:
        targets: Per surrogate the (N, D) centred unit embeddings of the sources X.
        decoys: Per surrogate (N, K, D) centred unit embeddings.
    """

    def __init__(self, targets: Mapping[str, Tensor], decoys: Mapping[str, Tensor]) -> None:
        self.decoys = decoys
        self.allowed = {
            name: torch.einsum("nd,nkd->nk", targets[name], decoys[name]) for name in targets
        }

    def __call__(self, state: State) -> Tensor:
        """(N,) values in [-2, 0], the mean over surrogates."""
        terms = [
            F.relu(torch.einsum("nd,nkd->nk", embedding, self.decoys[name]) - self.allowed[name])
            for name, embedding in state.embeddings.items()
        ]
        return -torch.stack([term.mean(dim=1) for term in terms]).mean(dim=0)


class StartFidelity:
    """SSIM(X_t, X_0) - 1 on luma: what a person sees stays the start.

    Within the radius of a smooth synthetic face an optimiser paints what the surrogates know of X,
    a moustache or the line of a jaw, in thin strokes that an eye picks up at once. Structural
    similarity weighs strokes by the contrast around them and makes them the dearest change.

    Args:
        start: X_0, (N, 3, side, side) in [0, 1].
    """

    WINDOW = 7  # uniform, in pixels; C1 and C2 of Wang et al., DOI 10.1109/TIP.2003.819861
    C1, C2 = 0.01**2, 0.03**2

    def __init__(self, start: Tensor) -> None:
        self.start = luma(start)
        self.window = _window(start, self.WINDOW)
        self.mean = self._pool(self.start)
        self.variance = self._pool(self.start**2) - self.mean**2

    def __call__(self, state: State) -> Tensor:
        """(N,) values in [-2, 0]; 0 for the start itself."""
        x = luma(state.x)
        mean, square, product = self._pool(torch.stack([x, x * x, x * self.start])).unbind()
        variance = square - mean**2
        covariance = product - mean * self.mean
        light = (2 * mean * self.mean + self.C1) / (mean**2 + self.mean**2 + self.C1)
        structure = (2 * covariance + self.C2) / (variance + self.variance + self.C2)
        return (light * structure).mean(dim=(1, 2, 3)) - 1

    def _pool(self, x: Tensor) -> Tensor:
        """The means of all windows, transposed; a fifth of the time of a pooling layer."""
        rows: Tensor = (x @ self.window).mT
        return rows @ self.window


def _window(like: Tensor, width: int) -> Tensor:
    """(side, side - width + 1): a row of pixels times it is the means of all windows."""
    side = like.shape[-1]
    at = torch.arange(side, device=like.device)
    distance = at[:, None] - at[: side - width + 1]
    return ((distance >= 0) & (distance < width)).to(like.dtype) / width
