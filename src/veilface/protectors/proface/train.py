"""Training of PRO-Face's embedder on triplets: an image, another of the person, one of another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from veilface.errors import DatasetError
from veilface.protectors.proface.network import Embedder
from veilface.protectors.proface.transform import Obfuscator
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import TrainingImages

IMAGES = "--identities"
"""The option of `veilface train` with the images for triplets."""

BATCH = 8  # triplets
RATE = 1e-3
MARGIN = 1.0
_CHECKED = 12  # triplets of a validation


class ProFaceTask:
    """Trains an embedder for one obfuscator and one frozen recogniser.

    Args:
        images: With people; the last tenth is for validation.
        obfuscator: What the result is to look like.
        recognizer: What it is to be matched by.
        batch: Triplets of a step.

    Raises:
        DatasetError: Nobody is named, or no person has two images.

    Source:
        PRO-Face (MM 2022). Departures: 1 - SSIM stands for LPIPS in VGG16, whose weights no
        dependency brings; embeddings are unit vectors, so that the margin means the same for every
        recogniser.
    """

    def __init__(
        self,
        images: TrainingImages,
        obfuscator: Obfuscator,
        recognizer: Recognizer,
        *,
        batch: int = BATCH,
    ) -> None:
        self.batch = batch
        self.obfuscator = obfuscator
        self.recognizer = recognizer
        train, rest = images.split(max(1, len(images) // 10))
        self._train, self._rest = Triplets(train), Triplets(rest)
        self.module = Embedder().to(recognizer.scale.device)
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=RATE)

    @property
    def product(self) -> Embedder:
        """What is kept."""
        return self.module

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """Losses of a batch of triplets."""
        faces = self._train.draw(self.batch, generator).to(self.recognizer.scale.device)
        return self._losses(faces, self.obfuscator.varied(faces, generator))

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """The same on people who are not trained on."""
        faces = self._rest.draw(_CHECKED, generator).to(self.recognizer.scale.device)
        found = self._losses(faces, self.obfuscator(faces))
        return {name: float(value) for name, value in found.items()}

    def _losses(self, faces: Tensor, obfuscated: Tensor) -> dict[str, Tensor]:
        """Of (3 N, 3, 112, 112) faces in [0, 1]: anchors, then positives, then negatives."""
        made = protect(self.module, faces, obfuscated)
        count = len(faces) // 3
        shown, wanted = made[:count], obfuscated[:count]
        similar = structural_similarity_index_measure(shown, wanted, data_range=1.0)
        assert isinstance(similar, Tensor)  # noqa: S101 - a pair only when asked for
        anchor, positive, negative = self.recognizer.embed(made).chunk(3)
        source = self.recognizer.embed(faces[:count])
        parts = {
            "dissimilarity": 1 - similar,
            "l1": 2 * (shown - wanted).abs().mean(),  # in [-1, 1]
            "triplet": triplet(anchor, positive, negative),
            "source": triplet(anchor, source, negative),
        }
        loss = 2 * parts["dissimilarity"] + parts["l1"]
        return {"loss": loss + 0.5 * parts["triplet"] + 0.1 * parts["source"], **parts}


def protect(embedder: Embedder, faces: Tensor, obfuscated: Tensor) -> Tensor:
    """Protected images (N, 3, H, W) in [0, 1] of faces and obfuscated faces in [0, 1]."""
    # Channels last halves the time of the many narrow layers on a CPU.
    inputs = [
        (2 * part - 1).contiguous(memory_format=torch.channels_last) for part in (faces, obfuscated)
    ]
    made: Tensor = embedder(*inputs)
    return ((made + 1) / 2).clamp(0, 1)


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Mean over (N, D) unit vectors of how far the positive fails to be nearer by the margin."""
    return F.triplet_margin_loss(anchor, positive, negative, margin=MARGIN)


class Triplets:
    """Draws anchors, positives and negatives.

    Args:
        images: With people.

    Raises:
        DatasetError: Nobody is named, no person has two images, or there is only one person.
    """

    def __init__(self, images: TrainingImages) -> None:
        if images.people is None:
            raise DatasetError(f"{images.name} names nobody, but triplets need one folder a person")
        self.images = images
        people, counts = torch.unique(images.people, return_counts=True)
        repeated = torch.isin(images.people, people[counts > 1])
        self.anchors = repeated.nonzero().flatten()
        if not len(self.anchors) or len(people) < 2:
            raise DatasetError(f"{images.name} needs two people and two images of one for triplets")

    def draw(self, count: int, generator: Generator) -> Tensor:
        """(3 count, 3, 112, 112) faces in [0, 1]: anchors, then positives, then negatives."""
        people = self.images.people
        assert people is not None  # noqa: S101
        picks = torch.randint(len(self.anchors), (count,), generator=generator)
        anchors = self.anchors[picks]
        same = people[anchors][:, None] == people[None, :]
        other = same.clone()
        other[torch.arange(count), anchors] = False
        positives = torch.multinomial(other.float(), 1, generator=generator)[:, 0]
        negatives = torch.multinomial((~same).float(), 1, generator=generator)[:, 0]
        indices = torch.cat([anchors, positives, negatives])
        flipped = torch.rand(len(indices), generator=generator) < 0.5
        return self.images.batch(indices, flipped=flipped).faces
