"""Calibrations that the user measured: one JSON file a recogniser, in the cache folder.

A file counts only for the weights and the preprocessing that it was measured with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from veilface.core.files import write_atomic
from veilface.errors import ImageError, WeightsError
from veilface.recognizers.spec import Calibration, Preprocessing, RecognizerSpec
from veilface.recognizers.table import RECOGNIZERS
from veilface.weights import store

FORMAT = 1


def path_of(spec: RecognizerSpec) -> Path:
    """Where the calibration of a recogniser belongs.

    A file of the user's own has the beginning of its hash in the name, since two files may be
    called the same.
    """
    own = spec.source.registry == "user" and spec.source.files
    name = f"{spec.name}-{(spec.source.files[0].sha256 or '')[:12]}" if own else spec.name
    return store.cache_folder() / "calibrations" / f"{_plain(name)}.json"


def save(spec: RecognizerSpec, calibration: Calibration, *, weights: Sequence[str]) -> Path:
    """Write the calibration of a recogniser, in place of an older one.

    Args:
        spec: The recogniser.
        calibration: What was measured.
        weights: SHA-256 of its weight files, in the order of its source.

    Raises:
        WeightsError: The cache folder cannot be written.
    """
    goal = path_of(spec)
    document = {
        "format": FORMAT,
        "recognizer": spec.name,
        "weights": list(weights),
        "preprocessing": asdict(spec.preprocessing),
        "calibration": calibration.to_dict(),
    }
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(goal, json.dumps(document, indent=2).encode() + b"\n", overwrite=True)
    except OSError as error:
        raise WeightsError(f"cannot write {goal}: {error.strerror or error}") from error
    except ImageError as error:
        raise WeightsError(str(error)) from error
    return goal


def load(spec: RecognizerSpec) -> Calibration | None:
    """The user's calibration of exactly these weights and this preprocessing; None without one.

    Raises:
        WeightsError: There is a file and it cannot be read.
    """
    path = path_of(spec)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {path}: {error}; delete it and calibrate again") from error
    try:
        if document["format"] != FORMAT or not _fits(spec, document):
            return None
        return _calibration(document["calibration"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{path} is not a calibration ({error!r}); delete it and calibrate again"
        ) from error


def calibrated(spec: RecognizerSpec) -> RecognizerSpec:
    """The spec with the user's calibration when it ships none."""
    if spec.calibration is not None:
        return spec
    return replace(spec, calibration=load(spec))


def is_used(spec: RecognizerSpec) -> bool:
    """Whether the user's calibration is used for a recogniser: it ships none of its own."""
    shipped = RECOGNIZERS.get(spec.name)
    return shipped is None or shipped.calibration is None


def _fits(spec: RecognizerSpec, document: dict[str, Any]) -> bool:
    wanted = [file.sha256 for file in spec.source.files]
    weights: list[str] = document["weights"]
    # None: no hash is published, and the store pins the first copy.
    same = len(weights) == len(wanted) and all(
        expected in (None, found) for expected, found in zip(wanted, weights, strict=True)
    )
    stored = dict(document["preprocessing"])
    for name in ("mean", "crop"):
        stored[name] = tuple(stored[name])
    return same and Preprocessing(**stored) == spec.preprocessing


def _calibration(stored: dict[str, Any]) -> Calibration:
    values = {field.name: stored[field.name] for field in fields(Calibration)}
    for name in ("best", "impostor_mean", "impostor_std", "genuine_mean", "accuracy"):
        values[name] = float(values[name])
    values["thresholds"] = {float(k): float(v) for k, v in stored["thresholds"].items()}
    values["impostors"] = {float(k): int(v) for k, v in stored["impostors"].items()}
    values["intervals"] = {k: (float(a), float(b)) for k, (a, b) in stored["intervals"].items()}
    return Calibration(**values)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "_"
