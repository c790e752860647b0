"""The parts of a running service."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from veilface.gallery import Gallery
from veilface.recognizers.recognizer import Recognizer
from veilface.service.audit import Audit
from veilface.service.metrics import Metrics
from veilface.service.networks import Networks
from veilface.service.problems import refuse
from veilface.service.settings import Limits
from veilface.service.tokens import Tokens
from veilface.service.worker import BatchWorker

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A gallery with the recogniser that it belongs to."""

    gallery: Gallery
    recognizer: Recognizer


@dataclass(slots=True)
class State:
    """What the routes share.

    Attributes:
        networks: To look up names; the worker's thread computes with them.
        tokens: Those that open it; None for a service on loopback that needs none.
        people: The gallery, when there is one.
        places: Requests that are under way.
        reserved: Bytes of their bodies.
    """

    networks: Networks
    worker: BatchWorker
    limits: Limits
    metrics: Metrics
    tokens: Tokens | None
    people: Enrolled | None
    audit: Audit = field(default_factory=Audit)
    places: int = 0
    reserved: int = 0
    _pace: float = 1.0

    def retry_after(self) -> int:
        """Seconds after which there is likely to be a place."""
        return max(1, min(60, round(self._pace)))

    async def result(self, request: Request, future: Future[Answer]) -> Answer:
        """The answer of the worker, within the deadline and as long as the client is there."""
        began = time.monotonic()
        left = self.limits.deadline - (began - request.scope["veilface"].arrived)
        waiting = asyncio.wrap_future(future)
        leaving = asyncio.ensure_future(_disconnected(request))
        try:
            both: set[asyncio.Future[Any]] = {waiting, leaving}
            await asyncio.wait(both, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if waiting.cancelled():
                raise refuse(503, "the service is shutting down")
            if waiting.done():
                self._pace += 0.1 * (time.monotonic() - began - self._pace)
                return waiting.result()
            if leaving.done():
                raise ClientDisconnect
            raise late(self.limits)
        finally:
            leaving.cancel()
            waiting.cancel()


def late(limits: Limits) -> Exception:
    """The problem of a request that has taken too long."""
    return refuse(504, f"there was no answer within the {limits.deadline:g} s of a request")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
