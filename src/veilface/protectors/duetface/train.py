"""DuetFace's training on people: first the client's network alone, then the server with the masks.

Source:
    DuetFace (MM 2022): ArcFace in both stages. Departure: Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor, nn

from veilface.protectors.duetface.network import Client, Server
from veilface.protectors.duetface.transform import split
from veilface.training.images import Batch, TrainingImages
from veilface.training.reader import arcface

CLIENT_NAME = "duetface-client"
"""Of the first training."""
IMAGES = "--identities"
"""The option of `veilface train` with people."""

RATE = 1e-3  # of Adam
_CHECKED = 32


class PeopleTask:
    """Trains networks to tell people apart.

    Args:
        product: The networks.
        embed: From (N, 3, 112, 112) faces to (N, D) unit vectors.
        people: Images of people.
        batch: Images of a step.
        device: Where to train.

    Raises:
        DatasetError: Nobody is named.
    """

    def __init__(
        self,
        product: nn.Module,
        embed: Callable[[Tensor], Tensor],
        people: TrainingImages,
        *,
        batch: int,
        device: torch.device,
    ) -> None:
        self.product = product
        self._embed, self._batch, self._device = embed, batch, device
        self._head, self._train, self._rest = arcface(people)
        self.module = nn.ModuleDict({"product": product, "head": self._head}).to(device)
        learnt = [each for each in self.module.parameters() if each.requires_grad]
        self.optimizer = torch.optim.Adam(learnt, lr=RATE)

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """The loss of a random batch."""
        return {"loss": self._loss(self._train.draw(self._batch, generator, device=self._device))}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """The same on images that are not trained on."""
        batch = self._rest.draw(_CHECKED, generator, device=self._device)
        return {"loss": float(self._loss(batch))}

    def _loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self._head(self._embed(batch.faces), batch.people)
        return loss


def client_task(
    people: TrainingImages, *, width: float, batch: int, device: torch.device
) -> PeopleTask:
    """Trains the client's network on the client's channels."""
    network = Client(width=width).network

    def embed(faces: Tensor) -> Tensor:
        found: Tensor = network(split(faces)[0])
        return found

    return PeopleTask(network, embed, people, batch=batch, device=device)


def server_task(
    client: Client, people: TrainingImages, *, width: float, batch: int, device: torch.device
) -> PeopleTask:
    """Trains the server and the heads of a client whose network is trained, and is frozen."""
    client.network.requires_grad_(requires_grad=False)
    server = Server(width=width)

    def embed(faces: Tensor) -> Tensor:
        mine, sent = split(faces)
        found: Tensor = server(sent, *client(mine))
        return found

    both = nn.ModuleDict({"client": client, "server": server})
    return PeopleTask(both, embed, people, batch=batch, device=device)
