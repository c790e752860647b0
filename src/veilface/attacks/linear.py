"""Linear inversion of what is left of a block DCT: no training, and next to nothing is missing.

The 192 coefficient images of a face are a linear image of its 37,632 values with 64-fold
redundancy, so that most channels can be missing. With A_u the rows of frequency u and Y a plane,
``Σ |A_u Y A_vᵀ - F_uv|²`` over the transmitted channels is minimised. Its normal equations are
``Σ_v G_v Y H_v = Σ_v (Σ_u A_uᵀ F_uv) A_v`` with ``H_v = A_vᵀ A_v`` and ``G_v = Σ_u A_uᵀ A_u`` over
the u that are sent with v: 16 small products an iteration, whatever the number of channels.

They are solved in the basis of the cosine transform of the whole plane, where they are nearly
diagonal: divided by their diagonal, conjugate gradients need 30 iterations, and without it more
than 600. What no channel tells (the mean of a plane; of rows or columns where no channel of zero
frequency is sent) stays as in the image that is started from: mid-grey, or the average face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from veilface.errors import ShapeError
from veilface.imaging.ycbcr import from_centred_ycbcr, to_centred_ycbcr
from veilface.protectors.dct.front_end import PLANES
from veilface.protectors.dct.matrices import BLOCK, frequency_rows

ITERATIONS = 40
_TRIAL = 8  # iterations after which a wrong candidate has given itself away
_NOISE = 3e-2
# Standard deviation of what a channel may be wrong by, in its own units, far above the rounding of
# float32: what channels hardly tell then stays near the start. Of .01, .03, .1 and .3 the best on
# four photos of UTKFace, which take no part in any evaluation.
_SCALE = 3e3  # of the coefficient of one cycle of a plane; falls with 1/f, as in photographs


@dataclass(frozen=True, slots=True)
class Inverted:
    """What the least squares found.

    Attributes:
        images: (N, 3, S, S) RGB in [0, 1].
        residual: (N,) norm of what the channels say and the images do not, as a share of theirs.
        candidate: (N,) number of the list of frequencies that was taken.
    """

    images: Tensor
    residual: Tensor
    candidate: Tensor


class System:
    """The linear map from planes to some channels, and least squares with it.

    Planes are centred YCbCr in the cosine basis of `_waves`.

    Args:
        frequencies: The K transmitted frequencies of each plane, 8u + v, in their order.
        side: S, of the planes.
        like: Whose type and device to compute with.
    """

    def __init__(self, frequencies: Sequence[int], *, side: int, like: Tensor) -> None:
        self._places = [divmod(frequency, BLOCK) for frequency in frequencies]
        self._rows = [(frequency_rows(side, u) @ _waves(side).T).to(like) for u in range(BLOCK)]
        squares = [rows.T @ rows for rows in self._rows]
        self._columns = sorted({v for _, v in self._places})
        self._terms = [
            (torch.stack([squares[u] for u, w in self._places if w == v]).sum(dim=0), squares[v])
            for v in self._columns
        ]
        at = torch.arange(side).to(like)
        self._ridge = (_NOISE / _SCALE) ** 2 * (1 + at[:, None] ** 2 + at**2)
        self._diagonal = self._ridge + sum(
            torch.outer(left.diagonal(), right.diagonal()) for left, right in self._terms
        )

    def adjoint(self, channels: Tensor) -> Tensor:
        """(N, 3, S, S) right-hand side of (N, 3, K, S, S) channels."""
        result = torch.zeros_like(channels[:, :, 0])
        for v in self._columns:
            left = torch.zeros_like(result)
            for k, (u, w) in enumerate(self._places):
                if w == v:
                    left = left + self._rows[u].T @ channels[:, :, k]
            result = result + left @ self._rows[v]
        return result

    def normal(self, planes: Tensor) -> Tensor:
        """The adjoint of the channels of (N, 3, S, S) planes."""
        result = torch.zeros_like(planes)
        for left, right in self._terms:
            result = result + left @ planes @ right
        return result

    def solve(
        self,
        channels: Tensor,
        start: Tensor,
        *,
        iterations: int = ITERATIONS,
        preconditioned: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Conjugate gradients, every image and plane for itself.

        Args:
            channels: (N, 3, K, S, S).
            start: (N, 3, S, S) planes.
            iterations: At least 1.
            preconditioned: Whether to divide by the diagonal, and to expect photographs rather
                than noise; without it this is the plain method, which has to be stopped early.

        Returns:
            (N, 3, S, S) planes, and (N,) the residual's share of the channels' norm.

        Source:
            Hestenes and Stiefel 1952, applied to the normal equations.
        """
        ridge = self._ridge if preconditioned else 0 * self._ridge
        scale = self._diagonal if preconditioned else torch.ones_like(self._diagonal)
        goal = self.adjoint(channels)
        change = torch.zeros_like(goal)
        left = goal - self.normal(start)
        along = left / scale
        size = _dot(left, along)
        least = torch.finfo(size.dtype).tiny
        for _ in range(iterations):
            image = self.normal(along) + ridge * along
            step = size / _dot(along, image).clamp_min(least)
            change, left = change + step * along, left - step * image
            after = _dot(left, left / scale)
            along = left / scale + after / size.clamp_min(least) * along
            size = after
        planes = start + change
        # |F - A y|² = |F|² - 2 y·Aᵀ F + y·Aᵀ A y
        power = channels.square().sum(dim=(1, 2, 3, 4)).clamp_min(least)
        told = (planes * (2 * goal - self.normal(planes))).sum(dim=(1, 2, 3))
        return planes, ((power - told).clamp_min(0) / power).sqrt()


def invert(
    data: Tensor,
    candidates: Sequence[Sequence[int]],
    *,
    start: Tensor | None = None,
    iterations: int = ITERATIONS,
    preconditioned: bool = True,
) -> Inverted:
    """Faces from channels of which only a list of possible positions is known.

    Args:
        data: (N, 3K, S, S) channels, plane after plane.
        candidates: Lists of K frequencies; for each image the one with the smallest residual
            after a few iterations is taken.
        start: (3, S, S) RGB in [0, 1] for what no channel tells; mid-grey by default.
        iterations: Of conjugate gradients for the list that was taken.
        preconditioned: As in `System.solve`.

    Raises:
        ShapeError: A list has another length than the channels.
    """
    count, size, side, _ = data.shape
    if any(PLANES * len(candidate) != size for candidate in candidates) or not candidates:
        raise ShapeError(f"{size} channels of three planes do not fit the lists of frequencies")
    channels = data.double().view(count, PLANES, size // PLANES, side, side)
    systems = [System(candidate, side=side, like=channels) for candidate in candidates]
    waves = _waves(side).to(channels)
    begin = torch.zeros_like(channels[:, :, 0])
    if start is not None:
        begin = begin + waves @ to_centred_ycbcr(start[None].to(channels)) @ waves.T
    chosen = torch.zeros(count, dtype=torch.int64, device=data.device)
    if len(systems) > 1:
        trials = [system.solve(channels, begin, iterations=_TRIAL)[1] for system in systems]
        chosen = torch.stack(trials).argmin(dim=0)
    planes, residual = torch.empty_like(begin), channels.new_empty(count)
    for number in set(chosen.tolist()):
        rows = chosen == number
        planes[rows], residual[rows] = systems[number].solve(
            channels[rows], begin[rows], iterations=iterations, preconditioned=preconditioned
        )
    images = from_centred_ycbcr(waves.T @ planes @ waves).clamp(0, 1).to(data.dtype)
    return Inverted(images, residual, chosen)


@cache
def _waves(side: int) -> Tensor:
    """(side, side) float64, orthonormal: row k is a cosine of k half cycles over the image."""
    at = torch.arange(side, dtype=torch.float64)
    rows = torch.cos(math.pi / side * (at + 0.5) * at[:, None])
    return rows / rows.square().sum(dim=1, keepdim=True).sqrt()


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum(dim=(2, 3), keepdim=True)
