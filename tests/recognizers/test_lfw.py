"""Every recogniser on the official LFW pairs, against the accuracy that the registry states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.recognizers.conftest import LoadRecognizer, read_faces
from veilface.datasets import load_pairs
from veilface.measures.roc import fold_accuracy
from veilface.recognizers import RECOGNIZERS

Pairs = list[tuple[str, str]]


@pytest.fixture(scope="session")
def pairs(lfw: Path) -> Pairs:
    """6,000 pairs of files: ten folds of 300 genuine and 300 impostor pairs."""
    return [(pair.first, pair.second) for pair in load_pairs("lfw", lfw).pairs]


@pytest.fixture(scope="session")
def crops(lfw: Path, pairs: Pairs) -> tuple[dict[str, int], Tensor]:
    names = sorted({name for pair in pairs for name in pair})
    return {name: k for k, name in enumerate(names)}, read_faces([lfw / n for n in names])


# 13,000 faces through a network take 3 to 20 minutes, by how busy the machine is.
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [name for name, spec in RECOGNIZERS.items() if spec.calibration])
def test_accuracy_and_calibration(
    name: str, recognizer: LoadRecognizer, pairs: Pairs, crops: tuple[dict[str, int], Tensor]
) -> None:
    model = recognizer(name)
    index, pixels = crops
    with torch.inference_mode():
        embeddings = torch.cat([model.embed(batch / 255) for batch in torch.split(pixels, 64)])
    first = embeddings[[index[a] for a, _ in pairs]]
    second = embeddings[[index[b] for _, b in pairs]]
    scores = (first * second).sum(1).double().numpy()
    same = np.tile(np.repeat([True, False], 300), 10)
    accuracies = fold_accuracy(scores, same, np.repeat(np.arange(10), 600)).accuracies
    folds = scores.reshape(10, 2, 300)
    genuine, impostor = folds[:, 0].ravel(), folds[:, 1].ravel()
    calibration = model.spec.calibrated()
    print(name, np.mean(accuracies), np.std(accuracies), impostor.mean(), impostor.std())
    print({fmr: (impostor > model.spec.threshold(fmr)).mean() for fmr in model.spec.fmrs})
    assert np.mean(accuracies) == pytest.approx(calibration.accuracy, abs=0.003)
    assert impostor.mean() == pytest.approx(calibration.impostor_mean, abs=0.005)
    assert impostor.std() == pytest.approx(calibration.impostor_std, abs=0.005)
    assert genuine.mean() == pytest.approx(calibration.genuine_mean, abs=0.005)
    for fmr in model.spec.fmrs:
        assert (impostor > model.spec.threshold(fmr)).mean() <= fmr + 1 / 3000
