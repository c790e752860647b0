"""What a service allows, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

SCOPES = ("protect", "verify", "enrol", "identify")
"""What a token may be for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a service; whatever is above them is refused with a sentence.

    Attributes:
        max_body: Largest body of a request, in bytes.
        max_pixels: Largest width × height of a photo that is decoded.
        max_queue: Most requests that are being read, wait or are computed at once.
        max_bytes: Most bytes of their bodies together.
        deadline: Seconds from the arrival of a request to its answer.
        max_wait: Seconds that a batch waits for more photos.
    """

    max_body: int = 32 * 2**20
    max_pixels: int = 32 * 2**20
    max_queue: int = 64
    max_bytes: int = 256 * 2**20
    deadline: float = 120.0
    max_wait: float = 0.02
