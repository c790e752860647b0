"""Settings of the command line's tests."""

from __future__ import annotations

from tests.fixtures.threads import one_thread

__all__ = ["one_thread"]
