"""Runs the graph of a weight file as it stands, operator by operator.

For networks that measure faces and are never optimised against: nothing is folded, and no
architecture is declared, since the hash of the file says which network it is. Every value is
(N, channels, rows, columns), matrices and means 1x1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError
from veilface.recognizers.layers import Padding, same_padding
from veilface.recognizers.readers.graph import Array, Graph, Node


class GraphNetwork(nn.Module):
    """Evaluates graphs of one file; the operators that they share are run once.

    Args:
        graphs: In the layout ``nhwc``, one for each wanted output.

    Raises:
        WeightsError: An operator is not known here, or reads what nothing defines.
    """

    def __init__(self, graphs: Sequence[Graph]) -> None:
        super().__init__()
        self.input = graphs[0].input
        self.outputs = tuple(graph.output for graph in graphs)
        merged = {node.output: node for graph in graphs for node in graph.nodes}
        constants = {name: array for graph in graphs for name, array in graph.constants.items()}
        self.nodes = tuple(merged.values())
        known = {self.input, *merged}
        for number, node in enumerate(self.nodes):
            if node.operator not in _OPERATORS:
                msg = f"the weight file cannot be read: {node.name} is a {node.operator}"
                raise WeightsError(msg)
            for place, name in enumerate(node.inputs):
                if name in known:
                    continue
                if name not in constants:
                    msg = f"the weight file cannot be read: {node.name} reads {name!r}"
                    raise WeightsError(msg)
                values = _arranged(constants[name], node, place)
                self.register_buffer(f"constant_{number}_{place}", values, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The outputs (N, D) of images (N, channels, rows, columns), normalised as they expect."""
        values = {self.input: x.contiguous(memory_format=torch.channels_last)}
        for number, node in enumerate(self.nodes):
            read = [
                values[name] if name in values else self.get_buffer(f"constant_{number}_{place}")
                for place, name in enumerate(node.inputs)
            ]
            values[node.output] = _OPERATORS[node.operator](node, *read)
        return tuple(values[name].flatten(1) for name in self.outputs)


def _arranged(array: Array, node: Node, place: int) -> Tensor:
    """A constant as float32: weights as they are, everything else per channel."""
    tensor = torch.from_numpy(np.array(array, dtype=np.float32))
    if node.operator in ("conv", "dense"):
        return tensor if place == 1 else tensor.reshape(-1)
    if tensor.numel() != max(tensor.shape, default=1):
        msg = f"the weight file cannot be read: {node.name} reads a table {tuple(tensor.shape)}"
        raise WeightsError(msg)
    return tensor.reshape(-1) if node.operator == "prelu" else tensor.reshape(1, -1, 1, 1)


def _padding(node: Node, x: Tensor, window: int) -> Padding:
    if node.padding != "same":
        return node.padding
    top, bottom = same_padding(x.shape[2], window, node.stride)
    left, right = same_padding(x.shape[3], window, node.stride)
    return left, right, top, bottom


def _conv(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    left, right, top, bottom = padding = _padding(node, x, weight.shape[2])
    even = (top, left)
    if left != right or top != bottom:
        x, even = F.pad(x, padding), (0, 0)
    return F.conv2d(x, weight, bias, node.stride, even, groups=node.groups)


def _dense(_: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.linear(x.flatten(1), weight, bias)[:, :, None, None]


def _max_pool(node: Node, x: Tensor) -> Tensor:
    padded = F.pad(x, _padding(node, x, node.window), value=-torch.inf)
    return F.max_pool2d(padded, node.window, node.stride)


def _pad(node: Node, x: Tensor) -> Tensor:
    return F.pad(x, (*_padding(node, x, 1), 0, node.channels))


def _flatten(_: Node, x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(1)[:, :, None, None]


_OPERATORS: Mapping[str, Callable[..., Tensor]] = {
    "conv": _conv,
    "dense": _dense,
    "add": lambda _, x, y: x + y,
    "sub": lambda _, x, y: x - y,
    "mul": lambda _, x, y: x * y,
    "minimum": lambda _, x, y: torch.minimum(x, y),
    "maximum": lambda _, x, y: torch.maximum(x, y),
    "relu": lambda _, x: torch.relu(x),
    "abs": lambda _, x: x.abs(),
    "prelu": lambda _, x, slope: torch.prelu(x, slope),
    "pad": _pad,
    "flatten": _flatten,
    "mean": lambda _, x: x.mean((2, 3), keepdim=True),
    "maxpool": _max_pool,
    "sigmoid": lambda _, x: torch.sigmoid(x),
    "softmax": lambda _, x: torch.softmax(x, dim=1),
    "identity": lambda _, x: x,
}
