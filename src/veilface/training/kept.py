"""Trained weights in the cache folder, and the record of how they came about.

They are not shipped: whoever compares with a method trains it. Their hash stands in the record of
every protected image, so that weights cannot be exchanged unseen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from veilface.core.files import write_atomic
from veilface.errors import UntrainedError, WeightsError
from veilface.training.checkpoint import read_tensors, write_tensors
from veilface.training.loop import Outcome
from veilface.weights.packages import check_sha256, sha256_of
from veilface.weights.store import cache_folder

_WEIGHTS = "weights.safetensors"
_RECORD = "record.json"

_Network = TypeVar("_Network", bound=nn.Module)


def training_folder(name: str) -> Path:
    """Where a training keeps its checkpoint, its curve, and in the end its weights."""
    return cache_folder() / "trained" / name


def keep(name: str, product: nn.Module, recipe: Mapping[str, Any], outcome: Outcome) -> Path:
    """Write the trained weights and their record.

    Args:
        name: Of the training.
        product: What is needed to use it.
        recipe: As given to `veilface.training.loop.train`.
        outcome: What that returned.

    Returns:
        The file of the weights.

    Raises:
        ImageError: A file cannot be written.
    """
    path = training_folder(name) / _WEIGHTS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, product.state_dict(), {})
    record = {
        "name": name,
        "sha256": sha256_of(path),
        "recipe": dict(recipe),
        "outcome": asdict(outcome),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    write_atomic(path.with_name(_RECORD), f"{text}\n".encode(), overwrite=True)
    return path


def record_of(name: str, *, images: str = "--faces") -> dict[str, Any]:
    """How the weights of a name came about: ``sha256``, ``recipe`` and ``outcome``.

    Args:
        name: Of the training.
        images: See `veilface.errors.UntrainedError`.

    Raises:
        UntrainedError: There are none.
        WeightsError: The record is damaged.
    """
    path = training_folder(name) / _RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UntrainedError(name, images) from None
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    return record


def fill(
    name: str, product: nn.Module, *, part: str = "", images: str = "--faces"
) -> dict[str, Any]:
    """Load the weights of a name into a network of its recipe, and return the record.

    Args:
        name: Of the training.
        product: What was kept, or one part of it.
        part: Which part, where several networks were kept together.
        images: See `veilface.errors.UntrainedError`.

    Raises:
        UntrainedError: There are none.
        WeightsError: They are not those of the record, or of another network.
    """
    record = record_of(name, images=images)
    path = training_folder(name) / _WEIGHTS
    check_sha256(path, record["sha256"])
    tensors, _ = read_tensors(path)
    head = f"{part}." if part else ""
    own = {key.removeprefix(head): value for key, value in tensors.items() if key.startswith(head)}
    try:
        product.load_state_dict(own)
    except RuntimeError as error:
        raise WeightsError(f"{path} holds another network: {error}") from error
    return record


def unset(build: Callable[[], _Network]) -> _Network:
    """A network whose first weights are drawn, but not from the caller's randomness, to be filled.

    Args:
        build: Makes it.
    """
    with torch.random.fork_rng(devices=[]):
        return build()
