"""What the service answers, as frozen dataclasses."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Face:
    """One protected face.

    Attributes:
        image: A PNG or JPEG file.
        similarity: Cosine to the source face by recogniser.
        box: x, y, width, height in pixels of the upright photo; None for aligned crops.
    """

    image: bytes = field(repr=False)
    similarity: Mapping[str, float]
    box: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Photo:
    """A protected photo.

    Attributes:
        faces: Largest first.
        pasted: The whole photo as a file, when it was asked for.
        recognizers: Those that the faces were made against.
        too_small: Faces that were seen and left as they are.
    """

    faces: tuple[Face, ...]
    pasted: bytes | None = field(repr=False)
    recognizers: tuple[str, ...]
    too_small: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Photo:
        """From the service's JSON."""
        faces = tuple(
            Face(
                base64.b64decode(face["image"]),
                face["similarity"],
                None if face["box"] is None else tuple(face["box"]),
            )
            for face in document["faces"]
        )
        pasted = document["pasted"]
        return cls(
            faces,
            None if pasted is None else base64.b64decode(pasted),
            tuple(document["recognizers"]),
            document["too_small"],
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one recogniser says.

    Attributes:
        recognizer: Its name.
        score: Cosine in [-1, 1].
        threshold: What a match must exceed; None for an uncalibrated recogniser.
        match: None without a threshold.
    """

    recognizer: str
    score: float
    threshold: float | None
    match: bool | None


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two pictures match; None when no recogniser decides."""

    match: bool | None
    results: tuple[Comparison, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Verification:
        """From the service's JSON."""
        results = tuple(
            Comparison(one["recognizer"], one["score"], one["threshold"], one["match"])
            for one in document["results"]
        )
        return cls(document["match"], results)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is enrolled; ``sources`` says what each embedding was made from."""

    id: str
    enrolled: str
    sources: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Person:
        """From the service's JSON."""
        sources = tuple(record["source"] for record in document["records"])
        return cls(document["id"], document["enrolled"], sources)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the person that is looked for."""

    id: str
    score: float
    match: bool | None


@dataclass(frozen=True, slots=True)
class Identification:
    """The most similar people, the best first, and how it was decided."""

    candidates: tuple[Candidate, ...]
    explanation: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Identification:
        """From the service's JSON."""
        found = tuple(Candidate(**one) for one in document["candidates"])
        return cls(found, document["explanation"])
