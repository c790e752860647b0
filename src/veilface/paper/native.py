"""How well a method is matched by the recogniser that is meant to read it.

Beside it stands the figure that its authors publish. Protected is compared with protected, each
image with draws of its own, by ten-fold accuracy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from veilface.core.files import read_bytes, write_atomic
from veilface.datasets.base import FacePairs
from veilface.errors import DatasetError, ImageError, UnknownNameError
from veilface.evaluation.aligned import Aligned, aligned_faces
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import generators
from veilface.measures.intervals import Estimate, wilson
from veilface.measures.roc import Floats, fold_accuracy
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
    """The accuracy of one method under one recogniser.

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


class Natives:
    """Methods under the recognisers that are meant to read them, on the pairs of a protocol.

    Args:
        pairs: With folds.
        seed: Of the draws of the protection.
        cache: Folder where scores are kept; None keeps nothing.
        progress: Told a stage, how many images are done, and of how many.
    """

    def __init__(
        self,
        pairs: FacePairs,
        *,
        seed: int,
        cache: Path | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.pairs = pairs
        self.seed = seed
        self._cache = cache
        self._tell = progress or (lambda stage, done, total: None)

    def row(self, method: str) -> NativeRow:
        """The accuracy of a method under its own recogniser.

        PRO-Face has none: it is matched by the recogniser that its embedder was trained for.

        Args:
            method: A name of `veilface.protectors.registry.METHODS`.

        Raises:
            UnknownNameError: There is no such method.
            UntrainedError: The method or its recogniser is not trained.
            DatasetError: An image of the pairs cannot be read.
            ImageError: The scores cannot be written.
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

        return self._row(method, about, embed)

    def residue(self) -> tuple[NativeRow, NativeRow]:
        """MinusFace's own check: its first recogniser on the residue, and on what that shows.

        Identity is to be in the residue and not in its picture: the authors report 98.27 % against
        53.85 % on CFP-FP. Here the second is the same recogniser on the picture's coefficients.

        Raises:
            UntrainedError: MinusFace is not trained.
            DatasetError: An image of the pairs cannot be read.
            ImageError: The scores cannot be written.
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
            self._row("minusface: r", about, of_residue),
            self._row("minusface: d(r)", about, of_picture),
        )

    @cached_property
    def _photos(self) -> Aligned:
        """Every image of the pairs, decoded once for all methods."""
        aligned = aligned_faces([self.pairs.records[name] for name in self.pairs.images])
        if aligned.failures:
            raise DatasetError(next(iter(aligned.failures.values())))
        return aligned

    def _row(self, method: str, about: str, embed: Embed) -> NativeRow:
        scores = self._scores(method, embed)
        folds = fold_accuracy(scores, self.pairs.same, self.pairs.folds)
        right = wilson(round(folds.mean * len(scores)), len(scores))
        return NativeRow(method, about, right, folds.std, PUBLISHED.get(method))

    @torch.no_grad()
    def _scores(self, method: str, embed: Embed) -> Floats:
        """(pairs,) cosines, out of the cache where it has them."""
        first, *others = torch.split(self._photos.faces, _BATCH)
        parts = [self._embedded(embed, first)]
        path = None if self._cache is None else self._cache / f"{self._key(parts[0])}.json"
        kept = None if path is None else _read(path)
        if kept is not None:
            return kept
        stage = f"reading {method}"
        for part in others:
            self._tell(stage, _BATCH * len(parts), len(self._photos.faces))
            parts.append(self._embedded(embed, part))
        self._tell(stage, len(self._photos.faces), len(self._photos.faces))
        names = (record.name for record in self._photos.records)
        known = dict(zip(names, torch.cat(parts).numpy(), strict=True))
        scores = np.array([float(known[p.first] @ known[p.second]) for p in self.pairs.pairs])
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(scores.tolist()).encode(), overwrite=True)
        return scores

    def _embedded(self, embed: Embed, faces: Tensor) -> Tensor:
        return embed(faces, generators(to_uint8(faces), seed=self.seed, draw=0))

    def _key(self, embedded: Tensor) -> str:
        """What names the scores: the pairs, all pixels, and what the first images came out as.

        Other weights, another seed or other code of a method give other embeddings of those, so
        that nothing about a method has to be listed here.
        """
        digest = hashlib.sha256(repr((self.seed, self.pairs.pairs)).encode())
        digest.update(to_uint8(self._photos.faces).tobytes())
        digest.update(embedded.numpy().tobytes())
        return digest.hexdigest()


def _read(path: Path) -> Floats | None:
    try:
        return np.array(json.loads(read_bytes(path)), dtype=np.float64)
    except (ImageError, ValueError):
        return None


def _about(training: Mapping[str, Any]) -> str:
    images = training.get("identities") or training["faces"]
    kind = "IR-18 by ArcFace" if "identities" in training else f"{TEACHER}, distilled"
    return f"{kind}, width {training['width']:g}, {images['images']:,} images of {images['name']}"
