"""uvicorn for a service: it says where it listens, and nobody holds it up."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import uvicorn
from fastapi import FastAPI

from veilface.errors import ServiceError

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

GRACE = 3
"""Seconds that requests which are under way get when the server is told to end."""


class Server(uvicorn.Server):
    """A server of one application.

    Requests that are not answered `GRACE` seconds after the signal to end are cancelled.

    Args:
        app: The application.
        host: Where it listens.
        port: Where it listens; 0 for a free one.
        deadline: Seconds until a connection is closed that sends no whole request.
        on_start: Called with the server's address once it answers.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        host: str,
        port: int,
        deadline: float,
        on_start: Callable[[str], object],
    ) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http="h11",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,  # its lines would hold paths, which name people
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self._deadline = deadline
        self._on_start = on_start
        self._idle: dict[H11Protocol, tuple[RequestResponseCycle | None, float]] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say where.

        Raises:
            ServiceError: Somebody else listens there, or there is no such place.
        """
        try:
            await super().startup(sockets)
        except SystemExit:
            where = f"{self.config.host}:{self.config.port}"
            raise ServiceError(f"cannot listen on {where}; the line above says why") from None
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self._on_start(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    async def on_tick(self, counter: int) -> bool:
        """Look after connections ten times a second, as uvicorn does."""
        self._close_idle()
        return await super().on_tick(counter)

    def _close_idle(self) -> None:
        """Close connections on which no request has become whole for a while.

        uvicorn itself closes those alone that send nothing at all after an answer.
        """
        now, before = time.monotonic(), self._idle
        self._idle = {}
        for one in self.server_state.connections:
            connection = cast("H11Protocol", one)
            cycle = connection.cycle
            if cycle is not None and not cycle.response_complete:
                continue
            last, since = before.get(connection, (cycle, now))
            if last is not cycle:
                since = now
            if now - since > self._deadline:
                connection.transport.close()
            else:
                self._idle[connection] = cycle, since
