"""Learning who somebody is from a representation that ready recognisers cannot read.

Two ways. With people named, as in the papers: an IR-18 and ArcFace, which needs many images. With
anybody's faces: distillation, where a recogniser of the registry behind a learnt layer is taught to
give the representation the embedding that it gave the clean face. That starts from what it knows,
and serves where minutes have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from veilface.errors import DatasetError
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import Batch, TrainingImages
from veilface.training.ir18 import ArcFace, Ir18
from veilface.training.straight import silence, straighten

_HIDDEN = 32  # channels of the layer's curved branch at width 1
_KNOWN = 0.1  # rate of weights that are known already, against that of new ones


class Adapted(nn.Module):
    """A recogniser of the registry behind a layer that makes an image of a representation.

    Args:
        channels: Of the representation.
        recognizer: A copy for this network alone: its weights are trained, its slopes are not.
        width: Multiplies the hidden channels.
    """

    def __init__(self, channels: int, recognizer: Recognizer, *, width: float = 1.0) -> None:
        super().__init__()
        hidden = max(4, round(_HIDDEN * width))
        self.scale = nn.BatchNorm2d(channels, affine=False)
        self.straight = nn.Conv2d(channels, 3, 3, padding=1)
        self.curved = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.PReLU(hidden),
            nn.Conv2d(hidden, 3, 3, padding=1),
        )
        self.recognizer = recognizer
        for name, parameter in recognizer.named_parameters():
            parameter.requires_grad_(not name.endswith("slope"))

    def image(self, x: Tensor) -> Tensor:
        """What the recogniser sees of (N, channels, 112, 112): (N, 3, 112, 112)."""
        scaled = self.scale(x)
        seen: Tensor = self.straight(scaled) + self.curved(scaled)
        return seen

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, 112, 112) to (N, D) unit vectors."""
        return self.recognizer.embed(self.image(x))

    @torch.no_grad()
    def fit(self, x: Tensor, faces: Tensor) -> None:
        """Start the straight branch where it regenerates faces best, in least squares.

        Args:
            x: (N, channels, 112, 112) representations.
            faces: (N, 3, 112, 112) what they were made of.
        """
        mean, var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3))
        assert self.scale.running_mean is not None  # noqa: S101
        assert self.scale.running_var is not None  # noqa: S101
        self.scale.running_mean.copy_(mean)
        self.scale.running_var.copy_(var)
        normal = (x - mean[:, None, None]) / (var[:, None, None] + self.scale.eps).sqrt()
        straighten(self.straight, normal, faces)
        last = self.curved[-1]
        assert isinstance(last, nn.Conv2d)  # noqa: S101
        silence(last)


class Reading(nn.Module):
    """A network to be trained, and the loss that says how well it knows people.

    Args:
        network: From a representation to (N, D) unit vectors.
        head: ArcFace over the people of the training images; None for distillation.
        teacher: Embeds clean faces (N, 3, 112, 112), for distillation.
    """

    def __init__(
        self,
        network: Adapted | Ir18,
        *,
        head: ArcFace | None = None,
        teacher: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.network: Adapted | Ir18 = network
        self.head = head
        self.teacher = teacher

    def groups(self, rate: float) -> list[dict[str, object]]:
        """The parameters for an optimiser: known ones change at a tenth of the rate."""
        network = self.network
        known = set(network.recognizer.parameters()) if isinstance(network, Adapted) else set()
        trained = [p for p in self.parameters() if p.requires_grad]
        groups: list[dict[str, object]] = [
            {"params": [p for p in trained if p not in known], "lr": rate}
        ]
        if known:
            groups.append({"params": [p for p in trained if p in known], "lr": _KNOWN * rate})
        return groups

    def loss(self, x: Tensor, batch: Batch) -> Tensor:
        """The mean over the images ``batch`` that ``x`` (N, channels, 112, 112) was made of."""
        found: Tensor = self.network(x)
        if self.head is not None:
            loss: Tensor = self.head(found, batch.people)
            return loss
        assert self.teacher is not None  # noqa: S101
        with torch.no_grad():
            wanted = self.teacher(batch.faces)
        return 1 - (found * wanted).sum(dim=1).mean()


def reader(
    channels: int,
    faces: TrainingImages | None,
    identities: TrainingImages | None,
    load: Callable[[], Recognizer],
    *,
    width: float,
) -> tuple[Reading, TrainingImages, TrainingImages]:
    """What reads a representation, and the images to train and to validate it on.

    Args:
        channels: Of the representation.
        faces: Anybody's, for distillation.
        identities: People's, for ArcFace; used when they are given.
        load: Gives a fresh recogniser of the registry.
        width: Multiplier of the channels that are not the recogniser's.

    Raises:
        DatasetError: No images are given, or the people are not named.
    """
    if identities is not None:
        head, train, rest = arcface(identities)
        return Reading(Ir18(channels, width=width), head=head), train, rest
    if faces is None:
        raise DatasetError("there is nothing to train on: name --faces FOLDER or --identities")
    train, rest = faces.split(max(1, len(faces) // 12))
    network = Adapted(channels, load(), width=width)
    return Reading(network, teacher=load().embed), train, rest


def arcface(people: TrainingImages) -> tuple[ArcFace, TrainingImages, TrainingImages]:
    """The head over the people of images, and the images to train and to validate it on.

    Raises:
        DatasetError: Nobody is named.
    """
    if people.people is None:
        raise DatasetError(f"{people.name} names nobody: ArcFace needs a folder a person")
    tenth = torch.arange(len(people)) % 10 == 9
    head = ArcFace(int(people.people.max()) + 1)
    return head, people.part(~tenth), people.part(tenth)


def empty(
    channels: int, recipe: Mapping[str, Any], load: Callable[[], Recognizer]
) -> Adapted | Ir18:
    """The network that `reader` trains under a recipe, to be filled with what was kept.

    Args:
        channels: Of the representation.
        recipe: Says the width, and whether people were named.
        load: As in `reader`.
    """
    if "identities" in recipe:
        return Ir18(channels, width=recipe["width"])
    return Adapted(channels, load(), width=recipe["width"])
