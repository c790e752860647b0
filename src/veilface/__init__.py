"""veilface: people no longer see who it is, unmodified face recognisers still match.

The public names, nothing else. They are loaded when they are first used, so that importing the
package costs no more than importing this file.

What the package does is told to the logger ``veilface``, which is silent until a program gives it a
handler. Pixels, embeddings, seeds, keys and names of people or of their photos are never told.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from veilface._version import __version__

if TYPE_CHECKING:
    from veilface import errors
    from veilface.pipeline.protector import Protector
    from veilface.pipeline.verify import verify, verify_all
    from veilface.types import ProtectedFace, ProtectedPhoto, Verification

__all__ = [
    "ProtectedFace",
    "ProtectedPhoto",
    "Protector",
    "Verification",
    "__version__",
    "errors",
    "verify",
    "verify_all",
]

_HOME = {
    "ProtectedFace": "veilface.types",
    "ProtectedPhoto": "veilface.types",
    "Protector": "veilface.pipeline.protector",
    "Verification": "veilface.types",
    "verify": "veilface.pipeline.verify",
    "verify_all": "veilface.pipeline.verify",
}


logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type is that of the name
    if name == "errors":
        return importlib.import_module("veilface.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'veilface' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
