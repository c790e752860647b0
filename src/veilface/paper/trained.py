"""How the networks behind a table came about: a figure says as much as they have learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veilface.errors import UntrainedError
from veilface.protectors.native import native_name
from veilface.protectors.registry import METHODS
from veilface.protectors.trainers import TRAINERS
from veilface.training.kept import record_of

_SHOWN = 12  # digits of a hash


def of_methods() -> list[str]:
    """The trainings of the methods that do nothing before."""
    return [name for name, spec in METHODS.items() if spec.requires_training]


def of_readers() -> list[str]:
    """The trainings of the recognisers that read what a method sends."""
    return [native_name(name) for name, spec in METHODS.items() if spec.native_recognizer]


def trained_notes(names: Sequence[str]) -> list[str]:
    """A sentence for each training: width, steps, images and weights, or the command for it."""
    return [_sentence(name) for name in names]


def _sentence(name: str) -> str:
    try:
        record = record_of(name, images=TRAINERS[name].images)
    except UntrainedError as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}."
    recipe: dict[str, Any] = record["recipe"]
    width = f"{recipe['width']:g} of the width, " if "width" in recipe else ""
    images = recipe.get("identities") or recipe["faces"]
    return (
        f"Trained {name}: {width}{record['outcome']['steps']:,} steps of {recipe['batch']} on "
        f"{images['images']:,} images of {images['name']}; weights {record['sha256'][:_SHOWN]}."
    )
