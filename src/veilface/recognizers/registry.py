"""Names to recognisers: the table, and the one function that builds a recogniser."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from veilface.core.plugins import Registry
from veilface.errors import DeviceError, UnknownNameError, WeightsError
from veilface.recognizers import catalogue, papers
from veilface.recognizers.calibrations import calibrated
from veilface.recognizers.centres import load_centre
from veilface.recognizers.own.onnx_text import is_onnx
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights import store

SURROGATES = ("dlib", "sface", "mobilefacenet", "fr_feature")
"""The verified recognisers that a protection is made against unless others are named.

They read what is fine. Recognisers that look coarsely see the stranger, as people do, and would
pull the change to where people see it."""

RECOGNIZERS: Mapping[str, RecognizerSpec] = Registry(
    {spec.name: spec for spec in (*catalogue.SPECS, *papers.SPECS)},
    group="veilface.recognizers",
    kind=RecognizerSpec,
)
"""By name, with those of other packages: see docs/own_method.md."""


def get_spec(name: str) -> RecognizerSpec:
    """The entry of a recogniser, with the user's calibration when it ships none.

    Args:
        name: Name of the table, or an ONNX file of the user as ``onnx:path.onnx[,size=112,...]``.

    Raises:
        UnknownNameError: There is none; the message lists the names.
        WeightsError: The ONNX file is not a recogniser, or a calibration file is damaged.
    """
    if is_onnx(name):
        from veilface.recognizers.own.build import onnx_spec  # noqa: PLC0415

        return onnx_spec(name)
    try:
        return calibrated(RECOGNIZERS[name])
    except KeyError:
        raise UnknownNameError("recognizer", name, RECOGNIZERS) from None


def available(names: Iterable[str] | None = None) -> list[str]:
    """Those recognisers whose weight files are present, in the order of the table.

    Args:
        names: Which to look at; all by default.

    Raises:
        UnknownNameError: A name is not in the table.
    """
    wanted = list(RECOGNIZERS if names is None else names)
    for name in wanted:
        if name not in RECOGNIZERS:
            get_spec(name)  # says what is wrong with it
    return [name for name in wanted if is_onnx(name) or store.present(RECOGNIZERS[name])]


def load_recognizer(
    name: str,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    differentiable: bool = True,
) -> Recognizer:
    """Build a recogniser from its weight files.

    Args:
        name: Name of the table, or an ONNX file of the user as ``onnx:path.onnx[,size=112,...]``.
        device: Where it goes.
        dtype: Floating type of weights and images.
        differentiable: Whether gradients are wanted. Those of the table always give them; an ONNX
            file must be converted for that, and runs in ONNX Runtime otherwise.

    Returns:
        The recogniser in evaluation mode, parameters frozen.

    Raises:
        UnknownNameError: No recogniser has that name.
        WeightsError: Its files are missing (the message says what to run) or damaged, or an
            operator of an ONNX file does not convert.
        MissingExtraError: An ONNX file needs ONNX Runtime or onnx2torch, which is not installed.
        DeviceError: The device is not there.
    """
    target = torch.device(device)
    if target.type == "cuda" and not torch.cuda.is_available():
        msg = f"the device {target} is not available on this machine"
        raise DeviceError(msg)
    if is_onnx(name):
        from veilface.recognizers.own.build import load_onnx  # noqa: PLC0415

        own = load_onnx(name, differentiable=differentiable)
        return own.to(device=target, dtype=dtype)
    spec = get_spec(name)
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
    if spec.format == "user":
        return network  # a package of the user's own, which knows where its weights are
    # Readers are imported here: each needs a parser library that the others do not.
    if spec.format == "dlib":
        from veilface.recognizers.networks.dlib_resnet import DlibResNet  # noqa: PLC0415
        from veilface.recognizers.readers.dlib import read_dlib  # noqa: PLC0415

        model = read_dlib(paths[0])
        _check_normalisation(spec, np.full(3, 1 / 256), -np.array(model.mean) / 256)
        assert isinstance(network, DlibResNet)  # noqa: S101
        network.load(model)
        return network
    if spec.format == "facenet":
        from veilface.recognizers.networks.inception_resnet import (  # noqa: PLC0415
            InceptionResnetV1,
        )
        from veilface.weights.state_dict import read_state_dict  # noqa: PLC0415

        assert isinstance(network, InceptionResnetV1)  # noqa: S101
        network.load(read_state_dict(paths[0]))
        return network
    if spec.format == "frbench":
        from veilface.recognizers.networks.frbench import FrbenchNetwork  # noqa: PLC0415

        assert isinstance(network, FrbenchNetwork)  # noqa: S101
        backbone = spec.source.package.split("_")[0]
        network.load(paths[0], paths[1], backbone=backbone, dim=spec.dim)
        return network
    from veilface.recognizers.networks.chain import FrozenNetwork  # noqa: PLC0415
    from veilface.recognizers.readers.graph import Graph  # noqa: PLC0415
    from veilface.recognizers.readers.lowered import merge_pointwise  # noqa: PLC0415
    from veilface.recognizers.readers.lowering import fold  # noqa: PLC0415

    graph: Graph
    if spec.format == "onnx":
        from veilface.recognizers.readers.onnx import read_onnx  # noqa: PLC0415

        graph = read_onnx(paths[0], output=spec.output)
    elif spec.format == "tflite":
        from veilface.recognizers.readers.tflite import read_tflite  # noqa: PLC0415

        graph = read_tflite(paths[0], output=spec.output)
    else:
        from veilface.recognizers.readers.tfjs import read_tfjs  # noqa: PLC0415

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
