"""Who was enrolled, deleted or searched for, without saying who: one line each."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time

from fastapi import Request

AUDIT = logging.getLogger("veilface.service.audit")


class Audit:
    """One line for each enrolment, deletion and identification.

    People stand in it under a pseudonym, the same as long as the service runs: an HMAC under a key
    that is nowhere else.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def note(self, request: Request, action: str, *, person: str | None = None) -> None:
        """Write a line about what was done."""
        digest = None
        if person is not None:
            digest = hmac.new(self._key, person.encode(), hashlib.sha256).hexdigest()[:16]
        trace = request.scope["veilface"]
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request": trace.id,
            "token": trace.token,
            "action": action,
            "person": digest,
        }
        AUDIT.info(json.dumps(line))
