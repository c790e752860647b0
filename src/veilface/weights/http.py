"""Downloads one file over HTTPS, with what goes wrong on the way.

A download goes into a temporary file beside its goal and is renamed when it is complete. One that
breaks off goes on where it stopped when the server named its version of the file (a strong ETag)
and still has that version; otherwise it begins again.

Tested against a local server with faults; untested against the hosts of the real files.

Source:
    House rule; RFC 9110, sections 8.8.3 (ETag), 13.1.5 (If-Range) and 14 (ranges).
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from veilface._version import __version__
from veilface.errors import WeightsError

ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
SILENCE = 30.0  # seconds without a byte
_CHUNK = 1 << 18
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_IS_WRONG = 416


class _TransientError(Exception):
    """A fault after which another attempt may succeed."""


@dataclass(frozen=True, slots=True)
class Download:
    """What to download.

    Attributes:
        url: Its address; https, or http on this machine.
        goal: Where it goes.
        limit: The most bytes that are accepted.
        size: Bytes, when they are known.
    """

    url: str
    goal: Path
    limit: int
    size: int | None = None

    @property
    def part(self) -> Path:
        """The file that grows during the download."""
        return self.goal.with_name(self.goal.name + ".part")

    @property
    def state(self) -> Path:
        """Which version of the file `part` is a beginning of."""
        return self.goal.with_name(self.goal.name + ".part.json")

    def discard(self) -> None:
        """Forget the beginning."""
        self.part.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)


def download(
    what: Download, *, timeout: float, silence: float = SILENCE, pause: float = PAUSE
) -> Path:
    """Download a file, with several attempts.

    Nobody else may download to the same goal meanwhile; the caller holds a lock.

    Args:
        what: Address and goal.
        timeout: Seconds for everything together.
        silence: Seconds without a byte after which an attempt has failed.
        pause: Seconds before the second attempt, doubled before each further one.

    Returns:
        The complete temporary file beside the goal, whose content nobody has checked yet: the
        caller does, and renames it.

    Raises:
        WeightsError: It cannot be had; the message names the address and the last fault. The
            beginning stays when a later call can go on from it.
        OSError: The file cannot be written.
    """
    _check_address(what.url, origin=what.url)
    end = time.monotonic() + timeout
    fault = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(max(min(pause * 2 ** (attempt - 1), end - time.monotonic()), 0))
        if time.monotonic() >= end:
            fault = f"not complete within {timeout:g} s" + (f"; {fault}" if fault else "")
            break
        try:
            _attempt(what, end=end, silence=silence)
        except _TransientError as error:
            fault = str(error)
        else:
            what.state.unlink(missing_ok=True)
            return what.part
    msg = f"cannot download {what.url}: {fault}"
    raise WeightsError(msg)


def _attempt(what: Download, *, end: float, silence: float) -> None:
    have, version = _beginning(what)
    headers = {"User-Agent": f"veilface/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    request = urllib.request.Request(what.url, headers=headers)  # noqa: S310 - checked above
    opener = urllib.request.build_opener(_Redirects(what.url))
    try:
        response = opener.open(request, timeout=min(silence, max(end - time.monotonic(), 0.1)))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _RANGE_IS_WRONG:
            what.discard()
            raise _TransientError("the server no longer has the file that was begun") from None
        if error.code in _TRY_AGAIN:
            raise _TransientError(f"HTTP status {error.code}") from None
        reason = " ".join(str(error.reason).split())
        msg = f"cannot download {what.url}: HTTP status {error.code} {reason}"
        raise WeightsError(msg) from None
    except (OSError, http.client.HTTPException) as error:
        raise _TransientError(_reason(error)) from error
    with response:
        _receive(what, response, have=have, end=end)


def _receive(what: Download, response: http.client.HTTPResponse, *, have: int, end: float) -> None:
    headers = response.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        msg = f"cannot download {what.url}: the server packs it although asked not to"
        raise WeightsError(msg)
    start, total = _extent(response, have=have)
    if response.status == http.client.PARTIAL_CONTENT and start != have:
        what.discard()
        raise _TransientError("the server goes on at another place than asked")
    expected = what.size if total is None else total
    if expected is None and headers.get("Transfer-Encoding", "").lower() != "chunked":
        msg = f"cannot download {what.url}: the server does not say how long it is"
        raise WeightsError(msg)
    if what.size is not None and expected != what.size:
        what.discard()
        msg = f"cannot download {what.url}: it has {expected} bytes, not {what.size}"
        raise WeightsError(msg)
    if expected is not None and expected > what.limit:
        what.discard()
        msg = f"cannot download {what.url}: it has {expected} bytes, more than {what.limit}"
        raise WeightsError(msg)
    _remember(what, headers, resumed=start > 0)
    with what.part.open("ab" if start else "wb") as stream:
        count = _copy(what, response, stream, count=start, end=end)
    if expected is not None and count != expected:
        raise _TransientError(f"it broke off after {count} of {expected} bytes")


def _copy(
    what: Download,
    response: http.client.HTTPResponse,
    stream: IO[bytes],
    *,
    count: int,
    end: float,
) -> int:
    """Copy the body; the number of bytes that the file then has."""
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _TransientError(f"{_reason(error)} after {count} bytes") from error
        if not chunk:
            return count
        count += len(chunk)
        if count > what.limit:
            what.discard()
            msg = f"cannot download {what.url}: it has more than {what.limit} bytes"
            raise WeightsError(msg)
        stream.write(chunk)
        if time.monotonic() >= end:
            raise _TransientError(f"it is too slow: {count} bytes so far")


def _extent(response: http.client.HTTPResponse, *, have: int) -> tuple[int, int | None]:
    """The position of the first byte and the length of the whole file, if it is stated."""
    if response.status == http.client.PARTIAL_CONTENT and have:
        # bytes 100-199/200
        place, _, whole = response.headers.get("Content-Range", "").partition("/")
        first = place.removeprefix("bytes ").partition("-")[0]
        if first.isdigit() and whole.isdigit():
            return int(first), int(whole)
        return -1, None
    if response.status != http.client.OK:
        raise _TransientError(f"HTTP status {response.status}")
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _beginning(what: Download) -> tuple[int, str]:
    """Bytes that are here and their version; nothing is here unless both are known."""
    try:
        state = json.loads(what.state.read_text(encoding="utf-8"))
        have = what.part.stat().st_size
    except (OSError, ValueError):
        state, have = None, 0
    version = state.get("etag") if isinstance(state, dict) else None
    if not have or not isinstance(version, str) or state.get("url") != what.url:
        what.discard()
        return 0, ""
    return have, version


def _remember(what: Download, headers: Message, *, resumed: bool) -> None:
    if resumed:
        return
    version = headers.get("ETag", "")
    if version.startswith('"'):  # W/"..." names files that differ in bytes
        state = json.dumps({"url": what.url, "etag": version})
        what.state.write_text(state, encoding="utf-8")
    else:
        what.state.unlink(missing_ok=True)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects that keep to the rule for addresses."""

    max_redirections = 5

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def redirect_request(  # noqa: PLR0917 - the signature is urllib's
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: http.client.HTTPMessage, newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        _check_address(newurl, origin=self.origin)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str, *, origin: str) -> None:
    """Refuse anything but https; http only from this machine to itself."""
    parts = urlsplit(url)
    local = parts.hostname in _LOCAL and urlsplit(origin).hostname in _LOCAL
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return
    msg = f"cannot download {origin}: {url} is no https address"
    raise WeightsError(msg)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
