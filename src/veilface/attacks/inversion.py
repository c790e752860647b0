"""Embedding inversion: a face from nothing but what a recogniser sees of an image.

The attacker has a recogniser and clean photos of other people, and no protected image. The face is
looked for among the eigenfaces of those photos: least squares say where an embedding points, and
descent through the recogniser goes on from there until the face has the embedding that is held. Of
several versions the mean of their embeddings is inverted. What comes of f(X) so is the least that a
picture gives away which keeps the match: generators that learned from millions of faces may show
more. No published attack is followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.eigenfaces import FaceSpace, digest_of, learn_space
from veilface.attacks.learning import SMALL_BATCH
from veilface.errors import DatasetError
from veilface.protectors.base import quantise
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import get_spec, load_recognizer
from veilface.training.checkpoint import read_tensors, write_tensors
from veilface.training.images import TrainingImages
from veilface.training.loop import generator_of
from veilface.types import Protected
from veilface.weights import store

STEPS = 40
"""Of the descent to each face."""

_FEWEST = 20  # photos
_PRIOR = 0.0003  # of the squared way from where least squares point, against 1 - cosine
_RATE = 0.05  # standard deviations a step
_SHIFT = 2  # pixels; what only one grid of pixels shows a recogniser is no face


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
        "pixels": digest_of(faces),
        "recognizer": setting.recognizer,
        "weights": store.hashes(get_spec(setting.recognizer)),
        "seed": setting.seed,
    }
    space = _kept(setting.place_of(recipe).with_suffix(".safetensors"), recognizer, faces, setting)

    def recover(versions: Sequence[Protected]) -> Tensor:
        # What a recogniser sees of each version and not of their mean, which it was not made for.
        each = [embed_faces(recognizer, quantise(version.images)) for version in versions]
        seen = torch.from_numpy(each[0])
        if len(versions) > 1:
            seen = F.normalize(torch.from_numpy(np.mean(each, axis=0)))
        held = hashlib.sha256(seen.numpy().data).hexdigest()
        descent = [STEPS, _PRIOR, _RATE, _SHIFT]
        about = {"attack": "inverted", "space": recipe, "held": held, "descent": descent}
        path = setting.place_of(about).with_suffix(".safetensors")
        if not path.is_file():  # the control of every protector inverts the same photos
            write_tensors(path, {"faces": _descend_all(space, recognizer, seen, setting)}, {})
        return read_tensors(path)[0]["faces"]

    fitted_on = {**recipe, "training": {"steps": STEPS}}
    return Fitted(lambda protected: recover([protected]), fitted_on, recover)


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


def _kept(path: Path, recognizer: Recognizer, faces: TrainingImages, setting: Setting) -> FaceSpace:
    """The space in a file; where there is none, it is learnt first."""
    if not path.is_file():
        space = learn_space(recognizer, faces, setting)
        setting.folder.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {each.name: getattr(space, each.name) for each in fields(space)}, {})
    kept, _ = read_tensors(path)
    return FaceSpace(**{name: tensor.to(setting.device) for name, tensor in kept.items()})
