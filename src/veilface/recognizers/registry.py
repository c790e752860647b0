"""Names to recognisers: the table, and the one function that builds a recogniser."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from veilface.errors import DeviceError, UnknownNameError, WeightsError
from veilface.recognizers import catalogue
from veilface.recognizers.centres import load_centre
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.recognizers.weights import store

RECOGNIZERS: Mapping[str, RecognizerSpec] = MappingProxyType(
    {spec.name: spec for spec in catalogue.SPECS}
)


def get_spec(name: str) -> RecognizerSpec:
    """The entry of a recogniser.

    Raises:
        UnknownNameError: There is none; the message lists the names.
    """
    try:
        return RECOGNIZERS[name]
    except KeyError:
        raise UnknownNameError("recognizer", name, RECOGNIZERS) from None


def available(names: Iterable[str] | None = None) -> list[str]:
    """Those recognisers whose weight files are present, in the order of the table.

    Args:
        names: Which to look at; all by default.

    Raises:
        UnknownNameError: A name is not in the table.
    """
    specs = [get_spec(name) for name in (RECOGNIZERS if names is None else names)]
    return [spec.name for spec in specs if store.present(spec)]


def load_recognizer(
    name: str, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Recognizer:
    """Build a recogniser from its weight files.

    Args:
        name: Registry name.
        device: Where it goes.
        dtype: Floating type of weights and images.

    Returns:
        The recogniser in evaluation mode, parameters frozen.

    Raises:
        UnknownNameError: No recogniser has that name.
        WeightsError: Its files are missing (the message says what to run) or damaged.
        DeviceError: The device is not there.
    """
    spec = get_spec(name)
    target = torch.device(device)
    if target.type == "cuda" and not torch.cuda.is_available():
        msg = f"the device {target} is not available on this machine"
        raise DeviceError(msg)
    network = build_network(spec, store.locate(spec))
    recognizer = Recognizer(spec, network, centre=load_centre(spec))
    return recognizer.to(device=target, dtype=dtype)


def build_network(spec: RecognizerSpec, paths: tuple[Path, ...]) -> nn.Module:
    """Parse weight files into the network of a spec.

    Args:
        spec: Says which reader and which network.
        paths: The files in the order of the spec's source.

    Returns:
        The network from the normalised input to the raw embedding.

    Raises:
        WeightsError: The files hold another network, or another normalisation than the spec says.
    """
    module, function = spec.network.split(":")
    build = cast("Callable[[], nn.Module]", getattr(importlib.import_module(module), function))
    network = build()
    # Readers are imported here: each needs a parser library that the others do not.
    if spec.format == "dlib":
        from veilface.recognizers.networks.dlib_resnet import DlibResNet  # noqa: PLC0415
        from veilface.recognizers.weights.dlib import read_dlib  # noqa: PLC0415

        model = read_dlib(paths[0])
        _check_normalisation(spec, np.full(3, 1 / 256), -np.array(model.mean) / 256)
        assert isinstance(network, DlibResNet)  # noqa: S101
        network.load(model)
        return network
    from veilface.recognizers.networks.chain import FrozenNetwork  # noqa: PLC0415
    from veilface.recognizers.weights.graph import Graph  # noqa: PLC0415
    from veilface.recognizers.weights.lowered import merge_pointwise  # noqa: PLC0415
    from veilface.recognizers.weights.lowering import fold  # noqa: PLC0415

    graph: Graph
    if spec.format == "onnx":
        from veilface.recognizers.weights.onnx import read_onnx  # noqa: PLC0415

        graph = read_onnx(paths[0], output=spec.output)
    elif spec.format == "tflite":
        from veilface.recognizers.weights.tflite import read_tflite  # noqa: PLC0415

        graph = read_tflite(paths[0], output=spec.output)
    else:
        from veilface.recognizers.weights.tfjs import read_tfjs  # noqa: PLC0415

        graph = read_tfjs(paths[0], paths[1:], output=spec.output)
    lowered = fold(graph)
    _check_normalisation(spec, lowered.scale, lowered.shift)
    assert isinstance(network, FrozenNetwork)  # noqa: S101
    network.load(merge_pointwise(lowered))
    return network


def _check_normalisation(
    spec: RecognizerSpec, scale: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]
) -> None:
    """Compare what the file says about the image's normalisation, if it does, with the spec."""
    if np.all(scale == 1) and not np.any(shift):
        return  # left to the caller
    plan = spec.preprocessing
    expected = np.full(3, 1 / plan.std), -np.array(plan.mean) / plan.std
    if not (np.allclose(scale, expected[0]) and np.allclose(shift, expected[1])):
        msg = f"the weights of {spec.name} normalise by {scale} and {shift}, the registry differs"
        raise WeightsError(msg)
