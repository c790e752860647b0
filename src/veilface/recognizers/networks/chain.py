"""Runs a network given as a list of layers; every architecture but dlib's is such a list.

Activations are kept channels last. There a 1x1 convolution is one matrix product without any
reordering, and the depthwise kernels of the CPU backend are at their fastest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError
from veilface.recognizers.layers import Layer
from veilface.recognizers.networks.activations import frozen_prelu
from veilface.recognizers.readers.lowered import Lowered, LoweredLayer

_NEGLIGIBLE = 1e-12  # of the largest value of the same array; float32 resolves 6e-8


class FrozenConv(nn.Module):
    """A convolution with bias and activation whose numbers never train.

    A 1x1 convolution is computed as a matrix product over channels; so is one that covers its
    whole input, whose weight is then stored (out, rows · columns · in). A depthwise kernel with
    one zero more after the image than before it (TensorFlow's SAME) gets a row and a column of
    zeros in front instead, which makes the padding even: half the time of padding a copy.

    Args:
        layer: Its description.
        covers: Whether the kernel is as large as the input.
    """

    def __init__(self, layer: Layer, *, covers: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.pointwise = layer.kernel == 1 and layer.stride == 1 and layer.groups == 1
        self.covers = covers and layer.groups == 1 and not self.pointwise
        out, per_group, rows, columns = layer.weight_shape
        left, right, top, bottom = layer.padding
        self.even = left == right and top == bottom
        self.enlarged = layer.groups > 1 and right == left + 1 and bottom == top + 1
        matrix = self.pointwise or self.covers
        rows, columns = rows + self.enlarged, columns + self.enlarged
        self.weight = _empty(
            (out, rows * columns * per_group) if matrix else (out, per_group, rows, columns)
        )
        self.bias = _empty((out,))
        self.slope = _empty((out,)) if layer.activation == "prelu" else None

    def load(self, numbers: LoweredLayer) -> None:
        """Take the numbers of a weight file; the description must be this layer's.

        Raises:
            WeightsError: It is another layer.
        """
        weight, bias = numbers.weight, numbers.bias
        if numbers.layer != self.layer or weight is None or bias is None:
            msg = f"the weight file has '{numbers.layer}' where '{self.layer}' is expected"
            raise WeightsError(msg)
        if self.pointwise or self.covers:
            weight = weight.transpose(0, 2, 3, 1).reshape(weight.shape[0], -1)
        elif self.enlarged:
            weight = np.pad(weight, ((0, 0), (0, 0), (1, 0), (1, 0)))
        _fill(self.weight, weight)
        _fill(self.bias, bias)
        if self.slope is not None and numbers.slope is not None:
            _fill(self.slope, numbers.slope)
        if not (self.pointwise or self.covers):
            self.weight.data = self.weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H', W')."""
        if self.covers:
            flat = x.permute(0, 2, 3, 1).flatten(1)
            y = F.linear(flat, self.weight, self.bias)[:, :, None, None]
        elif self.pointwise:
            y = F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)
        else:
            y = self._convolution(x)
        if self.slope is not None:
            return frozen_prelu(y, self.slope)
        if self.layer.activation == "relu6":
            return F.relu6(y)
        return F.relu(y) if self.layer.activation == "relu" else y

    def _convolution(self, x: Tensor) -> Tensor:
        _, right, _, bottom = self.layer.padding
        padding: tuple[int, int] = (bottom, right)
        if not (self.even or self.enlarged):
            x, padding = F.pad(x, self.layer.padding), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.layer.stride, padding, 1, self.layer.groups)


class FrozenNetwork(nn.Module):
    """A feed-forward network with sums, described by its layers.

    The weights are undefined until `load`; nothing is drawn at random.

    Args:
        layers: The architecture; layer k reads outputs of layers before it, 0 is the image.
        side: Side of the square image in pixels.
    """

    def __init__(self, layers: Sequence[Layer], *, side: int) -> None:
        super().__init__()
        self.layers = tuple(layers)
        sides = [side]
        modules: list[nn.Module] = []
        self.macs = 0
        for layer in self.layers:
            before = sides[layer.inputs[0]]
            sides.append(_side_after(layer, before))
            if layer.kind == "conv":
                modules.append(FrozenConv(layer, covers=_covers(layer, before)))
                out, per_group, rows, columns = layer.weight_shape
                self.macs += out * per_group * rows * columns * sides[-1] ** 2
            else:
                modules.append(nn.Identity())
        self.steps = nn.ModuleList(modules)
        # The last reader of each output, so that a long chain does not keep everything alive.
        self._last = {n: k for k, layer in enumerate(self.layers) for n in layer.inputs}

    def load(self, network: Lowered) -> None:
        """Take the numbers of a weight file.

        Args:
            network: Folded layers.

        Raises:
            WeightsError: The file holds another architecture; the message names the first
                difference.
        """
        if len(network.layers) != len(self.layers):
            msg = f"the weight file has {len(network.layers)} layers, not {len(self.layers)}"
            raise WeightsError(msg)
        for declared, step, numbers in zip(self.layers, self.steps, network.layers, strict=True):
            if isinstance(step, FrozenConv):
                step.load(numbers)
            elif declared != numbers.layer:
                msg = f"the weight file has '{numbers.layer}' where '{declared}' is expected"
                raise WeightsError(msg)

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings (N, D) of normalised images (N, 3, side, side)."""
        outputs: dict[int, Tensor] = {0: x.contiguous(memory_format=torch.channels_last)}
        for number, (layer, step) in enumerate(zip(self.layers, self.steps, strict=True)):
            read = [outputs[n] for n in layer.inputs]
            for n in layer.inputs:
                if self._last[n] == number:
                    outputs.pop(n, None)
            if layer.kind == "add":
                result = read[0] + read[1]
            elif layer.kind == "mean":
                result = read[0].mean((2, 3), keepdim=True)
            else:
                result = step(read[0])
            outputs[number + 1] = result
        return outputs[len(self.layers)].flatten(1)


def _empty(shape: tuple[int, ...]) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape), requires_grad=False)


def _fill(parameter: nn.Parameter, values: npt.NDArray[np.float64]) -> None:
    """Copy float64 numbers into a parameter, rounded to its type.

    Channels that training switched off hold values down to 1e-45. They change no output, but the
    subnormal numbers that they make slow a CPU down eightfold, so they become zeros.
    """
    negligible = np.abs(values) <= _NEGLIGIBLE * np.abs(values).max(initial=0.0)
    source = torch.from_numpy(np.where(negligible, 0.0, values))
    if source.shape != parameter.shape:
        msg = f"the weight file has {tuple(source.shape)} where {tuple(parameter.shape)} belongs"
        raise WeightsError(msg)
    parameter.data.copy_(source)


def _side_after(layer: Layer, side: int) -> int:
    if layer.kind != "conv":
        return side if layer.kind == "add" else 1
    return (side + sum(layer.padding[:2]) - layer.kernel) // layer.stride + 1


def _covers(layer: Layer, side: int) -> bool:
    return layer.kernel == side and not any(layer.padding)
