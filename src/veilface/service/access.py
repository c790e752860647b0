"""Who may do what, and how much at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from veilface.service.problems import refuse
from veilface.service.state import State

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def state_of(request: Request) -> State:
    """The parts of the application that a request came to."""
    state: State = request.app.state.veilface
    return state


def needs(scope: str | None) -> Callable[[Request], object]:
    """A dependency that lets only tokens of a scope pass; any token for None."""

    async def check(request: Request) -> None:
        tokens = state_of(request).tokens
        if tokens is None:
            _check_local(request)
            return
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        found = None
        if kind.lower() == "bearer" and secret:
            found = await run_in_threadpool(tokens.find, secret.strip())
        if found is None:
            raise refuse(
                401,
                "this needs a valid token: Authorization: Bearer veil_...",
                WWW_Authenticate="Bearer",
            )
        request.scope["veilface"].token = found.name
        if scope is not None and scope not in found.scopes:
            raise refuse(
                403, f"this needs the scope {scope}; the token has {', '.join(found.scopes)}"
            )

    return check


def _check_local(request: Request) -> None:
    """Without tokens, keep out pages of other sites that run in a browser of this machine."""
    host = urlsplit(f"//{request.headers.get('host', '')}")
    try:
        name = host.hostname
    except ValueError:
        name = None
    if name not in LOOPBACK:
        raise refuse(421, "without tokens this service answers to localhost only")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host.netloc:
        raise refuse(403, "without tokens this service answers to its own page only")


async def admitted(request: Request) -> AsyncIterator[None]:
    """A dependency that holds a place for a request and its body until it is answered."""
    state = state_of(request)
    limits, metrics = state.limits, state.metrics
    claim = request.headers.get("content-length")
    size = limits.max_body if claim is None else int(claim)
    if state.places >= limits.max_queue or state.reserved + size > limits.max_bytes:
        raise refuse(
            429,
            f"{state.places} requests are under way, and no more fit in; try again later",
            Retry_After=str(state.retry_after()),
        )
    state.places += 1
    state.reserved += size
    metrics.admitted.set(state.places)
    metrics.bytes.set(state.reserved)
    try:
        yield
    finally:
        state.places -= 1
        state.reserved -= size
        metrics.admitted.set(state.places)
        metrics.bytes.set(state.reserved)
