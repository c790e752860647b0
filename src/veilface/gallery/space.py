"""Which embeddings may be compared: those of one recogniser with one set of weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from veilface.errors import GalleryError
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights import store


@dataclass(frozen=True, slots=True)
class Space:
    """The space that the embeddings of a recogniser lie in.

    Attributes:
        recognizer: Its name.
        weights: SHA-256, lower-case hexadecimal, of what decides where a face lies: the weight
            files and the preprocessing.
        dim: Width of an embedding.
        thresholds: Cosine threshold by false match rate, from its calibration; empty without one.
    """

    recognizer: str
    weights: str
    dim: int
    thresholds: Mapping[float, float] = field(default_factory=dict)


def space_of(spec: RecognizerSpec) -> Space:
    """The space of a recogniser.

    Raises:
        GalleryError: Nothing tells its weights from others: it is a function, or a file's hash is
            neither published nor recorded.
        WeightsError: A recorded hash cannot be read.
    """
    hashes = store.hashes(spec)
    if not hashes or None in hashes:
        raise GalleryError(
            f"the weights of {spec.name} have no hash, so that a gallery could not tell when they "
            "change; a gallery takes the recognisers of 'veilface recognizers list' and ONNX files"
        )
    described = json.dumps([hashes, asdict(spec.preprocessing)], sort_keys=True)
    return Space(
        recognizer=spec.name,
        weights=hashlib.sha256(described.encode()).hexdigest(),
        dim=spec.dim,
        thresholds=dict(spec.calibration.thresholds) if spec.calibration is not None else {},
    )
