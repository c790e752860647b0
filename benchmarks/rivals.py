"""What the engine is measured against: plain networks, and MI-FGSM of an attack library."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from eagerpy.tensor.tensor import Tensor as EagerTensor
from foolbox.attacks.mi_fgsm import LinfMomentumIterativeFastGradientMethod
from foolbox.models.base import Model
from foolbox.models.pytorch import PyTorchModel
from torch import Tensor, nn

from benchmarks.networks import plain_of
from veilface.protectors.veil.presets import Preset
from veilface.recognizers.recognizer import Recognizer


def plain_recognizers(recognizers: Sequence[Recognizer]) -> list[Recognizer]:
    """The same architectures out of plain torch modules, with random weights.

    Raises:
        TypeError: One is not a list of layers, and so has no plain twin.
    """
    plain: list[Recognizer] = []
    for recognizer in recognizers:
        network = plain_of(recognizer.network)
        if network is None:
            raise TypeError(f"{recognizer.name} has no twin out of plain modules")
        plain.append(Recognizer(recognizer.spec, network, centre=recognizer.centre))
    return plain


class _Resemblance(nn.Module):
    """(N, 1) mean cosine to the sources over the ensemble, the only class of the model."""

    def __init__(self, recognizers: Sequence[Recognizer], sources: Tensor) -> None:
        super().__init__()
        self.recognizers = nn.ModuleList(recognizers)
        with torch.no_grad():
            self.targets = [recognizer.embed(sources) for recognizer in recognizers]

    def forward(self, x: Tensor) -> Tensor:
        cosines = [
            (recognizer(x) * target).sum(dim=1)
            for recognizer, target in zip(self.recognizers, self.targets, strict=True)
        ]
        return torch.stack(cosines).mean(dim=0)[:, None]


class _Impersonation(LinfMomentumIterativeFastGradientMethod):
    """MI-FGSM that climbs the model's output itself: an embedding has no label."""

    def get_loss_fn(
        self, model: Model, labels: EagerTensor
    ) -> Callable[[EagerTensor], EagerTensor]:
        return lambda x: model(x).sum()


def mi_fgsm(
    recognizers: Sequence[Recognizer], sources: Tensor, start: Tensor, *, preset: Preset
) -> Tensor:
    """Foolbox's MI-FGSM from ``start`` towards the embeddings of ``sources``.

    Args:
        recognizers: The ensemble.
        sources: (N, 3, 112, 112) in [0, 1].
        start: (N, 3, 112, 112) in [0, 1].
        preset: Gives the number of steps, their size, the momentum and the bound.

    Returns:
        (N, 3, 112, 112) in [0, 1].

    Source:
        Dong et al., DOI 10.1109/CVPR.2018.00957.
    """
    model = PyTorchModel(
        _Resemblance(recognizers, sources).eval(), bounds=(0, 1), device=sources.device
    )
    attack = _Impersonation(
        momentum=preset.momentum, abs_stepsize=preset.step_size, steps=preset.steps
    )
    labels = torch.zeros(len(sources), dtype=torch.int64, device=sources.device)
    result: Tensor = attack.run(model, start, labels, epsilon=preset.radius or 1.0)
    return result
