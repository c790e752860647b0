"""How often portraits match people, beside how often people match each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from tools.bank.crops import Pixels
from veilface.imaging.tensors import to_tensor
from veilface.measures.intervals import rate_over_pairs
from veilface.recognizers import Recognizer

BATCH = 32
Embeddings = npt.NDArray[np.float32]


@torch.inference_mode()
def embed(recognizer: Recognizer, crops: Sequence[Pixels]) -> Embeddings:
    """(N, D) unit embeddings of (112, 112, 3) uint8 crops."""
    batches = [crops[k : k + BATCH] for k in range(0, len(crops), BATCH)]
    found = [recognizer.embed(torch.stack([to_tensor(c) for c in batch])) for batch in batches]
    return np.asarray(torch.cat(found).numpy(), np.float32)


def one_each(folder: Path, limit: int) -> list[Pixels]:
    """The first photograph of up to ``limit`` people, spread evenly over a folder of people."""
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    chosen = [
        people[k] for k in np.linspace(0, len(people) - 1, min(limit, len(people))).astype(int)
    ]
    files = [sorted(person.glob("*.jpg"))[0] for person in chosen]
    return [np.array(Image.open(path).convert("RGB")) for path in files]


def compare(bank: Embeddings, people: Embeddings, threshold: float) -> str:
    """One line: portraits against people, and people against people; shares with 95 % intervals."""
    strange = rate_over_pairs(
        bank @ people.T >= threshold,
        columns=len(bank) + np.arange(len(people)),
        seed=0,
        rounds=200,
    )
    real = rate_over_pairs(people @ people.T >= threshold, seed=0, rounds=200)
    return (
        f"portraits match people in {strange.value:.4%} [{strange.low:.4%}, {strange.high:.4%}] of "
        f"{strange.n} pairs; people match people in {real.value:.4%} "
        f"[{real.low:.4%}, {real.high:.4%}] of {real.n} pairs"
    )
