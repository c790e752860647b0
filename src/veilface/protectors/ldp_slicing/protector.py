"""LDP-Slicing behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Generator, Tensor

from veilface.core.randomness import Draws
from veilface.protectors.base import check_faces, quantise
from veilface.protectors.ldp_slicing.transform import (
    BITS,
    fine_levels,
    from_levels,
    randomised_response,
)
from veilface.types import Protected


class LdpSlicing:
    """Randomised response on the bits of what is fine; sends an image.

    Args:
        epsilon: The budget of a pixel; 20 is the authors' default.

    Raises:
        ValueError: The budget is not positive.
    """

    name = "ldp_slicing"

    def __init__(self, *, epsilon: float = 20.0) -> None:
        if not epsilon > 0:
            raise ValueError(f"the budget of a pixel must be positive, not {epsilon}")
        self.epsilon = epsilon

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`.

        The guarantee holds without ``generator`` only: then every bit is decided by the operating
        system's secure source.
        """
        check_faces(x)
        draws = Draws(x.shape[0], generator=generator, device=x.device)
        levels = fine_levels(x)
        told = randomised_response(levels, draws.words(3, BITS, *x.shape[2:]), epsilon=self.epsilon)
        images = quantise(from_levels(told).to(x.dtype))
        return Protected(images, {}, info={"epsilon": self.epsilon})
