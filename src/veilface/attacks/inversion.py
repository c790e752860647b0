"""Embedding inversion: a face from nothing but what a recogniser sees of an image.

A decoder is trained on clean photos of other people and their embeddings, without any protected
image. What it makes of f(X') is the ceiling of what a protection can deny that keeps the match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Generator, Tensor, nn

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.learning import RATE, batch_size, begun, learn, recipe_of
from veilface.core.files import write_atomic
from veilface.protectors.base import quantise
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import get_spec, load_recognizer
from veilface.training.images import TrainingImages, l1_inside
from veilface.training.unet import scaled
from veilface.types import Protected
from veilface.weights import store

LEVELS = (512, 256, 128, 64, 32)  # channels at 7, 14, 28, 56 and 112 pixels, at full width
IDENTITY = 0.1
"""Weight of one minus the cosine of the embedding of the decoded face and the one it is made of."""

_VALIDATED = 64
_EMBEDDED = 64


class Decoder(nn.Module):
    """From a unit embedding to a face.

    Args:
        dim: Of the embedding.
        width: Multiplies the channels.
    """

    def __init__(self, dim: int, *, width: float) -> None:
        super().__init__()
        levels = [scaled(channels, 2 * width) for channels in LEVELS]
        self.first = nn.Linear(dim, levels[0] * 49)
        self.steps = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(after, after, 3, padding=1),
                nn.LeakyReLU(0.2, inplace=True),
            )
            for before, after in pairwise(levels)
        )
        self.head = nn.Conv2d(levels[-1], 3, 3, padding=1)

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, dim) unit vectors to (N, 3, 112, 112) in (0, 1)."""
        # A unit vector of 128 to 512 values has entries far below 1.
        x = self.first(vectors * vectors.shape[1] ** 0.5).view(len(vectors), -1, 7, 7)
        for step in self.steps:
            x = step(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        faces: Tensor = torch.sigmoid(self.head(x))
        return faces


class InversionTask:
    """L1 to the photo where it shows something, and the embedding that it must have.

    Args:
        faces: Photos of other people.
        vectors: (N, dim) their embeddings.
        recognizer: The one that made them, differentiable, on ``device``.
        width: Of the decoder.
        seed: Of its initial weights.
        device: To train on.
    """

    def __init__(
        self,
        faces: TrainingImages,
        vectors: Tensor,
        recognizer: Recognizer,
        *,
        width: float,
        seed: int,
        device: torch.device,
    ) -> None:
        self._faces, self._vectors, self._recognizer = faces, vectors, recognizer
        self.device = device
        self.batch = batch_size(device)
        self._trained = len(faces) - max(1, min(_VALIDATED, len(faces) // 10))
        self.module = begun(lambda: Decoder(vectors.shape[1], width=width), seed=seed)
        self.module.to(device)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=RATE)

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """Of one batch."""
        return self._losses(torch.randint(self._trained, (self.batch,), generator=generator))

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """On photos that are never drawn."""
        found = self._losses(torch.arange(self._trained, len(self._faces)))
        return {name: float(value) for name, value in found.items()}

    def _losses(self, indices: Tensor) -> dict[str, Tensor]:
        batch = self._faces.batch(indices, device=self.device)
        vectors = self._vectors[indices].to(self.device)
        made = self.module(vectors)
        pixels = l1_inside(made, batch.faces, batch.inside)
        identity = 1 - (self._recognizer.embed(made) * vectors).sum(dim=1).mean()
        return {"loss": pixels + IDENTITY * identity, "pixels": pixels, "identity": identity}


def invert_embedding(setting: Setting) -> Fitted:
    """Train a decoder of one recogniser, or continue its training; no pair is needed.

    Raises:
        DatasetError: There are no photos.
        WeightsError: The weights of the recogniser are not here.
    """
    faces = setting.training_faces()
    recognizer = load_recognizer(setting.recognizer, device=setting.device)
    recipe = recipe_of("embedding", setting, recognizer=setting.recognizer)
    vectors = _embeddings(recognizer, faces, setting)
    task = InversionTask(
        faces,
        vectors,
        recognizer,
        width=setting.width,
        seed=setting.seed,
        device=setting.device,
    )

    def see(protected: Protected) -> Tensor:
        return torch.from_numpy(embed_faces(recognizer, quantise(protected.images)))

    return learn(task, recipe, setting, see)


def _embeddings(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> Tensor:
    """(N, dim) of all photos, kept beside the networks."""
    recipe = {
        "attack": "embeddings",
        "recognizer": setting.recognizer,
        "weights": store.hashes(get_spec(setting.recognizer)),
        "photos": hashlib.sha256(faces.pixels.numpy().tobytes()).hexdigest(),
    }
    path = setting.place_of(recipe).with_suffix(".safetensors")
    if path.is_file():
        return load(path.read_bytes())["vectors"]
    vectors = _embed(recognizer, faces, setting)
    setting.folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, save({"vectors": vectors}), overwrite=True)
    return vectors


def _embed(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> Tensor:
    parts = []
    for indices in torch.split(torch.arange(len(faces)), _EMBEDDED):
        parts.append(torch.from_numpy(embed_faces(recognizer, faces.batch(indices).faces)))
        setting.progress("embedding photos", int(indices[-1]) + 1, len(faces))
    return torch.cat(parts)
