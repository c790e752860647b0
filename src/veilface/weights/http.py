"""Downloads one file over HTTPS with pooch, and adds what pooch leaves to its caller.

pooch asks for the file, writes a temporary one beside the goal, compares the hash and renames it.
Ours are the limits (size, time, only https, also after a redirect), the further attempts after a
fault that may pass, and one sentence for everything that goes wrong.

Tested against a local server with faults; untested against the hosts of the real files.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

import pooch
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout

from veilface._version import __version__
from veilface.errors import WeightsError

ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
SILENCE = 30.0  # seconds without a byte
_CHUNK = 1 << 14  # bytes between two looks at the clock
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

_log = logging.getLogger(__name__)


class OtherFileError(WeightsError):
    """What came has not the hash that it must have."""


@dataclass(frozen=True, slots=True)
class Download:
    """What to download.

    Attributes:
        url: Its address; https, or http on this machine.
        goal: Where it goes; a file that is there is replaced.
        limit: The most bytes that are accepted.
        size: Bytes, when they are known.
        sha256: Of the content, when it is known.
    """

    url: str
    goal: Path
    limit: int
    size: int | None = None
    sha256: str | None = None


def download(
    what: Download, *, timeout: float, silence: float = SILENCE, pause: float = PAUSE
) -> None:
    """Download a file, with several attempts; the goal is complete and checked, or untouched.

    Args:
        what: Address and goal.
        timeout: Seconds for everything together.
        silence: Seconds without a byte after which an attempt has failed.
        pause: Seconds before the second attempt, doubled before each further one.

    Raises:
        WeightsError: It cannot be had; the message names the address and the last fault.
        OtherFileError: It has another hash.
        OSError: The file cannot be written.
    """
    _check_address(what.url, origin=what.url)
    end = time.monotonic() + timeout
    fault = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(max(min(pause * 2 ** (attempt - 1), end - time.monotonic()), 0))
        left = end - time.monotonic()
        if left <= 0:
            fault = f"not complete within {timeout:g} s; {fault}"
            break
        _log.info("downloading %s, attempt %d of %d", what.url, attempt + 1, ATTEMPTS)
        try:
            _attempt(what, end=end, silence=min(silence, left))
        except requests.RequestException as error:
            fault = _reason(error)
            if not _may_pass(error):
                break
            _log.warning("attempt %d failed: %s", attempt + 1, fault)
        else:
            return
    msg = f"cannot download {what.url}: {fault}"
    raise WeightsError(msg)


def _attempt(what: Download, *, end: float, silence: float) -> None:
    client = _Client(what, end=end, silence=silence)
    if what.sha256 is None:
        what.goal.unlink(missing_ok=True)  # without a hash, pooch takes what is there
    known = what.sha256 and f"sha256:{what.sha256}"
    try:
        with _quiet():
            pooch.retrieve(
                what.url, known, fname=what.goal.name, path=what.goal.parent, downloader=client
            )
    except requests.RequestException:
        raise
    except ValueError as error:  # pooch's word for another hash; the rest of it is advice
        said = str(error).partition(". ")[0]
        msg = f"{what.url} is not the expected file: {said}; nothing was kept"
        raise OtherFileError(msg) from error


class _Client(pooch.HTTPDownloader):  # type: ignore[misc] # pooch is not typed
    """pooch's client with limits."""

    def __init__(self, what: Download, *, end: float, silence: float) -> None:
        super().__init__(
            chunk_size=_CHUNK,
            timeout=silence,
            headers={"User-Agent": f"veilface/{__version__}", "Accept-Encoding": "identity"},
            hooks={"response": self._answered},
        )
        self.what = what
        self.end = end
        self.expected = what.size

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        with Path(output_file).open("wb") as stream:
            bounded = _Bounded(stream, self.what, self.end)
            super().__call__(url, bounded, pooch)
        if self.expected is not None and bounded.count != self.expected:
            msg = f"it broke off after {bounded.count} of {self.expected} bytes"
            raise ChunkedEncodingError(msg)

    def _answered(self, response: requests.Response, *args: object, **kwargs: object) -> None:
        """Look at the headers of every answer before its body is read or a redirect followed."""
        what, headers = self.what, response.headers
        if response.is_redirect:
            _check_address(urljoin(response.url, headers["Location"]), origin=what.url)
        if not response.ok or response.is_redirect:
            return
        length = headers.get("Content-Length", "")
        if length.isdigit():
            self.expected = int(length)
        if self.expected is None and headers.get("Transfer-Encoding", "").lower() != "chunked":
            raise _refusal(what, "the server does not say how long it is")
        if what.size is not None and self.expected != what.size:
            raise _refusal(what, f"it has {self.expected} bytes, not {what.size}")
        if self.expected is not None and self.expected > what.limit:
            raise _refusal(what, f"it has {self.expected} bytes, more than {what.limit}")


@dataclass
class _Bounded:
    """A file that takes no more bytes than are allowed, and none after the end."""

    stream: IO[bytes]
    what: Download
    end: float
    count: int = 0

    def write(self, chunk: bytes) -> None:
        self.count += len(chunk)
        if self.count > self.what.limit:
            raise _refusal(self.what, f"it has more than {self.what.limit} bytes")
        if time.monotonic() >= self.end:
            raise _refusal(self.what, f"it is too slow: {self.count} bytes in the time given")
        self.stream.write(chunk)

    def flush(self) -> None:
        """Left to the end: pooch asks for it after each chunk."""


def _refusal(what: Download, fault: str) -> WeightsError:
    return WeightsError(f"cannot download {what.url}: {fault}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep pooch from writing advice to stderr; what matters is said by this package."""
    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_address(url: str, *, origin: str) -> None:
    """Refuse anything but https; http only from this machine to itself."""
    parts = urlsplit(url)
    local = parts.hostname in _LOCAL and urlsplit(origin).hostname in _LOCAL
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return
    msg = f"cannot download {origin}: {url} is no https address"
    raise WeightsError(msg)


def _may_pass(error: requests.RequestException) -> bool:
    if error.response is not None and not error.response.ok:
        return error.response.status_code in _TRY_AGAIN
    return isinstance(error, ConnectionError | Timeout | ChunkedEncodingError)


def _reason(error: requests.RequestException) -> str:
    """What was wrong, without the classes through which requests passes it on."""
    if error.response is not None and not error.response.ok:
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    if isinstance(error, Timeout):
        return "no answer in time"
    root: BaseException = error
    while (cause := root.__cause__ or root.__context__) is not None:
        root = cause
    return str(root) or type(root).__name__
