"""Reconstruction by a U-Net from what is sent to the photo: the attack of the paper's Table 3.

Source:
    Paper Sec. 4.4; network and loss as MinusFace (CVPR 2024), A.3 and B.2: L1, until convergence or
    the end of a stated budget, and on an accelerator batches of 64. The optimiser is not named
    there. Ours, so that minutes of a CPU get as far: the convolution beside the network, the
    average face among what both see, first weights of kept scale, Muon, bfloat16 where it is fast,
    and batches of 8; and, so that few pairs are not learnt by heart, the weights of the best
    validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import l1_loss

from veilface.attacks.base import Fitted, Setting, observed
from veilface.attacks.learning import batch_size, learn, recipe_of, seeded
from veilface.attacks.nulls import mean_face
from veilface.attacks.pairs import Pairs, Source, make_pairs
from veilface.core.template import SIDE
from veilface.training.loop import generator_of
from veilface.training.muon import Muon
from veilface.training.precision import fast_type
from veilface.training.straight import silence, straighten
from veilface.training.unet import UNet, keep_scale

_SCALED = 64  # pairs that the scale of the channels is measured on
_RATES = 4e-3, 1e-3  # of the kernels, and of everything else


class Reconstructor(nn.Module):
    """A U-Net beside a convolution, behind a fixed scaling of their channels.

    Both see the average face beside what was sent: a face has its places, which a convolution does
    not know. The convolution starts where it is best in least squares, and so no further from the
    photos than the average face is, and the U-Net at 0: minutes are spent on what is not linear.

    Args:
        channels: Of what is sent.
        width: Multiplies the channels of the network; 34.5 million parameters at 1.
    """

    face: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int, *, width: float) -> None:
        super().__init__()
        seen = channels + 3
        self.network = UNet(seen, 3, width=width)
        keep_scale(self.network)
        self.straight = nn.Conv2d(seen, 3, 3, padding=1)
        self.register_buffer("face", torch.zeros(3, SIDE, SIDE))
        self.register_buffer("mean", torch.zeros(1, seen, 1, 1))
        self.register_buffer("spread", torch.ones(1, seen, 1, 1))

    def start(self, pairs: Pairs, face: Tensor) -> None:
        """Fix the scaling on examples, to mean 0 and deviation 1, and fit the convolution.

        Args:
            pairs: Some.
            face: (3, 112, 112) the average face.
        """
        place = self.mean.device
        sent, faces = pairs.sent.to(place), pairs.faces.to(place)
        self.face.copy_(face)
        seen = self._seen(sent)
        self.mean.copy_(seen.mean(dim=(0, 2, 3), keepdim=True))
        self.spread.copy_(seen.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-6))
        straighten(self.straight, self._scaled(sent), faces)
        silence(self.network.head)

    def kernels(self) -> list[nn.Parameter]:
        """Of the network, but for its last layer, which starts at 0 beside the convolution."""
        inside = [self.network.down, self.network.up, self.network.merge]
        return [each for part in inside for each in part.parameters() if each.ndim == 4]

    def forward(self, sent: Tensor) -> Tensor:
        """(N, C, 112, 112) to (N, 3, 112, 112), not clamped."""
        scaled = self._scaled(sent)
        fast = fast_type(sent.device)
        with torch.autocast(sent.device.type, dtype=fast, enabled=fast != torch.float32):
            learnt = self.network(scaled)
        restored: Tensor = learnt.float() + self.straight(scaled)
        return restored

    def _scaled(self, sent: Tensor) -> Tensor:
        return (self._seen(sent) - self.mean) / self.spread

    def _seen(self, sent: Tensor) -> Tensor:
        return torch.cat([sent, self.face.expand(len(sent), -1, -1, -1)], dim=1)


class ReconstructionTask:
    """The L1 distance to the photos.

    Args:
        source: Of the pairs.
        width: Of the network.
        seed: Of its initial weights and of the examples that scale the channels.
        device: To train on.
    """

    def __init__(self, source: Source, *, width: float, seed: int, device: torch.device) -> None:
        self.source, self.seed, self.device = source, seed, device
        self._kept: Pairs | None = None
        self.batch = batch_size(device)
        channels = source.draw(1, generator_of(seed, "scale")).sent.shape[1]
        self.module = seeded(lambda: Reconstructor(channels, width=width), seed=seed)
        # A quarter faster on a CPU than channels first.
        self.module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        kernels = self.module.kernels()
        known = set(kernels)
        others = [each for each in self.module.parameters() if each not in known]
        self.optimizer = Muon(kernels, others, rate=_RATES[0], other_rate=_RATES[1])

    def begin(self) -> None:
        """Make what a checkpoint replaces, and what validates, before the time counts."""
        pairs = self.source.draw(_SCALED, generator_of(self.seed, "scale"))
        self.module.start(pairs, mean_face(self.source.faces))
        self._kept = self.source.validation()

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """Of one batch."""
        return {"loss": self._loss(self.source.draw(self.batch, generator))}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """On photos that are never drawn."""
        if self._kept is None:  # protecting them takes time; a finished training needs none
            self._kept = self.source.validation()
        return {"loss": float(self._loss(self._kept))}

    def _loss(self, pairs: Pairs) -> Tensor:
        return l1_loss(self.module(pairs.sent.to(self.device)), pairs.faces.to(self.device))


def reconstruct(setting: Setting, *, shuffled: bool = False) -> Fitted:
    """Train on pairs, or continue a training that was ended.

    Args:
        setting: With photos of other people.
        shuffled: Whether photos and what is sent belong to different people: the null.

    Raises:
        DatasetError: There are no photos.
        AttackError: Protecting is so slow that there are no pairs, or there is no victim of so
            many steps.
    """
    source = make_pairs(setting, shuffled=shuffled)
    recipe = recipe_of(
        "shuffled" if shuffled else "unet",
        setting,
        network="a U-Net beside a convolution, both beside the average face",
        optimizer="Muon",
        precision=str(fast_type(setting.device)),
        victim=setting.pair_victim.describe(),
        pairs=source.count,
        photos=source.photos,
    )
    task = ReconstructionTask(source, width=setting.width, seed=setting.seed, device=setting.device)
    fitted = learn(task, recipe, setting, observed, begin=task.begin)
    return replace(fitted, about={**fitted.about, "pair_steps": setting.pair_steps})


def shuffled(setting: Setting) -> Fitted:
    """The null of `reconstruct`."""
    return reconstruct(setting, shuffled=True)
