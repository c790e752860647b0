"""Controls that stand beside every figure: what no protection and naive protection score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch.nn.functional as F
from torch import Generator, Tensor

from veilface.core.randomness import Draws
from veilface.imaging.filters import gaussian_blur
from veilface.imaging.frequency import high_pass
from veilface.protectors.base import check_faces, quantise
from veilface.types import Protected


@dataclass(frozen=True, slots=True)
class Control:
    """A fixed image transform behind the protector contract.

    Attributes:
        name: Registry name.
        summary: One line about it.
        transform: Maps (N, 3, 112, 112) images and random draws to images.
    """

    name: str
    summary: str
    transform: Callable[[Tensor, Draws], Tensor]

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Apply the transform; see `veilface.protectors.base.FaceProtector`."""
        check_faces(x)
        draws = Draws(x.shape[0], generator=generator, device=x.device)
        return Protected(quantise(self.transform(x, draws)), {})


def _pixelate(x: Tensor, draws: Draws) -> Tensor:
    return F.interpolate(F.avg_pool2d(x, 8), scale_factor=8.0, mode="nearest")


_TABLE = (
    Control("clean", "the unchanged image", lambda x, draws: x),
    Control("blur", "Gaussian blur, sigma 3 pixels", lambda x, draws: gaussian_blur(x, sigma=3.0)),
    Control("pixelate", "blocks of 8x8 pixels", _pixelate),
    Control(
        "highpass",
        "components above 8 cycles, doubled, on mid-grey",
        lambda x, draws: 0.5 + 2 * high_pass(x, cutoff=8.0),
    ),
    Control(
        "noisy",
        "the image plus N(0, 0.2)",
        lambda x, draws: x + 0.2 * draws.normal(*x.shape[1:]).to(x.dtype),
    ),
    Control(
        "noise",
        "noise only: N(0.5, 0.2), nothing of the image",
        lambda x, draws: (0.5 + 0.2 * draws.normal(*x.shape[1:])).to(x.dtype),
    ),
    Control("grey", "a uniform grey card", lambda x, draws: x * 0 + 0.5),
    Control("negative", "1 - x", lambda x, draws: 1 - x),
)
CONTROLS: Mapping[str, Control] = MappingProxyType({control.name: control for control in _TABLE})
