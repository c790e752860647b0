"""Errors as RFC 9457 problem documents, with the sentences that the command line prints."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from veilface.errors import (
    DeviceError,
    DoubtError,
    ImageError,
    MissingExtraError,
    NoFaceError,
    UncalibratedError,
    UnknownNameError,
    VeilfaceError,
)
from veilface.text import printable

MEDIA_TYPE = "application/problem+json"
GONE = 499  # what logs call a client that did not wait

# Their sentences are about the request. Others could name files of this machine.
_ABOUT_THE_REQUEST = (
    ImageError,
    NoFaceError,
    UnknownNameError,
    UncalibratedError,
    MissingExtraError,
)
_TITLES = {
    400: "The request cannot be read",
    401: "A token is needed",
    403: "The token is for something else",
    404: "There is no such thing",
    405: "The method is not allowed",
    413: "The request is too large",
    415: "The request has another media type",
    421: "The service is called by another name",
    422: "The request cannot be done",
    429: "Too many requests",
    500: "The service failed",
    503: "The service cannot do that now",
    504: "The time is up",
}


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The kind of problem; the same for a status.")
    status: int
    detail: str = Field(description="One sentence: what was wrong, and what is allowed.")
    instance: str = Field(description="The id of the request, as in the logs.")


def problem(request: Request, status: int, detail: str, **headers: str) -> Response:
    """A problem document as a response."""
    document = Problem(
        title=_TITLES.get(status, "The request failed"),
        status=status,
        detail=printable(detail),
        instance=f"urn:uuid:{request.scope['veilface'].id}",
    )
    return JSONResponse(document.model_dump(), status, headers, media_type=MEDIA_TYPE)


def refuse(status: int, detail: str, **headers: str) -> HTTPException:
    """What to raise for a problem; names of headers with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPException(status, detail, headers=named)


def install(app: FastAPI) -> None:
    """Let an application answer with problem documents only."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(VeilfaceError, _veilface)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route for the OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": _TITLES[status], "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return problem(request, error.status_code, str(error.detail), **dict(error.headers or {}))


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return problem(request, 422, sentence_of(error.errors()))


def sentence_of(errors: Any) -> str:  # noqa: ANN401 - pydantic's list of dictionaries
    """The first of pydantic's errors as a sentence."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or "the request"
    return f"{where}: {first['msg']}"


def _veilface(request: Request, error: Exception) -> Response:
    if isinstance(error, _ABOUT_THE_REQUEST):
        more = "; look at it, and accept_doubt=true takes it all the same"
        doubt = more if isinstance(error, DoubtError) and "--" not in str(error) else ""
        return problem(request, 422, f"{error}{doubt}")
    request.scope["veilface"].error = error
    if isinstance(error, DeviceError):
        return problem(request, 503, "the memory of this service does not suffice now")
    return problem(request, 500, "the service could not do that; its log says why")


def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=GONE)


def _unexpected(request: Request, error: Exception) -> Response:
    request.scope["veilface"].error = error
    return problem(request, 500, "the service failed unexpectedly; its log says why")
