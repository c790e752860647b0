"""The fine band, in which alone X' may differ from its start: X' = X_0 + H(δ) (Eq. 1-3 on δ).

People recognise a face by its coarse structure, strong recognisers also by what is finer. Below
the cut-off X' is the stranger that it started from; what is read by machines lies above it, as in
a hybrid image (Oliva, Torralba and Schyns 2006, DOI 10.1145/1141911.1141919).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from veilface.imaging.frequency import radial_frequency

ROUNDS = 24  # of alternating projections, after which next to nothing is left to be given up
REST = 0.4 / 255  # of the coarse band that may differ: with the rounding to 8 bits below one level


class FineBand:
    """H: removes every component of up to ``cutoff`` cycles per image.

    What is removed lies in few frequencies, so that it is found with products of thin matrices: the
    same values as a Fourier transform there and back, in a fraction of its time.

    Args:
        cutoff: ω_C of Eq. 2, in cycles per image; components with sqrt(u² + v²) <= ω_C go.
        edge: Width in cycles of the raised cosine above it over which components come back; 0 for
            the hard edge of Eq. 2.
        side: Height and width of the images.
        device: Of the images.
    """

    def __init__(
        self, *, cutoff: float, edge: float, side: int, device: torch.device | str = "cpu"
    ) -> None:
        highest = min(math.ceil(cutoff + edge), side // 2)
        at = torch.arange(side, dtype=torch.float64) * (2 * math.pi / side)
        waves = [torch.full((1, side), side**-0.5, dtype=torch.float64)]
        numbers = [0]
        for k in range(1, highest + 1):
            pair = torch.stack([(k * at).cos(), (k * at).sin()])[: 1 if 2 * k == side else 2]
            waves.append(pair / pair.square().sum(dim=1, keepdim=True).sqrt())
            numbers += [k] * len(pair)
        self._basis = torch.cat(waves).to(device, torch.float32)  # orthonormal rows
        # The gain of a component depends on |u| and |v| only: sine and cosine share it.
        radius = radial_frequency(side, side)[numbers][:, numbers]
        rise = ((radius - cutoff) / edge).clamp(0, 1) if edge else (radius > cutoff).float()
        self._removed = ((1 + torch.cos(math.pi * rise)) / 2).to(device)

    def __call__(self, x: Tensor) -> Tensor:
        """H(x) of (N, C, side, side) images; linear, symmetric and differentiable."""
        basis = self._basis.to(x.dtype)
        coarse: Tensor = basis.mT @ ((basis @ x @ basis.mT) * self._removed.to(x.dtype)) @ basis
        return x - coarse

    def settle(self, x: Tensor, start: Tensor) -> Tensor:
        """The images of the range [0, 1] near ``x`` whose coarse band is that of ``start``.

        Clamping alone would bring coarse components back where a picture is black or white.
        Alternating projections lead to an image that has both properties, since the start has them;
        what they leave of the difference is met by moving a little towards the start.

        Args:
            x: (N, C, side, side).
            start: X_0 in [0, 1], of the same shape.
        """
        for _ in range(ROUNDS):
            x = start + self(x.clamp(0, 1) - start)
        change = x.clamp(0, 1) - start
        coarse = (change - self(change)).abs().amax(dim=(1, 2, 3), keepdim=True)
        return start + change * (REST / coarse).clamp_max(1.0)
