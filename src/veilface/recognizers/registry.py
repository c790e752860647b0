"""Names to recognisers: what is known of one, whether it is here, and the recogniser itself."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from veilface.errors import DeviceError, UnknownNameError
from veilface.recognizers.building import build_network
from veilface.recognizers.calibrations import calibrated
from veilface.recognizers.centres import load_centre
from veilface.recognizers.own.onnx_text import is_onnx
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.recognizers.table import RECOGNIZERS
from veilface.weights import store


def get_spec(name: str) -> RecognizerSpec:
    """The entry of a recogniser, with the user's calibration when it ships none.

    Args:
        name: Name of the table, or an ONNX file of the user as ``onnx:path.onnx[,size=112,...]``.

    Raises:
        UnknownNameError: There is none; the message lists the names.
        WeightsError: The ONNX file is not a recogniser, or a calibration file is damaged.
    """
    if is_onnx(name):
        # Imported here and below: it brings the library of ONNX, which nothing else here needs.
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
