"""The two clients: the same calls, with and without asyncio."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TypeVar

from veilface.client import calls
from veilface.client.answers import Identification, Person, Photo, Verification
from veilface.client.calls import Call, Picture
from veilface.client.errors import RemoteError
from veilface.errors import MissingExtraError

try:
    import httpx
except ImportError as error:
    raise MissingExtraError(
        f"httpx is needed for the client and does not load ({error}); "
        'run: pip install "veilface[client]"'
    ) from error

Answer = TypeVar("Answer")

_TIMEOUT = 300.0  # seconds; the service's own deadline comes first


class Client:
    """A service of veilface.

    Every method raises `RemoteError` with the sentence of a service that refuses, and with a status
    of 0 when it cannot be reached. Options are those of ``veilface protect`` and ``verify``, with
    underscores: ``preset="paper"``, ``largest=True``.

    Args:
        url: Where it is, as ``http://127.0.0.1:8000``.
        token: From ``veilface serve token new``; None for a service that needs none.
        timeout: Seconds to wait for an answer.
        transport: Instead of the network.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = _TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url, headers=_headers(token), timeout=timeout, transport=transport
        )

    def protect(self, photo: Picture, **options: str | bool) -> Photo:
        """Rewrite the faces of a photo; ``paste=True`` makes the whole photo, too."""
        return self._send(calls.protect(photo, **options))

    def verify(self, a: Picture, b: Picture, **options: str | bool | float) -> Verification:
        """Compare two pictures."""
        return self._send(calls.verify(a, b, **options))

    def enrol(self, id: str, photo: Picture, **options: bool) -> Person:
        """Enrol a person; ``add=True`` keeps the embeddings that are there."""
        return self._send(calls.enrol(id, photo, **options))

    def person(self, id: str) -> Person:
        """Who is enrolled under an id."""
        return self._send(calls.person(id))

    def delete(self, id: str) -> None:
        """Remove a person."""
        self._send(calls.delete(id))

    def identify(self, photo: Picture, **options: bool | float) -> Identification:
        """The most similar people; ``limit`` and ``fpir`` as on the command line."""
        return self._send(calls.identify(photo, **options))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        """Itself, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _send(self, call: Call[Answer]) -> Answer:
        try:
            response = self._http.request(call.method, call.path, **_body(call))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return _answer(call, response)


class AsyncClient:
    """`Client` for asyncio: the same methods, to be awaited."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = _TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers=_headers(token), timeout=timeout, transport=transport
        )

    async def protect(self, photo: Picture, **options: str | bool) -> Photo:
        """As `Client.protect`."""
        return await self._send(calls.protect(photo, **options))

    async def verify(self, a: Picture, b: Picture, **options: str | bool | float) -> Verification:
        """As `Client.verify`."""
        return await self._send(calls.verify(a, b, **options))

    async def enrol(self, id: str, photo: Picture, **options: bool) -> Person:
        """As `Client.enrol`."""
        return await self._send(calls.enrol(id, photo, **options))

    async def person(self, id: str) -> Person:
        """As `Client.person`."""
        return await self._send(calls.person(id))

    async def delete(self, id: str) -> None:
        """As `Client.delete`."""
        await self._send(calls.delete(id))

    async def identify(self, photo: Picture, **options: bool | float) -> Identification:
        """As `Client.identify`."""
        return await self._send(calls.identify(photo, **options))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        """Itself, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    async def _send(self, call: Call[Answer]) -> Answer:
        try:
            response = await self._http.request(call.method, call.path, **_body(call))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return _answer(call, response)


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _body(call: Call[Any]) -> dict[str, Any]:
    if not call.files:
        return {}
    files = {name: (name, data, "application/octet-stream") for name, data in call.files.items()}
    return {"files": files, "data": dict(call.fields)}


def _answer(call: Call[Answer], response: httpx.Response) -> Answer:
    try:
        document = response.json() if response.content else None
    except ValueError:
        document = None
    if not response.is_success:
        raise calls.refusal(response.status_code, response.headers, document)
    return call.parse(document)


def _unreachable(error: httpx.HTTPError) -> RemoteError:
    return RemoteError(f"the service cannot be reached ({error})", status=0)
