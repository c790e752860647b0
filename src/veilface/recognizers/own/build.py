"""Recognisers of the user's own: an ONNX file, or a Python function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from veilface.core.template import SIDE
from veilface.errors import ShapeError, WeightsError
from veilface.recognizers.calibrations import calibrated
from veilface.recognizers.own.foreign import (
    BlackBox,
    Embed,
    runtime_network,
    torch_network,
)
from veilface.recognizers.own.onnx_file import OnnxFile, read_onnx_file
from veilface.recognizers.own.onnx_text import OnnxText, parse_onnx
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import RECOGNIZERS
from veilface.recognizers.spec import Calibration, Preprocessing, RecognizerSpec
from veilface.weights.packages import sha256_of
from veilface.weights.spec import WeightFile, WeightSource

_OPEN_SIDE = 112


def from_callable(
    f: Embed, *, name: str, dim: int, calibration: Calibration | None = None
) -> Recognizer:
    """A recogniser around a Python function; a target, never a surrogate.

    Args:
        f: Takes aligned faces (N, 3, 112, 112), float32 RGB in [0, 1] on the CPU or wherever the
            faces are, and returns embeddings (N, dim) as a tensor or array. Any norm will do.
        name: What results call it.
        dim: Width of the embedding.
        calibration: Thresholds; without them it gives similarities and no decision.

    Raises:
        ShapeError: ``dim`` is below 1.
        WeightsError: The name is empty or one of veilface's own recognisers.

    Example:
        >>> import torch
        >>> from veilface.recognizers.own.build import from_callable
        >>> mean_colour = from_callable(lambda x: x.mean((2, 3)), name="colour", dim=3)
        >>> mean_colour.embed(torch.full((2, 3, 112, 112), 0.5)).shape
        torch.Size([2, 3])
    """
    if dim < 1:
        raise ShapeError(f"an embedding of {dim} values")
    if not name or name in RECOGNIZERS:
        raise WeightsError(
            f"{name!r} cannot be the name of a recogniser of your own; choose another"
        )
    # (x · 255 - 0) / 255: the function sees the faces as they are.
    as_they_are = Preprocessing(side=SIDE, order="rgb", mean=(0.0, 0.0, 0.0), std=255.0)
    spec = _spec(
        name,
        architecture="Python function",
        dim=dim,
        parameters=0,
        preprocessing=as_they_are,
        source=WeightSource(registry="user", package=name, version="-", files=()),
        calibration=calibration,
    )
    return Recognizer(spec, BlackBox(f, name=name, dim=dim))


def onnx_spec(text: str) -> RecognizerSpec:
    """The spec of an ``onnx:`` name, with the user's calibration when there is one.

    Raises:
        UnknownNameError: An option that there is not.
        WeightsError: The file is not a recogniser; the message says why.
        MissingExtraError: The file leaves its width open and ONNX Runtime is not installed.
    """
    return _described(text)[1]


def load_onnx(text: str, *, differentiable: bool) -> Recognizer:
    """The recogniser of an ``onnx:`` name.

    Args:
        text: As `parse_onnx` takes it.
        differentiable: As PyTorch modules, for a surrogate; else in ONNX Runtime.

    Raises:
        UnknownNameError: As in `onnx_spec`.
        WeightsError: As in `onnx_spec`, or operators do not convert.
        MissingExtraError: ONNX Runtime or onnx2torch is needed and not installed.
    """
    file, spec = _described(text)
    network: nn.Module
    if differentiable:
        side = spec.preprocessing.side
        network = torch_network(file, name=spec.name, side=side, dim=spec.dim)
    else:
        network = runtime_network(file, name=spec.name, dim=spec.dim)
    return Recognizer(spec, network)


def _described(text: str) -> tuple[OnnxFile, RecognizerSpec]:
    parts = parse_onnx(text)
    file = read_onnx_file(parts.path)
    side = _side(parts, file)
    name = _name(parts.path)
    dim = file.dim
    if dim is None:
        dim = runtime_network(replace(file, side=side), name=name).dim
    sha256 = sha256_of(parts.path)
    source = WeightSource(
        registry="user",
        package=parts.path.name,
        version=sha256[:12],
        files=(WeightFile(parts.path.name, parts.path.stat().st_size, sha256),),
    )
    spec = _spec(
        name,
        architecture="ONNX file",
        dim=dim,
        parameters=file.parameters,
        preprocessing=Preprocessing(side=side, order=parts.order, mean=parts.mean, std=parts.std),
        source=source,
    )
    return file, calibrated(spec)


def _spec(
    name: str,
    *,
    architecture: str,
    dim: int,
    parameters: int,
    preprocessing: Preprocessing,
    source: WeightSource,
    calibration: Calibration | None = None,
) -> RecognizerSpec:
    """What is known about a recogniser of the user's own, and what is not."""
    return RecognizerSpec(
        name=name,
        family="own",
        architecture=architecture,
        training_set="not known",
        loss="not known",
        dim=dim,
        parameters=parameters,
        macs=0,
        preprocessing=preprocessing,
        source=source,
        format="user",
        network="",
        licence="the user's own",
        research_only=False,
        calibration=calibration,
        verified=False,
    )


def _name(path: Path) -> str:
    """The file's stem, or its whole name where the stem is one of veilface's recognisers."""
    return path.name if path.stem in RECOGNIZERS else path.stem


def _side(parts: OnnxText, file: OnnxFile) -> int:
    if parts.size is not None and file.side not in (None, parts.size):
        raise WeightsError(
            f"size={parts.size} for {parts.path}, which reads {file.side}×{file.side} pixels"
        )
    return parts.size or file.side or _OPEN_SIDE
