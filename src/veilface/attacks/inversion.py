"""Embedding inversion: a face from nothing but what a recogniser sees of an image.

The attacker has a recogniser and clean photos of other people, and no protected image. The face is
looked for among the eigenfaces of those photos: least squares say where an embedding points, and
descent through the recogniser goes on from there until the face has the embedding that is held.
What comes of f(X) so is the least that a picture gives away which keeps the match: generators that
learned from millions of faces may show more.

Source:
    Eigenfaces: Turk and Pentland, Journal of Cognitive Neuroscience 3(1), 1991. The rest is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.learning import SMALL_BATCH, seeded
from veilface.attacks.nulls import mean_face
from veilface.core.template import SIDE
from veilface.errors import DatasetError
from veilface.protectors.base import quantise
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import get_spec, load_recognizer
from veilface.training.checkpoint import read_tensors, write_tensors
from veilface.training.images import TrainingImages
from veilface.training.loop import generator_of
from veilface.training.straight import ridge
from veilface.types import Protected
from veilface.weights import store

STEPS = 40
"""Of the descent to each face."""

_FEWEST = 20  # photos
_EIGENFACES = 400
_SPANNED = 4000  # photos that eigenfaces are made of: 0.6 GB
_RIDGE = 0.1  # of the mean square of an entry of the embeddings
_PRIOR = 0.0003  # of the squared way from where least squares point, against 1 - cosine
_RATE = 0.05  # standard deviations a step
_SHIFT = 2  # pixels; what only one grid of pixels shows a recogniser is no face
_DESCENT = (STEPS, _PRIOR, _RATE, _SHIFT)
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


def invert_embedding(setting: Setting) -> Fitted:
    """Learn the space of faces, or read it where it was learnt before; no pair is needed.

    Raises:
        DatasetError: There are no photos, or fewer than 20.
        WeightsError: The weights of the recogniser are not here, or what was kept is damaged.
    """
    faces = setting.training_faces()
    if len(faces) < _FEWEST:
        raise DatasetError(f"{len(faces)} photos span no space of faces; {_FEWEST} are needed")
    recognizer = load_recognizer(setting.recognizer, device=setting.device)
    recipe = {
        "attack": "embedding",
        "faces": faces.name,
        "photos": len(faces),
        "pixels": _digest(faces),
        "recognizer": setting.recognizer,
        "weights": store.hashes(get_spec(setting.recognizer)),
        "seed": setting.seed,
    }
    space = _kept(setting.place_of(recipe).with_suffix(".safetensors"), recognizer, faces, setting)

    def recover(protected: Protected) -> Tensor:
        seen = torch.from_numpy(embed_faces(recognizer, quantise(protected.images)))
        held = hashlib.sha256(seen.numpy().data).hexdigest()
        about = {"attack": "inverted", "space": recipe, "held": held, "descent": _DESCENT}
        path = setting.place_of(about).with_suffix(".safetensors")
        if not path.is_file():  # the control of every protector inverts the same photos
            write_tensors(path, {"faces": _descend_all(space, recognizer, seen, setting)}, {})
        return read_tensors(path)[0]["faces"]

    return Fitted(recover, {**recipe, "training": {"steps": STEPS}})


def descend(space: FaceSpace, recognizer: Recognizer, vectors: Tensor, *, seed: int) -> Tensor:
    """The faces of a space whose embeddings come nearest to those that are held.

    Args:
        space: On the device of the recogniser.
        recognizer: The one that made the embeddings, differentiable.
        vectors: (N, D) unit vectors.
        seed: Of the shifts of the faces before they are looked at.

    Returns:
        (N, 3, 112, 112) in [0, 1].
    """
    generator = generator_of(seed, "shift")
    begin = space.point(vectors)
    coefficients = begin.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([coefficients], lr=_RATE)
    for _ in range(STEPS):
        shift = torch.randint(-_SHIFT, _SHIFT + 1, (2,), generator=generator).tolist()
        found = recognizer.embed(space.paint(coefficients).roll(shift, (-2, -1)))
        away = (coefficients - begin).square().sum()
        loss = (1 - (found * vectors).sum(dim=1)).sum() + _PRIOR * away
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return space.paint(coefficients).clamp(0, 1)


def _descend_all(
    space: FaceSpace, recognizer: Recognizer, seen: Tensor, setting: Setting
) -> Tensor:
    parts: list[Tensor] = []
    setting.progress("inverting", 0, len(seen))
    for vectors in torch.split(seen, SMALL_BATCH):
        found = descend(space, recognizer, vectors.to(setting.device), seed=setting.seed)
        parts.append(found.cpu())
        setting.progress("inverting", sum(map(len, parts)), len(seen))
    return torch.cat(parts)


def _digest(faces: TrainingImages) -> str:
    """Of everything that a space depends on beside the recogniser."""
    digest = hashlib.sha256(repr((_EIGENFACES, _SPANNED, _RIDGE)).encode())
    for values in (faces.pixels, faces.inside):
        if values is not None:
            digest.update(values.contiguous().numpy().data)
    return digest.hexdigest()


def _kept(path: Path, recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> FaceSpace:
    """The space in a file; where there is none, it is learnt first."""
    if not path.is_file():
        space = _learn(recognizer, faces, setting)
        setting.folder.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {each.name: getattr(space, each.name) for each in fields(space)}, {})
    kept, _ = read_tensors(path)
    return FaceSpace(**{name: tensor.to(setting.device) for name, tensor in kept.items()})


def _learn(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> FaceSpace:
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
    """(N, 3 * 112 * 112) photos without their mean, 0 where they show nothing, in batches."""
    for indices in torch.split(torch.arange(len(faces)), _AT_ONCE):
        batch = faces.batch(indices)
        yield ((batch.faces - mean) * batch.inside).flatten(1)


def _embed(recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> Tensor:
    parts = []
    for indices in torch.split(torch.arange(len(faces)), _AT_ONCE):
        parts.append(torch.from_numpy(embed_faces(recognizer, faces.batch(indices).faces)))
        setting.progress("embedding photos", int(indices[-1]) + 1, len(faces))
    return torch.cat(parts)
