"""`/v1/protect` and `/v1/verify`."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from veilface.errors import UnknownNameError
from veilface.imaging.decode import decode_photo
from veilface.pipeline.ensemble import coverage_note
from veilface.pipeline.verify import RULES, compare, decide
from veilface.service.access import admitted, needs, state_of
from veilface.service.answers import Comparison, FaceAnswer, ProtectAnswer, VerifyAnswer
from veilface.service.forms import Fields, Form, body, reads
from veilface.service.networks import Method, Networks
from veilface.service.problems import refuse, responses
from veilface.service.settings import Limits
from veilface.service.worker import Made, Order

PROBLEMS = responses(400, 401, 403, 413, 415, 421, 422, 429, 503, 504)

router = APIRouter(prefix="/v1")


class ProtectFields(Fields):
    """The options of ``veilface protect``; a seed is refused, since it makes faces weaker."""

    preset: str = Field("persona", description="What people will see: persona or paper.")
    recognizer: str = Field("", description="Names with commas; all of the service when empty.")
    aligned: bool = Field(default=False, description="The photo is an aligned 112x112 crop.")
    largest: bool = Field(default=False, description="Only the largest face.")
    paste: bool = Field(default=False, description="The whole photo, too.")
    cover: str = Field("", description="box, blur or pixelate: cover the faces instead.")
    format: Literal["png", "jpeg"] = "png"
    accept_doubt: bool = Field(default=False, description="Take doubtful photos as they seem.")
    again: bool = Field(default=False, description="Protect an output of veilface once more.")
    answer: Literal["json", "zip", "photo"] = Field(
        "json", description="json, a zip of files, or the whole photo with its faces replaced."
    )


class VerifyFields(Fields):
    """The options of ``veilface verify``."""

    recognizer: str = Field("all", description="Names with commas, or all.")
    rule: str = Field("majority", description="Who has to match: majority, any or all.")
    aligned: bool = Field(default=False, description="Both are aligned 112x112 crops.")
    fmr: float = Field(1e-3, gt=0, lt=1, description="False match rate of the threshold.")


@router.post(
    "/protect",
    response_model=ProtectAnswer,
    dependencies=[Depends(needs("protect")), Depends(admitted)],
    openapi_extra=body(ProtectFields, "photo"),
    responses={
        **PROBLEMS,
        200: {
            "description": "The protected photo, as asked for.",
            "content": {"application/zip": {}, "image/png": {}, "image/jpeg": {}},
        },
    },
)
async def protect(
    request: Request, form: Annotated[Form[ProtectFields], Depends(reads(ProtectFields, "photo"))]
) -> Response | ProtectAnswer:
    """Rewrite the faces of a photo: people no longer see who it is, recognisers still match."""
    state, fields = state_of(request), form.fields
    whole = fields.paste or fields.answer == "photo" or fields.cover != ""
    if fields.aligned and whole:
        raise refuse(422, "a whole photo is asked for and aligned says crop: use one")
    method = Method(
        preset=fields.preset,
        recognizers=tuple(_names(fields.recognizer)),
        cover=fields.cover or None,
        accept_doubt=fields.accept_doubt,
    )
    state.networks.check(method)
    order = Order(
        data=form.files["photo"],
        method=method,
        aligned=fields.aligned,
        largest=fields.largest,
        paste=whole,
        again=fields.again,
        format=fields.format,
        max_pixels=state.limits.max_pixels,
    )
    made = await state.result(request, state.worker.protect(order))
    media_type = f"image/{fields.format}"
    if fields.answer == "photo":
        return Response(made.pasted, media_type=media_type)
    suffix = {"png": "png", "jpeg": "jpg"}[fields.format]
    if fields.answer == "zip":
        archive = await run_in_threadpool(_zip, made, suffix)
        return Response(archive, media_type="application/zip")
    used = [] if method.cover else list(method.recognizers or state.networks.surrogates)
    return ProtectAnswer(
        preset=fields.preset if method.cover is None else f"cover-{method.cover}",
        recognizers=used,
        media_type=media_type,
        faces=_faces(made),
        pasted=None if made.pasted is None else base64.b64encode(made.pasted).decode(),
        too_small=made.too_small,
        note=None if method.cover else coverage_note(used),
    )


@router.post(
    "/verify",
    dependencies=[Depends(needs("verify")), Depends(admitted)],
    openapi_extra=body(VerifyFields, "a", "b"),
    responses=PROBLEMS,
)
async def verify(
    request: Request, form: Annotated[Form[VerifyFields], Depends(reads(VerifyFields, "a", "b"))]
) -> VerifyAnswer:
    """Compare the faces of two pictures; of several faces the best pair counts."""
    state = state_of(request)
    if form.fields.rule not in RULES:
        raise UnknownNameError("rule", form.fields.rule, RULES)
    names = _names(form.fields.recognizer)
    state.networks.compared_with(names)
    return await state.result(
        request, state.worker.call(lambda nets: _compare(nets, form, names, state.limits))
    )


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _faces(made: Made) -> list[FaceAnswer]:
    return [
        FaceAnswer(
            image=base64.b64encode(data).decode(),
            similarity={name: round(value, 4) for name, value in face.similarity.items()},
            box=None if face.detection is None else face.detection.box,
            landmarks=None
            if face.detection is None
            else [(point[0], point[1]) for point in face.detection.points],
        )
        for data, face in zip(made.faces, made.photo.faces, strict=True)
    ]


def _zip(made: Made, suffix: str) -> bytes:
    """The files under names that say nothing; they are compressed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, data in enumerate(made.faces, start=1):
            archive.writestr(f"face-{number}.veil.{suffix}", data)
        if made.pasted is not None:
            archive.writestr(f"photo.veil.{suffix}", made.pasted)
    return buffer.getvalue()


def _compare(
    networks: Networks, form: Form[VerifyFields], names: Sequence[str], limits: Limits
) -> VerifyAnswer:
    fields = form.fields
    finder = networks.finder(aligned=fields.aligned)
    photos = [
        decode_photo(
            form.files[key],
            name=f"picture {key.upper()}",
            accept_damage=True,
            max_pixels=limits.max_pixels,
        )
        for key in ("a", "b")
    ]
    first, second = (
        finder.find(photo, name=f"picture {key}").crops.to(networks.device)
        for photo, key in zip(photos, "AB", strict=True)
    )
    marked = [photo.mark.recognizers for photo in photos if photo.mark and photo.mark.recognizers]
    made_with = frozenset(name for names in marked for name in names) if marked else None
    results = [
        compare(recognizer, first, second, fmr=fields.fmr)
        for recognizer in networks.compared_with(names)
    ]
    return VerifyAnswer(
        rule=fields.rule,
        match=decide(results, fields.rule),
        results=[
            Comparison(
                **one.to_dict(),
                decision=one.decision,
                took_part=None if made_with is None else one.recognizer in made_with,
            )
            for one in results
        ],
    )
