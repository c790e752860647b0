"""What is known about a recogniser: source, shape, preprocessing, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from veilface.errors import UncalibratedError, UnknownNameError
from veilface.weights.spec import WeightSource


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an aligned 112x112 face becomes the network's input.

    Attributes:
        side: Side of the network's input in pixels.
        order: Channel order that it reads.
        mean: Subtracted from red, green and blue in 0..255.
        std: Divisor after that.
        crop: Left, top and side of the square of the aligned face that fills the input, in pixels
            with centres at k + 0.5; it may reach over the border, which is then replicated.
    """

    side: int
    order: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    std: float
    crop: tuple[float, float, float] = (0.0, 0.0, 112.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores on labelled pairs of clean faces; a score above a threshold is a match.

    Attributes:
        data: Which pairs.
        thresholds: Cosine threshold by false match rate.
        best: Threshold of the highest accuracy.
        impostor_mean: Mean cosine of different people.
        impostor_std: Its standard deviation.
        genuine_mean: Mean cosine of the same person.
        accuracy: Mean of the ten folds.
        accuracy_std: Standard deviation over the folds.
        pairs: Number of pairs, half of them of the same person.
        date: Day of the measurement, as YYYY-MM-DD.
        impostors: Number of impostor pairs that each threshold was read from, by rate; those that
            are missing come from the protocol's own impostor pairs.
        intervals: 95 % confidence intervals by what they are of: a rate (``0.001``), ``best`` or
            ``accuracy``; empty when they were not computed.
    """

    data: str
    thresholds: Mapping[float, float]
    best: float
    impostor_mean: float
    impostor_std: float
    genuine_mean: float
    accuracy: float
    accuracy_std: float
    pairs: int = 0
    date: str = ""
    impostors: Mapping[float, int] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        result = asdict(self)
        for name in ("thresholds", "impostors"):
            result[name] = {f"{rate:g}": value for rate, value in result[name].items()}
        return result


@dataclass(frozen=True, slots=True)
class RecognizerSpec:
    """One recogniser of the registry.

    Attributes:
        name: Registry name.
        family: Which of the paper's families it belongs to, or its own name.
        architecture: Its network in words.
        training_set: What it was trained on, as its publisher says.
        loss: Training loss, as its publisher says.
        dim: Width of the embedding.
        parameters: Weights, biases and slopes with batch norms folded in.
        macs: Multiply-accumulates of convolutions and matrices for one face; 0 when not counted.
        preprocessing: From the aligned face to the network.
        source: Where the weights come from.
        format: Which reader parses them.
        network: ``module:function`` that builds the network, imported when it is loaded.
        licence: As stated by the source.
        research_only: Whether the weights or the images behind them are for research only, or
            nobody says that they are not.
        calibration: Thresholds and accuracy; None when nobody has measured them here.
        verified: Whether the rebuilt network was compared with the reference runtime and scored.
        output: Name of the embedding in the file when it has other outputs too.
        notes: Remarks for the documentation.
    """

    name: str
    family: str
    architecture: str
    training_set: str
    loss: str
    dim: int
    parameters: int
    macs: int
    preprocessing: Preprocessing
    source: WeightSource
    format: Literal["dlib", "onnx", "tflite", "tfjs", "facenet", "frbench", "user"]
    network: str
    licence: str
    research_only: bool
    calibration: Calibration | None
    verified: bool
    output: str | None = None
    notes: str = field(default="")

    def calibrated(self) -> Calibration:
        """The calibration.

        Raises:
            UncalibratedError: There is none; the message says how to get one.
        """
        if self.calibration is None:
            msg = (
                f"{self.name} is not calibrated, so no score of it can be called a match; "
                f"run: {how_to_calibrate(self.name)}"
            )
            raise UncalibratedError(msg)
        return self.calibration

    @property
    def impostor_mean(self) -> float:
        """Mean cosine of different people; raises as `calibrated` does."""
        return self.calibrated().impostor_mean

    @property
    def impostor_std(self) -> float:
        """Standard deviation of the cosine of different people; raises as `calibrated` does."""
        return self.calibrated().impostor_std

    @property
    def fmrs(self) -> tuple[float, ...]:
        """The false match rates that have a threshold, largest first; none uncalibrated."""
        if self.calibration is None:
            return ()
        return tuple(sorted(self.calibration.thresholds, reverse=True))

    def threshold(self, fmr: float | Literal["best"] = 1e-3) -> float:
        """The cosine that a match must exceed.

        Args:
            fmr: A calibrated false match rate, or ``best`` for the most accurate threshold.

        Raises:
            UncalibratedError: There are no thresholds.
            UnknownNameError: The rate is not calibrated; the message lists those that are.
        """
        calibration = self.calibrated()
        if fmr == "best":
            return calibration.best
        for rate, value in calibration.thresholds.items():
            if abs(rate - fmr) <= 1e-9 * rate:
                return value
        known = [f"{rate:g}" for rate in calibration.thresholds]
        raise UnknownNameError(f"false match rate of {self.name}", f"{fmr:g}", [*known, "best"])

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        result = asdict(self)
        if self.calibration is not None:
            result["calibration"] = self.calibration.to_dict()
        return result


def how_to_calibrate(name: str) -> str:
    """The command that measures the thresholds of a recogniser."""
    return f"veilface recognizers calibrate {name} --dataset lfw --root DIR"
