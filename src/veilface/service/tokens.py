"""Bearer tokens with scopes: made once, shown once, kept as hashes.

A token is 256 random bits, so that a plain SHA-256 of it cannot be searched for.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

import filelock

from veilface.core.files import write_atomic
from veilface.errors import ServiceError, UnknownNameError
from veilface.service.settings import SCOPES
from veilface.text import is_safe

_PREFIX = "veil_"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret.

    Attributes:
        name: Who has it, in the owner's words.
        scopes: What it is for.
        sha256: Hash of the token, lower-case hexadecimal.
        created: When, in UTC, as ISO 8601.
    """

    name: str
    scopes: tuple[str, ...]
    sha256: str
    created: str


class Tokens:
    """The tokens of a service, in a file.

    Changes of the file count at once, so that a revoked token opens nothing any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Token] = {}

    def all(self) -> list[Token]:
        """The tokens, oldest first.

        Raises:
            ServiceError: The file cannot be read.
        """
        return list(self._current().values())

    def find(self, secret: str) -> Token | None:
        """The token that somebody presents; None when there is no such token."""
        return self._current().get(_hash(secret))

    def new(self, name: str, scopes: Sequence[str]) -> str:
        """Make a token; nothing shows it again.

        Raises:
            UnknownNameError: A scope that there is not.
            ServiceError: The name is taken or not printable, or the file cannot be written.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownNameError("scope", scope, SCOPES)
        if not scopes:
            raise ServiceError(f"a token needs a scope; there are {', '.join(SCOPES)}")
        if not 1 <= len(name) <= _LONGEST_NAME or not all(map(is_safe, name)):
            raise ServiceError(f"the name of a token has 1 to {_LONGEST_NAME} printable characters")
        with self._locked():
            known = self.all()
            if any(token.name == name for token in known):
                raise ServiceError(f"there is a token '{name}' already; revoke it first")
            secret = _PREFIX + secrets.token_urlsafe(32)
            created = datetime.now(timezone.utc).isoformat(timespec="seconds")
            token = Token(name, tuple(dict.fromkeys(scopes)), _hash(secret), created)
            self._write([*known, token])
        return secret

    def revoke(self, name: str) -> None:
        """Forget a token.

        Raises:
            UnknownNameError: There is none of that name.
        """
        with self._locked():
            known = self.all()
            left = [token for token in known if token.name != name]
            if len(left) == len(known):
                raise UnknownNameError("token", name, [token.name for token in known])
            self._write(left)

    def _current(self) -> dict[str, Token]:
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                entries = json.loads(self._path.read_bytes())
                tokens = [Token(**{**e, "scopes": tuple(e["scopes"])}) for e in entries]
                self._known = {token.sha256: token for token in tokens}
                self._seen = seen
        except FileNotFoundError:
            self._known, self._seen = {}, None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ServiceError(f"the tokens in {self._path} cannot be read ({error})") from error
        return self._known

    def _locked(self) -> filelock.BaseFileLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(f"cannot make {self._path.parent}: {error.strerror}") from error
        return filelock.FileLock(f"{self._path}.lock")

    def _write(self, tokens: Sequence[Token]) -> None:
        data = json.dumps([asdict(token) for token in tokens], indent=2).encode() + b"\n"
        write_atomic(self._path, data, overwrite=True)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
