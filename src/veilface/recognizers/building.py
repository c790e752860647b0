"""From a spec and its weight files to a network: the table of formats."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from veilface.errors import UnknownNameError, WeightsError
from veilface.recognizers.readers.dlib import read_dlib
from veilface.recognizers.readers.lowered import merge_pointwise
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights.state_dict import read_state_dict

Fill = Callable[[Any, RecognizerSpec, Sequence[Path]], None]
"""Loads the files of a spec into its network, whose ``load`` takes what the format holds."""


def build_network(spec: RecognizerSpec, paths: Sequence[Path]) -> nn.Module:
    """Parse weight files into the network of a spec.

    Args:
        spec: Says which format and which network.
        paths: The files in the order of the spec's source.

    Returns:
        The network from the normalised input to the raw embedding.

    Raises:
        UnknownNameError: No reader is known for the format.
        WeightsError: The files hold another network, or another normalisation than the spec says.
    """
    if spec.format not in FORMATS:
        raise UnknownNameError("format of weights", spec.format, FORMATS)
    network: nn.Module = _imported(spec.network)()
    FORMATS[spec.format](network, spec, paths)
    return network


def _imported(place: str) -> Any:  # noqa: ANN401 - whatever the place names
    """What ``module:name`` names. A parser library is loaded for the format that needs it only."""
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def _dlib(network: Any, spec: RecognizerSpec, paths: Sequence[Path]) -> None:  # noqa: ANN401
    model = read_dlib(paths[0])
    _check_normalisation(spec, np.full(3, 1 / 256), -np.array(model.mean) / 256)
    network.load(model)


def _frbench(network: Any, spec: RecognizerSpec, paths: Sequence[Path]) -> None:  # noqa: ANN401
    backbone = spec.source.package.split("_")[0]
    network.load(*paths, backbone=backbone, dim=spec.dim)


def _folded(reader: str) -> Fill:
    """Of a format that holds a graph of operators, which its reader turns into a `Graph`."""

    def fill(network: Any, spec: RecognizerSpec, paths: Sequence[Path]) -> None:  # noqa: ANN401
        lowered = fold(_imported(reader)(*paths, output=spec.output))
        _check_normalisation(spec, lowered.scale, lowered.shift)
        network.load(merge_pointwise(lowered))

    return fill


FORMATS: Mapping[str, Fill] = MappingProxyType(
    {
        "dlib": _dlib,
        "user": lambda network, _, paths: None,  # a package of the user's own has loaded it
        "facenet": lambda network, _, paths: network.load(read_state_dict(paths[0])),
        "frbench": _frbench,
        "onnx": _folded("veilface.recognizers.readers.onnx:read_onnx"),
        "tflite": _folded("veilface.recognizers.readers.tflite:read_tflite"),
        "tfjs": _folded("veilface.recognizers.readers.tfjs:read_tfjs"),
    }
)


def _check_normalisation(
    spec: RecognizerSpec, scale: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]
) -> None:
    """Compare what the file says about the image's normalisation, if it does, with the spec."""
    if np.all(scale == 1) and not np.any(shift):
        return  # left to the caller
    stated = spec.preprocessing
    expected = np.full(3, 1 / stated.std), -np.array(stated.mean) / stated.std
    if not (np.allclose(scale, expected[0]) and np.allclose(shift, expected[1])):
        msg = f"the weights of {spec.name} normalise by {scale} and {shift}, the registry differs"
        raise WeightsError(msg)
