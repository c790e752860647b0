"""The JSON documents that the service answers with."""

from __future__ import annotations

from pydantic import BaseModel, Field

Point = tuple[float, float]


class FaceAnswer(BaseModel):
    """One protected face."""

    image: str = Field(description="The face as a file of the asked format, base64.")
    similarity: dict[str, float] = Field(description="Cosine to the source face by recogniser.")
    box: tuple[float, float, float, float] | None = Field(
        description="x, y, width, height in pixels of the upright photo; null for crops."
    )
    landmarks: list[Point] | None = Field(description="Eyes, nose, corners of the mouth.")


class ProtectAnswer(BaseModel):
    """A protected photo."""

    preset: str
    recognizers: list[str] = Field(description="Those that the faces were made against.")
    media_type: str
    faces: list[FaceAnswer] = Field(description="Largest first.")
    pasted: str | None = Field(description="The whole photo, base64, when it was asked for.")
    too_small: int = Field(description="Faces that were seen and left as they are.")
    note: str | None


class Comparison(BaseModel):
    """What one recogniser says about two pictures."""

    recognizer: str
    score: float
    threshold: float | None
    fmr: float
    match: bool | None
    decision: str
    faces: tuple[int, int]
    pair: tuple[int, int]
    took_part: bool | None = Field(
        description="Whether a picture was made against it; null when no picture says so."
    )


class VerifyAnswer(BaseModel):
    """Whether two pictures match."""

    rule: str
    match: bool | None
    results: list[Comparison]


class RecordAnswer(BaseModel):
    """One stored embedding, without its values."""

    source: str
    added: str


class PersonAnswer(BaseModel):
    """Somebody who is enrolled."""

    id: str
    enrolled: str
    records: list[RecordAnswer]


class CandidateAnswer(BaseModel):
    """Somebody who may be the person that is looked for."""

    id: str
    score: float
    match: bool | None


class RuleAnswer(BaseModel):
    """How a search decided."""

    recognizer: str
    size: int
    fpir: float
    needed: float
    fmr: float | None
    threshold: float | None
    strictest: float | None


class IdentifyAnswer(BaseModel):
    """The most similar people, the best first."""

    candidates: list[CandidateAnswer]
    rule: RuleAnswer
    explanation: str


class RecognizerAnswer(BaseModel):
    """A recogniser of this service."""

    name: str
    surrogate: bool = Field(description="Whether protected faces are made against it.")
    thresholds: dict[str, float] = Field(description="Cosine by false match rate.")


class RecognizersAnswer(BaseModel):
    """What this service works with."""

    recognizers: list[RecognizerAnswer]
    presets: list[str]
    gallery: str | None = Field(description="The recogniser of the gallery, when there is one.")


class StateAnswer(BaseModel):
    """Whether it works."""

    status: str
