"""`veilface serve` from the first token to the signal that ends it, as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fixtures.serving import photo_file
from tests.fixtures.serving_process import serving, veilface
from veilface.client import Client, RemoteError
from veilface.imaging.provenance import read_mark
from veilface.service.server import GRACE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

_BUSY = 20.0  # seconds more than an idle machine would take


def test_serve_from_token_to_signal(tmp_path: Path) -> None:
    made = subprocess.run(
        veilface("serve", "token", "new", "test", "--scope", "protect,verify"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    secret, photo = made.stdout.strip(), photo_file()
    with serving(tmp_path, "--recognizer", "sface") as server:
        with Client(server.url) as stranger, pytest.raises(RemoteError, match="valid token"):
            stranger.protect(photo)
        with Client(server.url, token=secret) as client:
            face = client.protect(photo).faces[0]
            assert read_mark(face.image) is not None
            assert client.verify(photo, face.image, recognizer="sface").match is True
            other = client.verify(photo, photo_file(seed=3), recognizer="sface")
            assert other.results[0].score < face.similarity["sface"]
            with pytest.raises(RemoteError, match="the token has protect, verify"):
                client.identify(photo)

            crowd = photo_file(8)

            def ask(_: int) -> int:
                try:
                    client.protect(crowd)
                except RemoteError as error:
                    return error.status
                return 200

            with ThreadPoolExecutor() as pool:
                asked = pool.map(ask, range(6))  # together half a minute of computing
                admitted = "veilface_requests_admitted"
                while server.figures(authorization=f"Bearer {secret}")[admitted] < 6:
                    time.sleep(0.1)
                server.process.send_signal(signal.SIGTERM)
                began = time.monotonic()
                status = server.process.wait(GRACE + 5 + _BUSY)
                took = time.monotonic() - began
                answers = set(asked)
        log = server.log.read_text()
    assert status == 0, log
    assert took >= GRACE, "requests that are under way have their time"
    assert 503 in answers <= {200, 503}, "a sentence, not a connection that breaks"
    assert "Traceback" not in log
    assert secret not in log
