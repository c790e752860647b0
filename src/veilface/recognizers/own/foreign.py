"""Networks that are not veilface's own: ONNX files in their runtime or converted, callables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.errors import (
    MissingExtraError,
    NotDifferentiableError,
    ShapeError,
    WeightsError,
)
from veilface.recognizers import optional
from veilface.recognizers.layers import Layer
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.own.onnx_file import OnnxFile
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.readers.onnx import read_onnx
from veilface.recognizers.recognizer import no_gradient

Embed = Callable[[Tensor], "Tensor | npt.NDArray[Any]"]

_AGREEMENT = 1e-3
"""Largest difference of unit embeddings between a converted network and its own runtime."""


class BlackBox(nn.Module):
    """Any function from images to embeddings; it gives no gradient.

    Args:
        function: Takes (N, 3, H, W) float images, returns (N, dim) numbers.
        name: For messages.
        dim: Width of the embeddings.
    """

    differentiable = False

    def __init__(self, function: Embed, *, name: str, dim: int) -> None:
        super().__init__()
        self.function = function
        self.name = name
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, dim), on the device and of the dtype of ``x``."""
        if torch.is_grad_enabled() and x.requires_grad:
            raise NotDifferentiableError(no_gradient(self.name))
        if x.shape[0] == 0:
            return x.new_zeros(0, self.dim)
        raw = self.function(x.detach())
        # A copy: a runtime may use its output buffer again.
        result = torch.as_tensor(raw).detach().to(device=x.device, dtype=x.dtype, copy=True)
        if tuple(result.shape) != (x.shape[0], self.dim):
            raise ShapeError(
                f"{self.name} gave {tuple(result.shape)} for {x.shape[0]} images; "
                f"embeddings ({x.shape[0]}, {self.dim}) are expected"
            )
        if not bool(result.isfinite().all()):
            raise ShapeError(f"{self.name} gave an embedding that is not finite")
        return result


class InBatches(nn.Module):
    """Feeds a network that insists on its batch size; the last call is filled up.

    Args:
        network: Takes exactly ``size`` images.
        size: That number.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network = network
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, D)."""
        missing = -x.shape[0] % self.size
        filled = torch.cat([x, x[-1:].expand(missing, -1, -1, -1)]) if missing else x
        parts = [self.network(part) for part in torch.split(filled, self.size)]
        return torch.cat(parts)[: x.shape[0]]


class _Plain(nn.Module):
    """A network that veilface's own ONNX reader knows, behind the file's own normalisation."""

    scale: Tensor
    shift: Tensor

    def __init__(self, file: OnnxFile) -> None:
        super().__init__()
        if file.side is None:
            raise WeightsError(f"{file.path} leaves the size of its input open")
        lowered = fold(read_onnx(file.path))
        layers: list[Layer] = [numbers.layer for numbers in lowered.layers]
        self.network = FrozenNetwork(layers, side=file.side)
        self.network.load(lowered)
        kind = torch.get_default_dtype()
        for name, values in (("scale", lowered.scale), ("shift", lowered.shift)):
            buffer = torch.from_numpy(np.array(values)).view(1, -1, 1, 1).to(kind)
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.network(x * self.scale + self.shift)
        return result


def runtime_network(file: OnnxFile, *, name: str, dim: int | None = None) -> BlackBox:
    """The file in ONNX Runtime, on the CPU.

    Args:
        file: The file.
        name: For messages.
        dim: Width of the embedding; None to find it by running an empty image.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        WeightsError: It refuses the file.
    """
    runtime = optional.onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        session = runtime.InferenceSession(
            file.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions share no public base
        raise WeightsError(f"ONNX Runtime refuses {file.path}: {_first_line(error)}") from error

    def run(x: Tensor) -> Tensor:
        feed = {file.input: np.ascontiguousarray(x.float().cpu().numpy())}
        try:
            (raw,) = session.run([file.output], feed)
        except Exception as error:
            raise WeightsError(
                f"ONNX Runtime fails on {file.path} with images {tuple(x.shape)}: "
                f"{_first_line(error)}"
            ) from error
        return torch.from_numpy(np.asarray(raw))

    function: Embed = run if file.batch is None else InBatches(_Function(run), file.batch)
    if dim is None:
        side = file.side or SIDE
        found = tuple(torch.as_tensor(function(torch.zeros(1, 3, side, side))).shape)
        if len(found) != 2:
            raise WeightsError(f"{file.path} writes {found}; embeddings N×D are expected")
        dim = found[1]
    return BlackBox(function, name=name, dim=dim)


class _Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def torch_network(file: OnnxFile, *, name: str, side: int, dim: int) -> nn.Module:
    """The file as differentiable PyTorch modules.

    Plain convolutional networks go through veilface's own reader, all others through onnx2torch.
    Where ONNX Runtime is installed, both must agree on random images.

    Raises:
        MissingExtraError: onnx2torch is needed and not installed.
        WeightsError: An operator does not convert (all of them are listed), or the converted
            network computes something else.
    """
    try:
        network: nn.Module = _Plain(file)
    except (WeightsError, KeyError):
        network = _converted(file)
        if file.batch is not None:
            network = InBatches(network, file.batch)
    network.requires_grad_(requires_grad=False)
    _check_agreement(file, network.eval(), name=name, side=side, dim=dim)
    return network


def _converted(file: OnnxFile) -> nn.Module:
    converter = optional.onnx2torch()
    foreign = unconvertible(file, converter.node_converters.registry.get_converter)
    if foreign:
        listed = ", ".join(f"{kind} ({count}×)" for kind, count in foreign.items())
        raise WeightsError(
            f"{file.path} cannot be a surrogate: onnx2torch does not convert {listed}; "
            "it can still be a target (veilface verify)"
        )
    try:
        # Its modules draw weights before they get those of the file.
        with torch.random.fork_rng(devices=[]):
            network: nn.Module = converter.convert(file.model)
    except Exception as error:
        raise WeightsError(f"onnx2torch fails on {file.path}: {_first_line(error)}") from error
    return network


def unconvertible(file: OnnxFile, find: Callable[..., object]) -> Mapping[str, int]:
    """The operators without a converter and how often they occur, by name.

    Args:
        file: The file.
        find: onnx2torch's look-up; raises `NotImplementedError` for operators that it lacks.
    """
    missing: dict[str, int] = {}
    for (domain, kind, version), count in sorted(file.operators.items()):
        plain = domain == "ai.onnx"
        try:
            find(operation_type=kind, version=version, domain="" if plain else domain)
        except NotImplementedError:
            missing[f"{kind}-{version}" if plain else f"{domain}.{kind}-{version}"] = count
    return missing


def _check_agreement(file: OnnxFile, network: nn.Module, *, name: str, side: int, dim: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, side, side, generator=generator)
    with torch.no_grad():
        try:
            found = network(x)
        except (RuntimeError, ValueError, TypeError) as error:
            raise WeightsError(
                f"{file.path} converts and fails when it runs: {_first_line(error)}"
            ) from error
        if tuple(found.shape) != (2, dim):
            raise WeightsError(
                f"{file.path} converts and gives {tuple(found.shape)} for 2 images, not (2, {dim})"
            )
        try:
            expected = runtime_network(file, name=name, dim=dim)(x)
        except MissingExtraError:
            return
    units = [torch.nn.functional.normalize(y, dim=1) for y in (found, expected)]
    difference = float((units[0] - units[1]).abs().max())
    if not difference <= _AGREEMENT:
        raise WeightsError(
            f"{file.path} converts to something else: its embeddings differ by {difference:.2g} "
            "from those of ONNX Runtime"
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
