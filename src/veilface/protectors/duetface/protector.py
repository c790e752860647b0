"""DuetFace behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from veilface.protectors.base import check_faces
from veilface.protectors.display import to_image
from veilface.protectors.duetface.transform import server_picture, split
from veilface.types import Protected


class DuetFace:
    """Sends 54 weak frequencies of each plane; nothing is random.

    The masks that the client sends beside them need a network that is trained with the recogniser,
    and are not made here. They show low frequencies, so that what is measured without them is what
    an attacker sees at least.
    """

    name = "duetface"

    def protect(
        self,
        x: Tensor,
        *,
        generator: Generator | Sequence[Generator] | None = None,
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`. Draws nothing."""
        check_faces(x)
        server = split(x.to(torch.float32))[1]
        picture = server_picture(server)
        images, flat = to_image(picture, stretch="minmax")
        return Protected(images.to(x.dtype), {}, data=server, picture=picture, degenerate=flat)
