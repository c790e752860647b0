"""The FastAPI application of a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse

from veilface._version import __version__
from veilface.service import people as people_routes
from veilface.service import photos as photo_routes
from veilface.service.access import needs, state_of
from veilface.service.answers import RecognizerAnswer, RecognizersAnswer, StateAnswer
from veilface.service.guard import Guard
from veilface.service.metrics import Metrics
from veilface.service.networks import Networks
from veilface.service.problems import Problem, install, refuse, responses
from veilface.service.settings import Limits
from veilface.service.state import Enrolled, State
from veilface.service.tokens import Tokens
from veilface.service.worker import BatchWorker

_PAGE = Path(__file__).parent / "static"
_PARTS = ("app.js", "style.css")

router = APIRouter()


def make_app(
    networks: Networks,
    *,
    tokens: Tokens | None = None,
    people: Enrolled | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """The application.

    Args:
        networks: Used by the application's own thread from now on.
        tokens: Those that open it; None for a service that nobody but this machine reaches.
        people: A gallery; closed with the application.
        limits: Bounds of requests.
    """
    limits = limits or Limits()
    metrics = Metrics()
    worker = BatchWorker(networks, max_wait=limits.max_wait, on_batch=metrics.batch.observe)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(worker.close)
        if people is not None:
            people.gallery.close()

    app = FastAPI(
        title="veilface",
        version=__version__,
        summary="People no longer see who it is, unmodified face recognisers still match.",
        lifespan=life,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.veilface = State(networks, worker, limits, metrics, tokens, people)
    install(app)
    for part in (router, photo_routes.router, people_routes.router):
        app.include_router(part)
    app.add_middleware(Guard, limits=limits, metrics=metrics)
    _describe(app)
    return app


@router.get(
    "/v1/recognizers",
    dependencies=[Depends(needs(None))],
    responses=responses(401, 403, 421),
)
async def recognizers(request: Request) -> RecognizersAnswer:
    """The recognisers, presets and the gallery of this service."""
    state = state_of(request)
    networks = state.networks
    return RecognizersAnswer(
        recognizers=[
            RecognizerAnswer(
                name=name,
                surrogate=name in networks.surrogates,
                thresholds={f"{fmr:g}": one.spec.threshold(fmr) for fmr in one.spec.fmrs},
            )
            for name, one in networks.recognizers.items()
        ],
        presets=list(networks.presets),
        gallery=None if state.people is None else state.people.recognizer.name,
    )


@router.get("/healthz")
async def health() -> StateAnswer:
    """Whether the process answers."""
    return StateAnswer(status="ok")


@router.get("/readyz", responses=responses(503))
async def ready(request: Request) -> StateAnswer:
    """Whether photos are taken now."""
    state = state_of(request)
    if not state.worker.alive:
        raise refuse(503, "the thread of the networks has ended; start the service again")
    if state.places >= state.limits.max_queue:
        raise refuse(503, "as many requests as fit in are under way")
    return StateAnswer(status="ready")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    dependencies=[Depends(needs(None))],
    responses=responses(401, 403, 421),
)
async def metrics_text(request: Request) -> PlainTextResponse:
    """Figures in the text format of Prometheus."""
    return PlainTextResponse(
        state_of(request).metrics.text(), media_type="text/plain; version=0.0.4"
    )


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The web page."""
    return FileResponse(_PAGE / "index.html")


@router.get("/page/{name}", include_in_schema=False)
async def part(name: str) -> FileResponse:
    """A part of the web page."""
    if name not in _PARTS:
        raise refuse(404, "Not Found")
    return FileResponse(_PAGE / name)


def _describe(app: FastAPI) -> None:
    """Complete the OpenAPI document: tokens, and the schema of problems."""
    document = app.openapi()
    components = document["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path not in ("/healthz", "/readyz"):
                operation["security"] = [{"token": []}]
            if "422" in operation["responses"]:
                operation["responses"]["422"] = responses(422)[422]
