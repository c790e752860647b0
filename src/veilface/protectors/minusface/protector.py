"""MinusFace behind the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator as Randomness
from torch import Tensor

from veilface.core.randomness import Draws
from veilface.protectors.base import check_faces, quantise
from veilface.protectors.dct.front_end import encode
from veilface.protectors.minusface.network import Generator
from veilface.protectors.minusface.transform import permutations, shuffled
from veilface.training.kept import fill, record_of, unset
from veilface.types import Protected


class MinusFace:
    """Sends the shuffled residue as an image; the order of its channels is thrown away.

    Args:
        generator: Trained.
        info: Hash and recipe of its weights.
    """

    name = "minusface"

    def __init__(self, generator: Generator, info: dict[str, Any]) -> None:
        self.generator = generator.eval().requires_grad_(requires_grad=False)
        self.info = info

    @classmethod
    def trained(cls) -> MinusFace:
        """With the weights of this machine.

        Raises:
            UntrainedError: There are none.
            WeightsError: They are damaged.
        """
        width = record_of(cls.name)["recipe"]["width"]
        generator = unset(lambda: Generator(width=width))
        record = fill(cls.name, generator, part="generator")
        return cls(generator, {"weights": record["sha256"], "training": record["recipe"]})

    def residue(self, x: Tensor) -> Tensor:
        """(N, 192, 112, 112) what the generator does not regenerate of faces in [0, 1]."""
        generator = self.generator.to(device=x.device)
        with torch.no_grad():
            channels = encode(x.to(torch.float32))
            left: Tensor = channels - generator(channels)
        return left

    def protect(
        self, x: Tensor, *, generator: Randomness | Sequence[Randomness] | None = None
    ) -> Protected:
        """Protect faces; see `veilface.protectors.base.FaceProtector`."""
        check_faces(x)
        order = permutations(Draws(x.shape[0], generator=generator, device=x.device))
        picture = shuffled(self.residue(x), order)
        images = quantise(picture).to(x.dtype)
        return Protected(images, {}, picture=picture, secret={"order": order}, info=self.info)
