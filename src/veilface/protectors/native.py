"""The recogniser that reads what a method sends: what the method is meant to be matched by.

Whoever publishes such a method trains a recogniser on its representation. Recognisers of everybody
cannot read it, which their figures cannot tell from a method that leaves nothing to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor, nn

from veilface.protectors.base import FaceProtector
from veilface.training.images import Batch, TrainingImages
from veilface.training.kept import fill, unset
from veilface.training.reader import Adapted, Reading
from veilface.types import Protected

BATCH = 64
RATE = 1e-3  # of Adam

_FITTED = 24  # images of the least-squares start
_CHECKED = 32


def native_name(method: str) -> str:
    """The name of the training of the recogniser that reads what a method sends."""
    return f"{method}-native"


def transmitted(made: Protected) -> Tensor:
    """(N, C, H, W) what is sent of faces, images in [0, 1] where those are."""
    return made.images if made.data is None else made.data


class NativeTask:
    """Trains a recogniser on fresh protections of every image that it sees.

    Args:
        protector: The method.
        reading: Of what it sends.
        train: Images to train on.
        rest: Images to validate on.
        batch: Images of a step.
        device: Where to train.
        generator: Draws the protections of the least-squares start.
        taught: Of a method that sends other things in training, see
            `veilface.protectors.spec.MethodSpec`.
    """

    def __init__(
        self,
        protector: FaceProtector,
        reading: Reading,
        train: TrainingImages,
        rest: TrainingImages,
        *,
        batch: int,
        device: torch.device,
        generator: Generator,
        taught: Callable[[Tensor, Tensor, Generator], Tensor] | None = None,
    ) -> None:
        self.protector = protector
        self._taught = taught
        self._train, self._rest, self._batch, self._device = train, rest, batch, device
        self.module = reading.to(device)
        if isinstance(reading.network, Adapted):
            faces = train.draw(min(_FITTED, len(train)), generator, device=device).faces
            reading.network.fit(self._sent(faces, generator), faces)
        self.optimizer = torch.optim.Adam(reading.groups(RATE))

    @property
    def product(self) -> nn.Module:
        """The recogniser."""
        return self.module.network

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """The loss of a random batch."""
        batch = self._train.draw(self._batch, generator, device=self._device)
        return {"loss": self.module.loss(self._shown(batch, generator), batch)}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """The same on images that are not trained on, and as a query would send them."""
        batch = self._rest.draw(_CHECKED, generator, device=self._device)
        return {"loss": float(self.module.loss(self._sent(batch.faces, generator), batch))}

    def _shown(self, batch: Batch, generator: Generator) -> Tensor:
        if self._taught is None:
            return self._sent(batch.faces, generator)
        return self._taught(batch.faces, batch.people, generator)

    @torch.no_grad()
    def _sent(self, faces: Tensor, generator: Generator) -> Tensor:
        return transmitted(self.protector.protect(faces, generator=generator))


class NativeRecognizer:
    """Embeds what a method sends.

    Args:
        method: Its registry name.
        network: Trained for it.
        training: Recipe of its weights.
        sha256: Their hash.
    """

    def __init__(
        self, method: str, network: nn.Module, *, training: Mapping[str, Any], sha256: str
    ) -> None:
        self.method = method
        self.training = training
        self.sha256 = sha256
        self._network = network.eval().requires_grad_(requires_grad=False)

    @classmethod
    def trained(
        cls, method: str, build: Callable[[], nn.Module], *, part: str = ""
    ) -> NativeRecognizer:
        """With the weights of this machine.

        Args:
            method: Registry name.
            build: Makes the network of the recipe.
            part: Which part of what was kept it is, where that holds several networks.

        Raises:
            UntrainedError: There are none.
            WeightsError: They are damaged.
        """
        network = unset(build)
        record = fill(native_name(method), network, part=part)
        return cls(method, network, training=record["recipe"], sha256=record["sha256"])

    def embed(self, made: Protected) -> Tensor:
        """(N, D) unit embeddings of what was protected."""
        sent = transmitted(made)
        with torch.no_grad():
            found: Tensor = self._network.to(sent.device)(sent, *made.hints)
        return found
