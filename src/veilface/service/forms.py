"""Multipart forms: files that stay in memory, and fields that a model checks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from veilface.service.access import state_of
from veilface.service.problems import refuse, sentence_of
from veilface.service.settings import Limits
from veilface.service.state import late

_MOST_FIELDS = 32


class Fields(BaseModel):
    """The fields of a form beside its files; another one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Fields)


@dataclass(frozen=True, slots=True)
class Form(Generic[Model]):
    """A form that was read.

    Attributes:
        files: The content of each file.
        fields: The rest.
    """

    files: dict[str, bytes] = field(repr=False)
    fields: Model


def reads(model: type[Model], *files: str) -> Callable[[Request], Coroutine[Any, Any, Form[Model]]]:
    """A dependency that reads a form with these files, all of them required."""

    async def read(request: Request) -> Form[Model]:
        data = await _parse(request, state_of(request).limits)
        found, values = {}, {}
        for name, value in data.multi_items():
            if name in found or name in values:
                raise refuse(422, f"{name[:64]}: given twice")
            if isinstance(value, UploadFile) and name in files:
                found[name] = await value.read()
                await value.close()
            elif isinstance(value, UploadFile):
                raise refuse(422, f"{name[:64]}: a file that is not asked for")
            else:
                values[name] = value
        for name in files:
            if name not in found:
                raise refuse(422, f"{name}: a file of the form is missing")
        try:
            return Form(found, model.model_validate(values))
        except ValidationError as error:
            raise refuse(422, sentence_of(error.errors())) from None

    return read


def body(model: type[Fields], *files: str) -> dict[str, Any]:
    """The request body of a form for the OpenAPI document."""
    schema = model.model_json_schema()
    binary = {
        name: {"type": "string", "contentMediaType": "image/*", "format": "binary"}
        for name in files
    }
    schema["properties"] = {**binary, **schema.get("properties", {})}
    schema["required"] = [*files, *schema.get("required", [])]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


async def _parse(request: Request, limits: Limits) -> FormData:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise refuse(415, "the body must be multipart/form-data")
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=8, max_fields=_MOST_FIELDS
    )
    parser.spool_max_size = limits.max_body  # never on the disk
    left = limits.deadline - (time.monotonic() - request.scope["veilface"].arrived)
    try:
        return await asyncio.wait_for(parser.parse(), max(left, 0))
    except MultiPartException:
        raise refuse(400, "the multipart body is damaged or has too many parts") from None
    except asyncio.TimeoutError:
        raise late(limits) from None
