"""The one place that imports the packages of the extra ``onnx``, when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from veilface.errors import MissingExtraError

COMMAND = "pip install onnx2torch onnxruntime"
"""The packages by their own names: veilface itself may be a checkout that no index knows."""


def onnxruntime() -> ModuleType:
    """ONNX Runtime.

    Raises:
        MissingExtraError: It is not installed, or does not load here.
    """
    return _import("onnxruntime", "run an ONNX file")


def onnx2torch() -> ModuleType:
    """The converter from ONNX to PyTorch.

    Raises:
        MissingExtraError: It is not installed, or does not load here.
    """
    module = _import("onnx2torch", "make a surrogate of an ONNX file with these operators")
    _import("onnx2torch.node_converters.registry", "convert an ONNX file")
    return module


def _import(name: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        if (error.name or "").partition(".")[0] == package:
            message = f"{package} is needed to {purpose} and is not installed; run: {COMMAND}"
        else:
            message = f"{package} is needed to {purpose} and does not load: {error}; run: {COMMAND}"
        raise MissingExtraError(message) from error
    except RuntimeError as error:
        # What torchvision raises, which onnx2torch imports, beside a PyTorch of another build.
        raise MissingExtraError(
            f"{name} does not load ({error}); it needs the torchvision that was built for this "
            "PyTorch, from the same package index"
        ) from error
