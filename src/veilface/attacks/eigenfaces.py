"""The space of faces that photos span, and where in it the embeddings of a recogniser point.

Source:
    Eigenfaces: Turk and Pentland, Journal of Cognitive Neuroscience 3(1), 1991.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from veilface.attacks.base import Setting
from veilface.attacks.learning import seeded
from veilface.attacks.nulls import mean_face
from veilface.core.template import SIDE
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import TrainingImages
from veilface.training.straight import ridge

_EIGENFACES = 400
_SPANNED = 4000  # photos that eigenfaces are made of: 0.6 GB
_RIDGE = 0.1  # of the mean square of an entry of the embeddings
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class FaceSpace:
    """Eigenfaces of clean photos, and where among them an embedding points.

    Attributes:
        mean: (3, 112, 112) of the photos.
        basis: (K, 3 * 112 * 112) eigenfaces, each as long as a standard deviation of the photos.
        centre: (D,) mean embedding.
        slope: (D, K) from an embedding to coefficients.
        offset: (K,) those of the mean embedding.
    """

    mean: Tensor = field(repr=False)
    basis: Tensor = field(repr=False)
    centre: Tensor = field(repr=False)
    slope: Tensor = field(repr=False)
    offset: Tensor = field(repr=False)

    def point(self, vectors: Tensor) -> Tensor:
        """(N, D) unit embeddings to (N, K) coefficients, in least squares."""
        return (vectors - self.centre) @ self.slope + self.offset

    def paint(self, coefficients: Tensor) -> Tensor:
        """(N, K) coefficients to (N, 3, 112, 112) faces, not clamped."""
        return self.mean + (coefficients @ self.basis).view(-1, 3, SIDE, SIDE)


def digest_of(faces: TrainingImages) -> str:
    """Of what a space depends on beside the recogniser and the seed: photos and settings."""
    about = (_EIGENFACES, _SPANNED, _RIDGE, faces.digest())
    return hashlib.sha256(repr(about).encode()).hexdigest()


def learn_space(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> FaceSpace:
    """Eigenfaces of photos, and a ridge regression from their embeddings to coefficients.

    Args:
        recognizer: Of the embeddings.
        faces: Photos.
        setting: Says the seed, and is told the progress.
    """
    mean = mean_face(faces)
    spanned = faces.part(slice(_SPANNED))
    lengths, directions = _eigenfaces(spanned, mean, seed=setting.seed)
    spread = (lengths / len(spanned) ** 0.5).clamp_min(1e-6)
    found = torch.cat([part @ directions / spread for part in _deviations(faces, mean)])
    vectors = _embed(recognizer, faces, setting)
    centre, offset = vectors.mean(dim=0), found.mean(dim=0)
    off = vectors - centre
    slope = ridge(off.T @ off, off.T @ (found - offset), _RIDGE)
    return FaceSpace(mean, (directions * spread).T, centre, slope, offset)


def _eigenfaces(faces: TrainingImages, mean: Tensor, *, seed: int) -> tuple[Tensor, Tensor]:
    """(K,) singular values of N photos without their mean, and (3 * 112 * 112, K) directions."""
    pixels = torch.empty(len(faces), mean.numel())
    for rows, part in zip(torch.split(pixels, _AT_ONCE), _deviations(faces, mean), strict=True):
        rows.copy_(part)
    count = min(_EIGENFACES, len(faces) - 1)
    _, lengths, directions = seeded(
        lambda: torch.pca_lowrank(pixels, q=count, center=False), seed=seed, purpose="eigenfaces"
    )
    return lengths, directions


def _deviations(faces: TrainingImages, mean: Tensor) -> Iterator[Tensor]:
    """(N, 3 * 112 * 112) photos without their mean, in batches."""
    for indices in torch.split(torch.arange(len(faces)), _AT_ONCE):
        yield (faces.batch(indices).faces - mean).flatten(1)


def _embed(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> Tensor:
    parts = []
    for indices in torch.split(torch.arange(len(faces)), _AT_ONCE):
        parts.append(torch.from_numpy(embed_faces(recognizer, faces.batch(indices).faces)))
        setting.progress("embedding photos", int(indices[-1]) + 1, len(faces))
    return torch.cat(parts)
