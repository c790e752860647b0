"""Writes src/veilface/data/centres.safetensors: the mean unit embedding of every recogniser.

    python tools/build_centres.py ../shared/data/celeba112

Only the mean over thousands of faces is kept. People count equally: the mean is taken per person
first, so that somebody with thirty photographs weighs no more than somebody with two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from veilface.recognizers import RECOGNIZERS, Recognizer, load_recognizer

PER_PERSON = 8
BATCH = 64
GOAL = Path(__file__).resolve().parents[1] / "src" / "veilface" / "data" / "centres.safetensors"


def read(paths: list[Path]) -> Tensor:
    """(N, 3, 112, 112) in [0, 1]."""
    pixels = [np.array(Image.open(path).convert("RGB")) for path in paths]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255


@torch.inference_mode()
def centre_of(recognizer: Recognizer, people: list[list[Path]]) -> Tensor:
    """(D,) float64 mean over people of the mean unit embedding of a person's photographs."""
    files = [path for person in people for path in person]
    batches = [files[k : k + BATCH] for k in range(0, len(files), BATCH)]
    embeddings = torch.cat([recognizer.embed(read(batch)).double() for batch in batches])
    counts = [len(person) for person in people]
    return torch.stack([part.mean(0) for part in torch.split(embeddings, counts)]).mean(0)


def main() -> None:
    """Measure every recogniser and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path, help="folder with one folder of aligned crops a person")
    parser.add_argument("--data-set", default="CelebA, 299 people")
    arguments = parser.parse_args()
    folders = sorted(path for path in arguments.root.iterdir() if path.is_dir())
    people = [sorted(folder.glob("*.jpg"))[:PER_PERSON] for folder in folders]
    people = [person for person in people if person]
    faces = sum(map(len, people))
    centres = {}
    for name in RECOGNIZERS:
        centres[name] = centre_of(load_recognizer(name), people).float()
        print(f"{name}: |centre|^2 = {float(centres[name].square().sum()):.3f}")
    metadata = {
        "data_set": arguments.data_set,
        "people": str(len(people)),
        "faces": str(faces),
        "statistic": "mean over people of the mean unit embedding",
    }
    GOAL.parent.mkdir(exist_ok=True)
    save_file(centres, GOAL, metadata=metadata)
    print(f"{GOAL.name}: {GOAL.stat().st_size} bytes from {faces} faces of {len(people)} people")


if __name__ == "__main__":
    main()
