"""The first stage of MinusFace: a generator that regenerates the look, and leaves the identity."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator as Randomness
from torch import Tensor, nn

from veilface.protectors.dct.front_end import decode, encode
from veilface.protectors.minusface.network import Generator
from veilface.training.images import Batch, TrainingImages
from veilface.training.reader import Adapted, Reading

BATCH = 64
RATE = 1e-3  # Adam; the authors' SGD needs their number of steps
LOOK = 5.0  # weight of the difference of the images against that of the identity

_MEASURED = 24
_CHECKED = 32


class MinusFaceTask:
    """Trains a generator and a recogniser of what it leaves.

    Args:
        generator: To be trained.
        reading: Of the 192 channels of the residue.
        train: Images to train on.
        rest: Images to validate on.
        batch: Images of a step.
        device: Where to train.

    Source:
        MinusFace (CVPR 2024), Eq. 7: 5 L1 + identity. Departures: Adam, and where no people are
        named distillation (`veilface.training.reader`). The second stage is the training of the
        recogniser that reads what is sent.
    """

    def __init__(
        self,
        generator: Generator,
        reading: Reading,
        train: TrainingImages,
        rest: TrainingImages,
        *,
        batch: int,
        device: torch.device,
    ) -> None:
        self._train, self._rest, self._batch, self._device = train, rest, batch, device
        faces = train.batch(torch.arange(min(_MEASURED, len(train))), device=device).faces
        self.module = nn.ModuleDict({"generator": generator, "reading": reading}).to(device)
        self.generator, self.reading = generator, reading
        generator.measure(faces)
        if isinstance(reading.network, Adapted):
            with torch.no_grad():
                channels = encode(faces)
                reading.network.fit(channels - generator(channels), faces)
        own: dict[str, object] = {"params": list(generator.parameters()), "lr": RATE}
        self.optimizer = torch.optim.Adam([own, *reading.groups(RATE)])

    @property
    def product(self) -> nn.Module:
        """The generator, and the recogniser of its residue for the check of both."""
        return nn.ModuleDict({"generator": self.generator, "network": self.reading.network})

    def losses(self, generator: Randomness) -> Mapping[str, Tensor]:
        """Losses of a random batch."""
        return self._losses(self._train.draw(self._batch, generator, device=self._device))

    def validate(self, generator: Randomness) -> Mapping[str, float]:
        """The same on images that are not trained on."""
        batch = self._rest.draw(_CHECKED, generator, device=self._device)
        return {name: float(value) for name, value in self._losses(batch).items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        channels = encode(batch.faces)
        regenerated = self.generator(channels)
        away = (decode(regenerated) - batch.faces).abs() * batch.inside
        look = 2 * away.sum() / (3 * batch.inside.sum())  # 2, as in images in [-1, 1]
        identity = self.reading.loss(channels - regenerated, batch)
        return {"loss": LOOK * look + identity, "look": look, "identity": identity}
