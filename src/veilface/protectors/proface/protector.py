"""PRO-Face behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from veilface.protectors.base import check_faces, quantise
from veilface.protectors.proface.network import Embedder
from veilface.protectors.proface.train import IMAGES, protect
from veilface.protectors.proface.transform import OBFUSCATORS, Obfuscator
from veilface.training.kept import fill, unset
from veilface.types import Protected


class ProFace:
    """Sends an image that looks obfuscated; nothing about it is random.

    Args:
        name: Registry name.
        obfuscator: What the image looks like.
        embedder: Trained for it.
        info: Hash and recipe of its weights.
    """

    def __init__(
        self, name: str, obfuscator: Obfuscator, embedder: Embedder, info: dict[str, Any]
    ) -> None:
        self.name = name
        self.obfuscator = obfuscator
        self.embedder = embedder.eval().requires_grad_(requires_grad=False)
        self.info = info

    @classmethod
    def trained(cls, obfuscator: str) -> ProFace:
        """With the weights of this machine.

        Raises:
            UntrainedError: There are none.
            WeightsError: They are damaged.
        """
        name = f"proface-{obfuscator}"
        embedder = unset(Embedder)
        record = fill(name, embedder, images=IMAGES)
        info = {"weights": record["sha256"], "training": record["recipe"]}
        return cls(name, OBFUSCATORS[obfuscator], embedder, info)

    def protect(
        self, x: Tensor, *, generator: Generator | Sequence[Generator] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`. Draws nothing."""
        check_faces(x)
        faces = x.to(torch.float32)
        with torch.no_grad():
            made = protect(self.embedder.to(x.device), faces, self.obfuscator(faces))
        return Protected(quantise(made).to(x.dtype), {}, info=self.info)
