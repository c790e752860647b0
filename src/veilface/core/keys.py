"""A secret key in place of fresh randomness: one photo, one protected image.

Whoever collects many protected versions of one photo can average the randomness away. With a key
there is one version only: the random streams are a function of the key, the pixels and the
parameters, so that the same photo gives the same image, and nobody without the key can make it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from pathlib import Path

from torch import Generator

from veilface.core.randomness import entropic_generator
from veilface.errors import SecretKeyError

SIZE = 32
"""Bytes of a key: as many as HMAC-SHA-256 puts out."""


def load_key(path: str | os.PathLike[str] | bytes) -> bytes:
    """The key in a file, which is made with 32 random bytes when it is not there.

    Args:
        path: The file. It must be the owner's alone (mode 0600), as it is when made here. Or a key
            that was loaded already, which a worker on another machine is handed.

    Raises:
        SecretKeyError: The file cannot be read or made, other users may read or change it, or it
            holds another number of bytes.
    """
    if isinstance(path, bytes):
        if len(path) != SIZE:
            raise SecretKeyError(f"a key has {SIZE} bytes, not {len(path)}")
        return path
    path = Path(path)
    try:
        if not os.path.lexists(path):
            _make(path)
        # Not blocking, so that a pipe is refused instead of waited for.
        with open(path, "rb", opener=_open_at_once) as file:
            _check(path, os.fstat(file.fileno()))
            return file.read(SIZE)
    except OSError as error:
        raise SecretKeyError(f"cannot use the key {path}: {error.strerror}") from error


def keyed_generator(key: bytes, *, photo: bytes, face: int, method: str) -> Generator:
    """The generator of one face under a secret key: HMAC-SHA-256 over all that X' depends on.

    Args:
        key: The secret.
        photo: The photo's `pixel_digest`.
        face: Index of the face in the photo, largest first.
        method: The parameters and recognisers in a canonical form. They are part of the message
            because two images with equal noise and unequal parameters tell more than either.

    Returns:
        A CPU generator with 256 bits that follow from the key.

    Source:
        RFC 2104 (HMAC); the derivation is a house rule.
    """
    settings = hashlib.sha256(method.encode()).digest()
    message = b"veilface key\0" + photo + face.to_bytes(8, "big") + settings
    return entropic_generator(hmac.digest(key, message, "sha256"))


def _make(path: Path) -> None:
    """Write a new key under a temporary name and give it its own, which then is never half there.

    When another process was faster, its key stays.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=".veilface-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretKeyError(f"the key {path} is not a regular file")
    mode = stat.S_IMODE(status.st_mode)
    # Windows keeps access rights elsewhere and reports 0666 for every file.
    if os.name == "posix" and mode & 0o077:
        raise SecretKeyError(
            f"other users may read or change the key {path} (mode {mode:04o}); "
            f"make it yours alone with: chmod 600 {path}"
        )
    if status.st_size != SIZE:
        raise SecretKeyError(
            f"the key {path} has {status.st_size} bytes, not {SIZE}; name a file that is not "
            "there yet to have one made"
        )
