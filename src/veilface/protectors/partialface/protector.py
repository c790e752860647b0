"""PartialFace behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from veilface.core.randomness import Draws
from veilface.protectors.base import check_faces
from veilface.protectors.dct.front_end import encode, pick
from veilface.protectors.display import to_image
from veilface.protectors.partialface.transform import (
    ORDERS,
    SUBSETS,
    drawn_frequencies,
    drawn_picture,
    kept_picture,
)
from veilface.types import Protected


class PartialFace:
    """Sends 9 of 54 weak frequencies of each plane: one subset and order, drawn for each image.

    Args:
        image: What the protected image shows: the ``drawn`` channels, which are all that is sent,
            or all 54 ``kept`` ones, as the paper's figures do.
    """

    name = "partialface"

    def __init__(self, *, image: Literal["drawn", "kept"] = "drawn") -> None:
        self.image = image

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`.

        The drawn subset and order are secret; the recogniser does not need them.
        """
        check_faces(x)
        words = Draws(x.shape[0], generator=generator, device=x.device).words(2)
        subset, order = words[:, 0] % len(SUBSETS), words[:, 1] % len(ORDERS)
        frequencies = drawn_frequencies(subset, order)
        channels = encode(x.to(torch.float32))
        data = pick(channels, frequencies)
        shown = self.image == "drawn"
        picture = drawn_picture(data, frequencies) if shown else kept_picture(channels)
        images, flat = to_image(picture, stretch="minmax")
        return Protected(
            images.to(x.dtype),
            {},
            data=data,
            picture=picture,
            secret={"subset": subset, "order": order},
            degenerate=flat,
            info={"image": self.image, "subsets": len(SUBSETS), "orders": len(ORDERS)},
        )
