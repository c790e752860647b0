"""What an evaluation found, and how it is written down."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from torch import Tensor

from veilface._version import __version__
from veilface.evaluation.table import MEASURES
from veilface.measures.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Row:
    """One protector against one target.

    Attributes:
        protector: Its name.
        kind: Controls are what no or naive protection scores.
        parameters: Of the preset; empty for anything else.
        target: The recogniser that decides.
        surrogates: Those that the images were optimised against; the target is none of them.
        images: How many were protected.
        measures: Figures by name.
        reasons: Why a measure is absent, by name.
        scores: The scores of the target, for plots.
        flags: Sentences about what must not be overlooked.
    """

    protector: str
    kind: Literal["preset", "control"]
    parameters: Mapping[str, Any]
    target: str
    surrogates: tuple[str, ...]
    images: int
    measures: Mapping[str, Estimate]
    reasons: Mapping[str, str]
    scores: Mapping[str, Any] = field(repr=False)
    flags: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, Estimate]:
        """The measures that have a number in the document: an infinite one has none."""
        return {name: value for name, value in self.measures.items() if _is_finite(value)}

    def flagged(self, flags: Sequence[str]) -> Row:
        """The row with flags."""
        return replace(self, flags=tuple(flags))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values; an absent measure is None."""
        absent: dict[str, Any] = dict.fromkeys(MEASURES)
        found = {name: _listed(estimate) for name, estimate in self.measures.items()}
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "surrogates": list(self.surrogates),
            "measures": absent | found,
            "flags": list(self.flags),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Row:
        """Inverse of `to_dict`, but for what is absent and for infinite figures."""
        read = {
            "surrogates": tuple(stored["surrogates"]),
            "measures": _estimates(stored["measures"]),
            "flags": tuple(stored["flags"]),
        }
        return cls(**{**stored, **read})


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The first images of one protector, for people to look at; photographs among them.

    Attributes:
        title: Protector and surrogates.
        originals: (K, 3, 112, 112) photographs.
        protected: (K, 3, 112, 112).
        draws: (D, K, 3, 112, 112) independent versions, the first of them ``protected``; None
            where they were not asked for.
    """

    title: str
    originals: Tensor = field(repr=False)
    protected: Tensor = field(repr=False)
    draws: Tensor | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of `veilface.evaluation.evaluator.evaluate`.

    Attributes:
        dataset: Name, and numbers of people, images and photos of the gallery.
        rows: One a protector and target.
        stranger: SSIM and PSNR between photos of two different people.
        failures: By name of a photo that could not be used what is wrong with it.
        seed: Of the selection, the protectors' randomness and the bootstraps.
        seconds: Of this run.
        protecting: ``seconds`` of its protecting alone, the number of images ``protected`` by it,
            and of those that it ``found`` on disk.
        device: Where it ran.
        cores: Of the machine.
        command: What was run, for the reader.
        version: Of veilface.
        pictures: For the report; never part of the document.
    """

    dataset: Mapping[str, str | int]
    rows: tuple[Row, ...]
    stranger: Mapping[str, Estimate]
    failures: Mapping[str, str]
    seed: int
    seconds: float
    protecting: Mapping[str, float]
    device: str
    cores: int
    command: str = ""
    version: str = __version__
    pictures: tuple[Pictures, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The document: JSON-ready values."""
        return {
            "version": self.version,
            "dataset": dict(self.dataset),
            "seed": self.seed,
            "command": self.command,
            "seconds": round(self.seconds, 1),
            "protecting": dict(self.protecting),
            "machine": {"device": self.device, "cores": self.cores},
            "rows": [row.to_dict() for row in self.rows],
            "stranger": {name: _listed(value) for name, value in self.stranger.items()},
            "failures": dict(self.failures),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Evaluation:
        """The evaluation of a document, without its pictures; inverse of `to_dict`."""
        stored = {f.name: document[f.name] for f in fields(cls) if f.name in document}
        read = {
            "rows": tuple(Row.from_dict(row) for row in document["rows"]),
            "stranger": _estimates(document["stranger"]),
        }
        return cls(**{**stored, **document["machine"], **read})


def to_csv(document: Mapping[str, Any]) -> str:
    """The measures of a document as a table: a line a row, value, low and high a measure."""
    names = list(dict.fromkeys(name for row in document["rows"] for name in row["measures"]))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    head = ["protector", "kind", "target", "surrogates", "images"]
    spread = [f"{name}{suffix}" for name in names for suffix in ("", "_low", "_high")]
    writer.writerow([*head, *spread, "flags"])
    for row in document["rows"]:
        figures = [row["measures"].get(name) or {} for name in names]
        cells = [figure.get(key, "") for figure in figures for key in ("value", "low", "high")]
        about = [row["protector"], row["kind"], row["target"], " ".join(row["surrogates"])]
        writer.writerow([*about, row["images"], *cells, " ".join(row["flags"])])
    return buffer.getvalue()


def _listed(estimate: Estimate) -> dict[str, float | int] | None:
    """None for what JSON has no number for."""
    if not _is_finite(estimate):
        return None
    values = asdict(estimate)
    return {name: value if name == "n" else round(value, 6) for name, value in values.items()}


def _estimates(stored: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(**values) for name, values in stored.items() if values is not None}


def _is_finite(estimate: Estimate) -> bool:
    return all(map(math.isfinite, (estimate.value, estimate.low, estimate.high)))
