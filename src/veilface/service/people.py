"""`/v1/people/{id}` and `/v1/identify`: the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from veilface.errors import GalleryError
from veilface.gallery.base import NEAREST
from veilface.gallery.checks import LONGEST_ID, check_id
from veilface.imaging.decode import decode_photo
from veilface.pipeline.embedding import Embedded, embed_face
from veilface.service.access import admitted, needs, state_of
from veilface.service.answers import IdentifyAnswer, PersonAnswer
from veilface.service.forms import Fields, Form, body, reads
from veilface.service.networks import Networks
from veilface.service.photos import PROBLEMS
from veilface.service.problems import refuse, responses
from veilface.service.state import Enrolled, State
from veilface.service.worker import NAME

router = APIRouter(prefix="/v1", responses=responses(404))

Id = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, description="Your name for the person.")
]


class FaceFields(Fields):
    """How the face is found."""

    aligned: bool = Field(default=False, description="The photo is an aligned 112x112 crop.")
    largest: bool = Field(default=False, description="Take the largest of several faces.")


class EnrolFields(FaceFields):
    """The options of an enrolment."""

    add: bool = Field(
        default=False, description="Keep what the person has, instead of replacing it."
    )


class IdentifyFields(FaceFields):
    """The options of a search."""

    limit: int = Field(5, ge=1, le=NEAREST, description="Most people that are named.")
    fpir: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Share of searches for strangers that may call somebody a match.",
    )


Answer = TypeVar("Answer")
FormFields = TypeVar("FormFields", bound=FaceFields)


@router.put(
    "/people/{id}",
    dependencies=[Depends(needs("enrol")), Depends(admitted)],
    openapi_extra=body(EnrolFields, "photo"),
    responses=PROBLEMS,
)
async def enrol(
    request: Request,
    id: Id,
    form: Annotated[Form[EnrolFields], Depends(reads(EnrolFields, "photo"))],
) -> PersonAnswer:
    """Enrol a person from a photo or a protected image: the embedding is stored, the photo not."""
    state, people = _people(request)
    person = _checked(id)
    face = await _face(request, form)

    def store() -> PersonAnswer:
        stored = people.gallery.enrol(
            person, face.vector, source=face.source, replace=not form.fields.add
        )
        return PersonAnswer.model_validate(stored.to_dict())

    answer = await _asked(store)
    state.audit.note(request, "enrol", person=person)
    return answer


@router.get(
    "/people/{id}",
    dependencies=[Depends(needs("enrol"))],
    responses=responses(401, 403, 421, 422, 503),
)
async def get(request: Request, id: Id) -> PersonAnswer:
    """Who is enrolled under an id, and since when; no embedding is handed out."""
    _, people = _people(request)
    person = _checked(id)

    def find() -> PersonAnswer | None:
        found = people.gallery.get(person)
        return None if found is None else PersonAnswer.model_validate(found.to_dict())

    answer = await _asked(find)
    if answer is None:
        raise refuse(404, "nobody has that id")
    return answer


@router.delete(
    "/people/{id}",
    status_code=204,
    dependencies=[Depends(needs("enrol"))],
    responses=responses(401, 403, 421, 422, 503),
)
async def delete(request: Request, id: Id) -> None:
    """Remove a person with all embeddings."""
    state, people = _people(request)
    person = _checked(id)
    removed = await _asked(lambda: people.gallery.delete(person))
    state.audit.note(request, "delete" if removed else "delete nobody", person=person)
    if not removed:
        raise refuse(404, "nobody has that id")


@router.post(
    "/identify",
    dependencies=[Depends(needs("identify")), Depends(admitted)],
    openapi_extra=body(IdentifyFields, "photo"),
    responses=PROBLEMS,
)
async def identify(
    request: Request,
    form: Annotated[Form[IdentifyFields], Depends(reads(IdentifyFields, "photo"))],
) -> IdentifyAnswer:
    """The most similar people, with decisions that hold for a gallery of this size."""
    state, people = _people(request)
    face = await _face(request, form)

    def search() -> IdentifyAnswer:
        fields = form.fields
        found = people.gallery.identify(face.vector, limit=fields.limit, fpir=fields.fpir)
        return IdentifyAnswer.model_validate({**found.to_dict(), "explanation": str(found.rule)})

    answer = await _asked(search)
    state.audit.note(request, "identify")
    return answer


def _people(request: Request) -> tuple[State, Enrolled]:
    state = state_of(request)
    if state.people is None:
        raise refuse(404, "this service has no gallery; it is started with --database")
    return state, state.people


def _checked(id: str) -> str:
    try:
        return check_id(id)
    except GalleryError as error:
        raise refuse(422, str(error)) from None


async def _asked(function: Callable[[], Answer]) -> Answer:
    """The gallery's answer, which may be waiting for a disk or a network."""
    try:
        return await run_in_threadpool(function)
    except GalleryError as error:
        # The sentence may name the database.
        raise refuse(503, "the gallery cannot be used now") from error


async def _face(request: Request, form: Form[FormFields]) -> Embedded:
    state, people = _people(request)
    fields = form.fields
    photo = form.files["photo"]
    pixels = state.limits.max_pixels

    def embed(networks: Networks) -> Embedded:
        return embed_face(
            decode_photo(photo, name=NAME, accept_damage=True, max_pixels=pixels),
            people.recognizer,
            finder=networks.finder(aligned=fields.aligned),
            largest=fields.largest,
            name=NAME,
        )

    return await state.result(request, state.worker.call(embed))
