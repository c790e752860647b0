"""What comes over the wire to a real process: bodies cut off, never ended, or no HTTP at all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.memory import resident
from tests.fixtures.serving import photo_file
from tests.fixtures.serving_process import Serving, serving, veilface
from veilface.service.server import GRACE

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="a process is looked into as Linux tells it"
)

_DEADLINE = 6  # seconds, in which the process below has to answer on a busy machine, too
_HEAD = (
    b"POST /v1/protect HTTP/1.1\r\nhost: localhost\r\n"
    b"content-type: multipart/form-data; boundary=x\r\n"
)
_PART = b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n\x89PNG'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    options = ("--recognizer", "sface", "--deadline", str(_DEADLINE), "--max-body", "1")
    with serving(tmp_path_factory.mktemp("serve"), *options) as started:
        assert works(started)
        yield started
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(GRACE + 30) == 0
        assert "Traceback" not in started.log.read_text()


def works(server: Serving) -> bool:
    """Whether a photo still gets its answer; covering a face is the least work."""
    answer = httpx.post(
        f"{server.url}/v1/protect",
        files={"photo": photo_file()},
        data={"cover": "box"},
        timeout=60,
    )
    return answer.status_code == 200


def opened(server: Serving, *parts: bytes) -> socket.socket:
    """A connection on which this has been sent."""
    place = urlsplit(server.url)
    connection = socket.create_connection((place.hostname or "", place.port or 0), timeout=60)
    for part in parts:
        connection.sendall(part)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    connection.close()
    return b"".join(parts)


def open_files(server: Serving) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))  # noqa: PTH208 - names suffice


def assert_nothing_is_left(server: Serving, files: int) -> None:
    """No request is under way and no connection open any more, and photos are taken."""
    end = time.monotonic() + 60
    while open_files(server) > files and time.monotonic() < end:
        time.sleep(0.1)
    assert open_files(server) <= files
    figures = server.figures()
    assert figures["veilface_requests_admitted"] == 0
    assert figures["veilface_request_bytes"] == 0
    assert works(server)


def test_bodies_that_are_cut_off(server: Serving) -> None:
    files, before = open_files(server), resident(server.process.pid)
    sent = _PART + bytes(500_000)
    claims = (
        b"content-length: 900000\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n%x\r\n" % 900_000,
    )
    for number in range(200):
        connection = opened(server, _HEAD + claims[number % 2], sent)
        if number % 4 < 2:  # a reset instead of an orderly end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert_nothing_is_left(server, files)
    assert resident(server.process.pid) - before < 30, "MiB, of 100 that were sent"


def test_bodies_that_never_end(server: Serving) -> None:
    files = open_files(server)
    claims = b"content-length: 900000\r\n\r\n"
    chunks = b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(_PART), _PART)
    bodies = [opened(server, _HEAD + claims, _PART), opened(server, _HEAD + chunks)]
    silent = [opened(server), opened(server, _HEAD)]
    drips = {opened(server, _HEAD + claims): b"x", opened(server, _HEAD): b"a: b\r\n"}
    began = time.monotonic()
    assert works(server), "meanwhile others are served"
    for connection in bodies:
        said = answer(connection)
        assert said.startswith(b"HTTP/1.1 504 ")
        assert b"no answer within the %d s" % _DEADLINE in said
    for connection in silent:
        assert answer(connection) == b""
    while drips and time.monotonic() < began + 120:
        for connection, drop in list(drips.items()):
            try:
                connection.sendall(drop)
            except OSError:  # closed on the other side
                connection.close()
                del drips[connection]
        time.sleep(0.2)
    assert not drips
    assert_nothing_is_left(server, files)


@pytest.mark.parametrize(
    "sent",
    [
        bytes(range(256)) * 40,
        b"GET / HTTP/9.9\r\n\r\n",
        _HEAD + b"content-length: 12, 13\r\n\r\n",
        _HEAD + b"content-length: -1\r\n\r\n",
        _HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        _HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\n",
        _HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        _HEAD + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_no_http_or_hardly_any(server: Serving, sent: bytes) -> None:
    files = open_files(server)
    connection = opened(server)
    with contextlib.suppress(OSError):  # it need not read all of it, and may have hung up
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
    said = answer(connection)
    assert said == b"" or said.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))
    assert b".py" not in said
    assert b"Traceback" not in said
    assert_nothing_is_left(server, files)


def test_a_port_that_is_taken(server: Serving, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1]
    second = subprocess.run(
        veilface("serve", "--port", port, "--recognizer", "sface"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert second.returncode == 1
    assert "address already in use" in second.stderr
    assert f"error: cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr
