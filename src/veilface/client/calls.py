"""The requests, whoever sends them, and what their answers mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from veilface.client.answers import Identification, Person, Photo, Verification
from veilface.client.errors import RemoteError

Picture = bytes | str | os.PathLike[str]
"""The bytes of a file, or its path."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One request.

    Attributes:
        method: Of HTTP.
        path: On the service.
        parse: From the JSON of the answer, None when there is no body.
        files: Multipart files.
        fields: Multipart fields.
    """

    method: str
    path: str
    parse: Callable[[Any], Answer]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)


def protect(photo: Picture, **options: str | bool) -> Call[Photo]:
    """``POST /v1/protect``."""
    return Call("POST", "/v1/protect", Photo.of, {"photo": _read(photo)}, _fields(options))


def verify(a: Picture, b: Picture, **options: str | bool | float) -> Call[Verification]:
    """``POST /v1/verify``."""
    files = {"a": _read(a), "b": _read(b)}
    return Call("POST", "/v1/verify", Verification.of, files, _fields(options))


def enrol(person: str, photo: Picture, **options: bool) -> Call[Person]:
    """``PUT /v1/people/{id}``."""
    return Call("PUT", _path(person), Person.of, {"photo": _read(photo)}, _fields(options))


def person(id: str) -> Call[Person]:
    """``GET /v1/people/{id}``."""
    return Call("GET", _path(id), Person.of)


def delete(id: str) -> Call[None]:
    """``DELETE /v1/people/{id}``."""
    return Call("DELETE", _path(id), lambda _: None)


def identify(photo: Picture, **options: bool | float) -> Call[Identification]:
    """``POST /v1/identify``."""
    files = {"photo": _read(photo)}
    return Call("POST", "/v1/identify", Identification.of, files, _fields(options))


def refusal(status: int, headers: Mapping[str, str], document: Any) -> RemoteError:  # noqa: ANN401
    """The error for an answer that is none; ``document`` is its JSON, None when it has none."""
    told = document.get("detail") if isinstance(document, dict) else None
    wait = headers.get("retry-after", "")
    return RemoteError(
        str(told or f"the service answers with status {status}"),
        status=status,
        request_id=headers.get("x-request-id"),
        retry_after=float(wait) if wait.isdigit() else None,
    )


def _read(picture: Picture) -> bytes:
    return picture if isinstance(picture, bytes) else Path(picture).read_bytes()


def _path(person: str) -> str:
    return f"/v1/people/{quote(person, safe='')}"


def _fields(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as fields: those left at None stay with the service's default."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
        if value is not None
    }
