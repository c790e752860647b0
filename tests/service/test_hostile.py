"""Images that were changed at random places: an answer or a sentence, never a crash or a hang."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.fixtures.serving import photo_file, tiny_app
from tests.service.conftest import LOCAL
from tests.service.test_photos import sentence

KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """A file with bytes changed, cut off, doubled or moved."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 8))):
        # Most of what decoders trip over is in the header.
        end = len(changed) if random.random() < 0.5 else min(200, len(changed))
        at = int(random.integers(0, max(end, 1)))
        length = int(random.integers(1, 9))
        kind = random.integers(4)
        if kind == 0:
            changed[at : at + length] = random.bytes(length)
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length]
        elif random.random() < 0.2:
            del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_images(kind: str) -> None:
    random = np.random.default_rng(7)
    data = photo_file(kind=kind)
    kinds = ("image/png", "text/html", "application/json", "")
    with TestClient(tiny_app(steps=1), base_url=LOCAL) as client:
        refused = 0
        for number in range(40):
            file = ("../../etc/passwd", mutated(data, random), kinds[number % 4])
            response = client.post("/v1/protect", files={"photo": file})
            if response.status_code != 200:
                assert "passwd" not in sentence(response, 422)
                refused += 1
        assert refused > 0
        assert client.get("/readyz").json() == {"status": "ready"}
