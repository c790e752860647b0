"""What an image depends on, beside the face it is made of and its random draws: said once.

The record of a run, the names of kept chunks and the streams under a secret key all follow from it.
They differ in how much of it they take, and each says why:

- The record takes what a user can change: the method with every parameter, the files it reads, the
  recognisers, the version. The device counts where a seed or a key makes the same image again;
  fresh randomness makes another one anyway, so that a run may go on on another machine.
- A kept chunk takes everything, the code of the method instead of the version; and so does what an
  attacker learns from kept chunks.
- A key's message takes the method and the recognisers. The device is left out on purpose: with
  streams of its own on every device one photo would have several images to be averaged.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import torch

from veilface._version import __version__
from veilface.protectors.veil.presets import PRESETS, Preset

_FIRST_BANK = "b33d07e5d6de216318c86bb730c4e18965abd163a37ee71937dc91c836da7d64"
"""SHA-256 of the bank that keys were first used with. In their messages it has no name, so that
what was made with them can still be made; every other bank is named by its content."""

Hashes = Sequence[str | None]
"""SHA-256 of the weight files of a recogniser; None where none is recorded."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ingredients of an image.

    Attributes:
        method: Every parameter of the preset in canonical text; neither its name nor where its
            files lie.
        files: By role the SHA-256 of what the method reads: ``bank``.
        surrogates: By recogniser the hashes of its weights.
        device: Kind of the device: ``cpu`` or ``cuda``.
    """

    method: str
    files: Mapping[str, str]
    surrogates: Mapping[str, Hashes]
    device: str

    @classmethod
    def of(
        cls, preset: Preset, surrogates: Mapping[str, Hashes], *, device: torch.device | str
    ) -> Recipe:
        """The recipe of a preset on a device.

        Raises:
            WeightsError: A file of the method is not there, or is none.
        """
        method, files = _ingredients(preset)
        return cls(method, files, surrogates, torch.device(device).type)

    def for_record(self, *, repeatable: bool) -> dict[str, Any]:
        """What the record of a run holds of it.

        Args:
            repeatable: Whether a seed or a key makes the same image again.
        """
        return {
            "version": __version__,
            "method": _digest(self.method),
            "files": dict(self.files),
            "surrogates": {name: list(hashes) for name, hashes in self.surrogates.items()},
        } | ({"device": self.device} if repeatable else {})

    def for_chunk(self) -> dict[str, Any]:
        """What the name of a kept chunk holds of it, JSON-ready."""
        return {
            "code": code_digest(),
            "method": self.method,
            "files": dict(self.files),
            "surrogates": [(name, list(hashes)) for name, hashes in self.surrogates.items()],
            "device": self.device,
        }

    def for_key(self) -> str:
        """What the message of a secret key holds of it."""
        bank = self.files.get("bank")
        method = self.method
        if bank not in (None, _FIRST_BANK):
            method += f" bank={bank}"
        surrogates = sorted((name, list(hashes)) for name, hashes in self.surrogates.items())
        return f"{method} {surrogates!r}"


FORMER = frozenset({"method", "files", "device"})
"""What the records of former versions do not hold."""


def is_shipped(method: str, name: str) -> bool:
    """Whether a record's method is the preset that ships under a name."""
    return name in PRESETS and _digest(_ingredients(PRESETS[name])[0]) == method


@cache
def code_digest() -> str:
    """SHA-256 of the code of the method; what presets.py says is in the parameters."""
    folder = resources.files("veilface.protectors.veil")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    code = [
        meaning(file.read_text(encoding="utf-8"))
        for file in files
        if file.name.endswith(".py") and file.name != "presets.py"
    ]
    return _digest("\0".join(code))


def meaning(source: str) -> str:
    """Python code without comments, docstrings and layout, which change no image."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return ast.unparse(tree)


def _ingredients(preset: Preset) -> tuple[str, dict[str, str]]:
    """The parameters in canonical text, and the files, by content instead of by path."""
    start = preset.start
    bare = replace(preset, name="", summary="", start=start.placeless())
    return repr(bare), dict(start.files())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
