"""Every recogniser on the official LFW pairs, against the accuracy that the registry states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from tests.recognizers.conftest import LoadRecognizer, read_faces
from veilface.recognizers import RECOGNIZERS

Pairs = list[tuple[str, str]]


@pytest.fixture(scope="session")
def pairs(lfw: Path) -> Pairs:
    """6,000 pairs of files: ten folds of 300 genuine and 300 impostor pairs."""
    lines = (lfw / "pairs.txt").read_text(encoding="utf-8").splitlines()[1:]
    found = []
    for line in lines:
        words = line.split("\t")
        first, i, second, j = words if len(words) == 4 else (words[0], words[1], words[0], words[2])
        found.append((f"{first}/{first}_{int(i):04d}.jpg", f"{second}/{second}_{int(j):04d}.jpg"))
    assert len(found) == 6000
    return found


@pytest.fixture(scope="session")
def crops(lfw: Path, pairs: Pairs) -> tuple[dict[str, int], Tensor]:
    names = sorted({name for pair in pairs for name in pair})
    return {name: k for k, name in enumerate(names)}, read_faces([lfw / n for n in names])


def ten_fold_accuracy(scores: npt.NDArray[np.float64]) -> list[float]:
    """Accuracy per fold with the threshold that is best on the other nine.

    A score above the threshold is a match; within equals the lowest best threshold counts.
    """
    folds = scores.reshape(10, 2, 300)
    accuracies = []
    for k in range(10):
        rest = np.delete(folds, k, axis=0)
        genuine, impostor = np.sort(rest[:, 0].ravel()), np.sort(rest[:, 1].ravel())
        thresholds = np.sort(rest.ravel())
        right = (genuine.size - np.searchsorted(genuine, thresholds, side="right")) + (
            np.searchsorted(impostor, thresholds, side="right")
        )
        threshold = thresholds[np.argmax(right)]
        hits = (folds[k, 0] > threshold).sum() + (folds[k, 1] <= threshold).sum()
        accuracies.append(float(hits) / 600)
    return accuracies


def test_ten_fold_accuracy_on_known_scores() -> None:
    scores = np.zeros((10, 2, 300))
    scores[:, 0] = 0.6
    scores[:, 1] = 0.2
    scores[3, 0, :30] = 0.1  # a tenth of one fold's genuine pairs cannot be told from impostors
    assert ten_fold_accuracy(scores.ravel()) == [1, 1, 1, 0.95, 1, 1, 1, 1, 1, 1]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", RECOGNIZERS)
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
    accuracies = ten_fold_accuracy(scores)
    folds = scores.reshape(10, 2, 300)
    genuine, impostor = folds[:, 0].ravel(), folds[:, 1].ravel()
    calibration = model.spec.calibration
    print(name, np.mean(accuracies), np.std(accuracies), impostor.mean(), impostor.std())
    print({fmr: (impostor > model.spec.threshold(fmr)).mean() for fmr in model.spec.fmrs})
    assert np.mean(accuracies) == pytest.approx(calibration.accuracy, abs=0.003)
    assert impostor.mean() == pytest.approx(calibration.impostor_mean, abs=0.005)
    assert impostor.std() == pytest.approx(calibration.impostor_std, abs=0.005)
    assert genuine.mean() == pytest.approx(calibration.genuine_mean, abs=0.005)
    for fmr in model.spec.fmrs:
        assert (impostor > model.spec.threshold(fmr)).mean() <= fmr + 1 / 3000
