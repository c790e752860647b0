"""The service from Python: `Client`, and `AsyncClient` for asyncio."""

from __future__ import annotations

from veilface.client.answers import (
    Candidate,
    Comparison,
    Face,
    Identification,
    Person,
    Photo,
    Verification,
)
from veilface.client.clients import AsyncClient, Client
from veilface.client.errors import RemoteError

__all__ = [
    "AsyncClient",
    "Candidate",
    "Client",
    "Comparison",
    "Face",
    "Identification",
    "Person",
    "Photo",
    "RemoteError",
    "Verification",
]
