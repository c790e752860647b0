"""A convolution whose batch norm is folded in when a PyTorch state dict is loaded."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError

_EPSILON = 1e-3  # of the batch norms: TensorFlow's default
_NEGLIGIBLE = 1e-12  # of the largest weight; subnormal numbers slow a CPU down

Pair = int | tuple[int, int]


class FoldedConv(nn.Module):
    """A convolution with bias and, by default, ReLU, whose numbers never train.

    Args:
        channels: Channels that it reads.
        out: Channels that it writes.
        kernel: Rows and columns of the kernel.
        stride: Step in both directions.
        padding: Zeros above and below, left and right.
        normed: The file has a convolution without bias and a batch norm, named ``conv`` and
            ``bn``; otherwise a convolution with a bias and no batch norm or ReLU.
        scale: Factor of the output.
        relu: Whether a ReLU follows a normed convolution.
        names: Full names of convolution and batch norm in the file, where they are others.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: Pair,
        *,
        stride: int = 1,
        padding: Pair = 0,
        normed: bool = True,
        scale: float = 1.0,
        relu: bool = True,
        names: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.weight = nn.Parameter(torch.empty(out, channels, rows, columns), requires_grad=False)
        self.bias = nn.Parameter(torch.empty(out), requires_grad=False)
        self.stride, self.padding = stride, padding
        self.normed, self.scale, self.relu = normed, scale, relu and normed
        self.names = names

    def load(self, name: str, state: dict[str, Tensor]) -> None:
        """Take the numbers out of a state dict and fold them in float64.

        Args:
            name: Path of this module.
            state: Tensors by name; those of this convolution are removed.

        Raises:
            WeightsError: One is missing or has another shape.
        """
        out = self.weight.shape[0]
        conv, norm = self.names or (f"{name}.conv", f"{name}.bn")
        if not self.normed:
            weight = self._take(state, f"{name}.weight", out)
            bias = _vector(state, f"{name}.bias", out)
            factor = torch.ones(out, dtype=torch.float64)
        else:
            weight = self._take(state, f"{conv}.weight", out)
            gamma, beta, mean, variance = (
                _vector(state, f"{norm}.{part}", out)
                for part in ("weight", "bias", "running_mean", "running_var")
            )
            state.pop(f"{norm}.num_batches_tracked", None)
            if bool((variance < 0).any()):
                msg = f"the weight file has a negative variance in {norm}"
                raise WeightsError(msg)
            factor = gamma / (variance + _EPSILON).sqrt()
            bias = beta - mean * factor
        weight = weight * (self.scale * factor)[:, None, None, None]
        weight[weight.abs() <= _NEGLIGIBLE * weight.abs().max()] = 0
        self.bias.data.copy_(self.scale * bias)
        self.weight.data.copy_(weight)
        self.weight.data = self.weight.data.contiguous(memory_format=torch.channels_last)

    def _take(self, state: dict[str, Tensor], name: str, out: int) -> Tensor:
        shape = tuple(self.weight.shape)
        found = _entry(state, name, shape if self.names is None else (out, math.prod(shape[1:])))
        return found.reshape(shape)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H', W')."""
        y = F.conv2d(x, self.weight, self.bias, self.stride, self.padding)
        return F.relu(y) if self.relu else y


def _vector(state: dict[str, Tensor], name: str, width: int) -> Tensor:
    return _entry(state, name, (width,))


def _entry(state: dict[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    found = state.pop(name, None)
    if found is None:
        msg = f"the weight file has no {name}"
        raise WeightsError(msg)
    if tuple(found.shape) != shape:
        msg = f"the weight file has {name} of shape {tuple(found.shape)}, not {shape}"
        raise WeightsError(msg)
    return found.to(torch.float64)
