"""DuetFace behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Generator, Tensor

from veilface.errors import UntrainedError
from veilface.protectors.base import check_faces
from veilface.protectors.display import to_image
from veilface.protectors.duetface.network import Client
from veilface.protectors.duetface.transform import server_picture, split
from veilface.protectors.native import native_name
from veilface.training.kept import fill, record_of, unset
from veilface.types import Protected


class DuetFace:
    """Sends 54 weak frequencies of each plane, and the client's masks; nothing is random.

    Args:
        client: Makes the masks. Without it none are sent: what is then measured is what an attacker
            sees at least, since masks show low frequencies.
        info: Hash and recipe of its weights.
    """

    name = "duetface"

    def __init__(
        self, client: Client | None = None, info: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.client = None if client is None else client.eval().requires_grad_(requires_grad=False)
        self.info = info

    @classmethod
    def here(cls) -> DuetFace:
        """With masks where both parties have been trained on people on this machine.

        Raises:
            WeightsError: The weights are damaged.
        """
        name = native_name(cls.name)
        try:
            recipe = record_of(name)["recipe"]
        except UntrainedError:
            return cls()
        if "identities" not in recipe:
            return cls()
        client = unset(lambda: Client(width=recipe["width"]))
        record = fill(name, client, part="client")
        return cls(client, {"weights": record["sha256"], "training": record["recipe"]})

    def protect(
        self,
        x: Tensor,
        *,
        generator: Generator | Sequence[Generator] | None = None,
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`. Draws nothing."""
        check_faces(x)
        mine, server = split(x.to(torch.float32))
        hints: tuple[Tensor, ...] = ()
        if self.client is not None:
            with torch.no_grad():
                hints = self.client.to(x.device)(mine)
        picture = server_picture(server)
        images, flat = to_image(picture, stretch="minmax")
        return Protected(
            images.to(x.dtype),
            {},
            data=server,
            hints=hints,
            picture=picture,
            degenerate=flat,
            info=self.info,
        )
