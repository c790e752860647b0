"""How well a method is matched by the recogniser that is meant to read it.

Beside it stands the figure that its authors publish. Protected is compared with protected, each
image with draws of its own, by ten-fold accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from veilface.datasets.base import FacePairs
from veilface.errors import DatasetError, UnknownNameError
from veilface.evaluation.aligned import aligned_faces
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import generators
from veilface.measures.intervals import Estimate, wilson
from veilface.measures.roc import fold_accuracy
from veilface.protectors.dct.front_end import decode, encode
from veilface.protectors.minusface.protector import MinusFace
from veilface.protectors.registry import METHODS
from veilface.protectors.trainers import TEACHER, native_recognizer, residue_recognizer
from veilface.recognizers.registry import load_recognizer

PUBLISHED: Mapping[str, float] = MappingProxyType(
    {
        # IR-50 on MS1Mv2 (5.8 million images), as each paper has it.
        "duetface": 0.9982,
        "partialface": 0.9980,
        "minusface": 0.9978,
        "ldp_slicing": 0.9975,
        # Trained again by the authors of MinusFace; the obfuscator is not named.
        "proface-blur": 0.9827,
        "proface-pixelate": 0.9827,
    }
)
"""Accuracy on LFW by method."""

_BATCH = 8

Embed = Callable[[Tensor, list[Generator]], Tensor]
"""From (N, 3, 112, 112) clean faces and a generator for each to (N, D) unit vectors."""


@dataclass(frozen=True, slots=True)
class NativeRow:
    """One line of the table.

    Attributes:
        method: Registry name, or what is checked.
        recognizer: What reads it, and what that was trained on.
        accuracy: Ten-fold, with Wilson's interval.
        std: Standard deviation over the folds.
        published: The authors' accuracy; None where there is none.
    """

    method: str
    recognizer: str
    accuracy: Estimate
    std: float
    published: float | None


def native_row(method: str, pairs: FacePairs, *, seed: int) -> NativeRow:
    """The accuracy of a method under its own recogniser.

    PRO-Face has none: it is matched by the recogniser that its embedder was trained for.

    Args:
        method: A name of `veilface.protectors.registry.METHODS`.
        pairs: With folds.
        seed: Of the draws of the protection.

    Raises:
        UnknownNameError: There is no such method.
        UntrainedError: The method or its recogniser is not trained.
        DatasetError: An image of the pairs cannot be read.
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    protector = METHODS[method].build()
    if METHODS[method].native_recognizer:
        reader = native_recognizer(method)
        read, about = reader.embed, _about(reader.training)
    else:
        recognizer = load_recognizer(TEACHER)
        read, about = lambda made: recognizer.embed(made.images), f"{TEACHER}, unchanged"

    def embed(faces: Tensor, streams: list[Generator]) -> Tensor:
        return read(protector.protect(faces, generator=streams))

    return _row(method, about, embed, pairs, seed)


def residue_rows(pairs: FacePairs, *, seed: int) -> tuple[NativeRow, NativeRow]:
    """MinusFace's own check: its first recogniser on the residue, and on what the residue shows.

    Identity is to be in the residue and not in its picture: the authors report 98.27 % against
    53.85 % on CFP-FP. Here the second is the same recogniser on the coefficients of the picture.

    Raises:
        UntrainedError: MinusFace is not trained.
        DatasetError: An image of the pairs cannot be read.
    """
    method, network = MinusFace.trained(), residue_recognizer()
    about = _about(method.info["training"])

    def of_residue(faces: Tensor, streams: list[Generator]) -> Tensor:
        found: Tensor = network(method.residue(faces))
        return found

    def of_picture(faces: Tensor, streams: list[Generator]) -> Tensor:
        picture = decode(method.residue(faces)).clamp(0, 1)
        found: Tensor = network(encode(picture))
        return found

    return (
        _row("minusface: r", about, of_residue, pairs, seed),
        _row("minusface: d(r)", about, of_picture, pairs, seed),
    )


def _row(method: str, about: str, embed: Embed, pairs: FacePairs, seed: int) -> NativeRow:
    aligned = aligned_faces([pairs.records[name] for name in pairs.images])
    if aligned.failures:
        raise DatasetError(next(iter(aligned.failures.values())))
    parts = []
    with torch.no_grad():
        for faces in torch.split(aligned.faces, _BATCH):
            parts.append(embed(faces, generators(to_uint8(faces), seed=seed, draw=0)))
    known = dict(zip((r.name for r in aligned.records), torch.cat(parts).numpy(), strict=True))
    scores = np.array([float(known[p.first] @ known[p.second]) for p in pairs.pairs])
    folds = fold_accuracy(scores, pairs.same, pairs.folds)
    right = round(folds.mean * len(scores))
    return NativeRow(method, about, wilson(right, len(scores)), folds.std, PUBLISHED.get(method))


def _about(training: Mapping[str, Any]) -> str:
    images = training.get("identities") or training["faces"]
    kind = "IR-18 by ArcFace" if "identities" in training else f"{TEACHER}, distilled"
    return f"{kind}, width {training['width']:g}, {images['images']:,} images of {images['name']}"
