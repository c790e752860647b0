"""Ten thousand damaged pictures: an answer or a sentence, never a crash, a hang or a path."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from benchmarks.soak import mutate, originals
from tests.conftest import REPOSITORY
from tests.fixtures.photos import photo_pixels
from tests.fixtures.serving import tiny_app
from tests.service.test_photos import sentence
from veilface.service.settings import Limits

COUNT = 10_000
TIMES_A_FACE = 20  # of so many pictures one has a face; those take as long as all others together

_KINDS = (
    "image/png",
    "text/html",
    "application/json",
    "multipart/form-data; boundary=x",
    "\u00e9",
    "",
)
_TARGETS: tuple[tuple[str, dict[str, str]], ...] = (
    ("protect", {}),
    ("protect", {"answer": "zip", "accept_doubt": "true"}),
    ("protect", {"aligned": "true", "again": "true"}),
    ("protect", {"cover": "blur", "answer": "photo", "format": "jpeg"}),
    ("verify", {"fmr": "0.01"}),
    ("identify", {"largest": "true"}),
)
_LEAK = re.compile(
    rf"/(home|usr|root|etc)\b|\.py\b|Traceback| at 0x|passwd"
    rf"|{re.escape(str(REPOSITORY))}|{re.escape(sys.prefix)}|{re.escape(tempfile.gettempdir())}"
)


def mutants(count: int, *, seed: int) -> Iterator[bytes]:
    """Files of every format, damaged in all the ways that `mutate` knows."""
    small = Image.fromarray(photo_pixels(0)[:24, :32])
    faces, plain = list(originals().values()), list(originals(small).values())
    random = np.random.default_rng(seed)
    for number in range(count):
        files = plain if number % TIMES_A_FACE else faces
        data = files[int(random.integers(len(files)))]
        yield mutate(data, plain if random.random() < 0.5 else faces, random)


def test_mutated_images(tmp_path: Path) -> None:
    app = tiny_app(steps=1, database=tmp_path / "gallery.db", limits=Limits(max_wait=0.0))
    counts: Counter[int] = Counter()

    async def send() -> None:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            for number, data in enumerate(mutants(COUNT, seed=7)):
                call, fields = _TARGETS[number % len(_TARGETS)]
                file = ("../../etc/passwd", data, _KINDS[number % len(_KINDS)])
                files = dict.fromkeys("ab" if call == "verify" else ["photo"], file)
                asked = client.post(f"/v1/{call}", files=files, data=fields)
                response = await asyncio.wait_for(asked, 60)
                counts[response.status_code] += 1
                if response.status_code != 200:
                    said = sentence(response, 422)
                    assert not _LEAK.search(said), (number, said)
            assert (await client.get("/readyz")).json() == {"status": "ready"}
            assert app.state.veilface.places == app.state.veilface.reserved == 0

    asyncio.run(send())
    print(f"statuses {dict(counts)}")
    assert counts.total() == COUNT
    assert counts[422] > COUNT / 2
    assert counts[200] > COUNT / TIMES_A_FACE / 20, "some damage is none"
