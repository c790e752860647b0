"""Around every request: an id, a limit on its body, one line in the log, safe headers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veilface.service.metrics import Metrics
from veilface.service.problems import GONE, problem, refuse
from veilface.service.settings import Limits

LOG = logging.getLogger("veilface.service")

_HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(slots=True)
class Trace:
    """What is known about a request.

    Attributes:
        id: Random; in the answer's header ``X-Request-Id`` and in every line of the log.
        arrived: On the monotonic clock.
        token: Name of the token, once it is known.
        error: What went wrong inside.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    arrived: float = field(default_factory=time.monotonic)
    token: str | None = None
    error: Exception | None = None


class Guard:
    """ASGI middleware.

    Args:
        app: The application.
        limits: The largest body.
        metrics: Counts the requests.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = scope["veilface"] = Trace()
        status = GONE

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", trace.id.encode()), *_HEADERS]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._within(scope, receive, answer)
        except Exception as error:
            # Starlette hands on what it has answered with 500 already, for servers to log.
            trace.error = trace.error or error
        except asyncio.CancelledError:
            # The server ends. Servers would log a traceback and answer with a bare 500.
            if status == GONE:
                ending = problem(Request(scope), 503, "the service is shutting down")
                await ending(scope, receive, answer)
        finally:
            self._note(scope, trace, status)

    async def _within(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._limits.max_body
        claim = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = f"the body has more than the {most:,} bytes that are read"
        if not claim.isdigit() or int(claim) > most:
            await problem(Request(scope), 413, too_large)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise refuse(413, too_large)
            return message

        await self._app(scope, counted, send)

    def _note(self, scope: Scope, trace: Trace, status: int) -> None:
        """Count and log; the route instead of the path, which may name a person."""
        route = getattr(scope.get("route"), "path", "other")
        seconds = time.monotonic() - trace.arrived
        method = scope["method"] if route != "other" else "ANY"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        line = {
            "request": trace.id,
            "method": method,
            "route": route,
            "status": status,
            "seconds": round(seconds, 3),
            "token": trace.token,
        }
        if trace.error is None:
            LOG.info(json.dumps(line))
        else:
            # The kind and the place, not the words: those of libraries may quote their input.
            at = trace.error.__traceback__
            while at is not None and at.tb_next is not None:
                at = at.tb_next
            place = "" if at is None else f"{at.tb_frame.f_code.co_name}:{at.tb_lineno}"
            LOG.error(json.dumps({**line, "error": type(trace.error).__name__, "at": place}))
