"""From the operators of a file to folded layers: convolution, bias, one activation.

Exporters spell the same network in many ways: batch norms apart or folded, PReLU as an operator or
as relu(x) + c·(x − |x|) or as max(0, x) + c·min(0, x), padding apart or inside. All of that is
per-channel arithmetic between two convolutions, so this module follows each value as a
`symbolic.Value`. What the next layer reads then folds exactly: its a and b into the layer before, n
into that layer's PReLU slope, and p and t (a batch norm behind an activation) into the layer after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from veilface.recognizers.layers import Layer, same_padding
from veilface.recognizers.readers.graph import Graph, Node
from veilface.recognizers.readers.lowered import Float64, Lowered, LoweredLayer
from veilface.recognizers.readers.symbolic import ONE, ZERO, Value, unreadable

_BELOW = {"relu": ZERO, "abs": -ONE}
_SIGN = {"add": 1.0, "sub": -1.0}
_NEVER = frozenset({"maxpool", "sigmoid", "softmax"})
"""Operators of the networks that measure faces; `GraphNetwork` runs those."""


@dataclass(slots=True)
class _Step:
    """A layer under construction; its affine part and activation are known at its first use."""

    layer: Layer
    weight: Float64 | None = None
    bias: Float64 | None = None
    used_as: Value | None = field(default=None)


class _Lowering:
    """Walks a graph once; `run` is the only entry."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps: list[_Step] = []
        self.values: dict[str, Value] = {graph.input: Value.of(0, graph.size)}
        self.image: Value | None = None

    def run(self) -> Lowered:
        for node in self.graph.nodes:
            data = [self.values[name] for name in node.inputs if name in self.values]
            constants = [self._constant(n, node) for n in node.inputs if n not in self.values]
            swapped = bool(constants) and node.inputs[0] not in self.values
            self.values[node.output] = self._apply(node, data, constants, swapped=swapped)
        last = self.values[self.graph.output]
        factor, shift = self._use(last)
        if last.source != len(self.steps) or not (np.all(factor == 1) and np.all(shift == 0)):
            raise unreadable(self.graph.output, "is not the plain output of the last layer")
        layers = tuple(self._finished(step) for step in self.steps)
        image = self.image or Value.of(0, self.graph.size)
        return Lowered(image.a, image.b, layers)

    def _apply(
        self, node: Node, data: Sequence[Value], constants: Sequence[Float64], *, swapped: bool
    ) -> Value:
        if node.operator in _NEVER:
            raise unreadable(node.name, f"is a {node.operator}, which no known recogniser has")
        if len(data) == 2:
            return self._combine(node, *data)
        if len(data) != 1:
            raise unreadable(node.name, f"reads {len(data)} activations")
        if node.operator in ("conv", "dense", "pad", "flatten", "mean", "identity"):
            return self._structure(node, data[0], constants)
        if swapped and node.operator == "sub":
            raise unreadable(node.name, "subtracts an activation from a constant")
        return self._arithmetic(node, data[0], constants)

    def _structure(self, node: Node, value: Value, constants: Sequence[Float64]) -> Value:
        match node.operator:
            case "conv" | "dense":
                return self._convolution(node, value, constants)
            case "pad" if node.padding != "same" and not (any(value.padding) or node.channels):
                return replace(value, padding=node.padding)
            case "flatten":
                return replace(value, flat=True)
            case "mean":
                return self._mean(node, value)
            case "identity":
                return value
        raise unreadable(node.name, f"is a {node.operator} in a place that is not understood")

    def _arithmetic(self, node: Node, value: Value, constants: Sequence[Float64]) -> Value:
        def vector(array: Float64) -> Float64:
            return value.vector(array, layout=self.graph.layout)

        match node.operator:
            case "batchnorm":
                gamma, beta, mean, variance = constants
                factor = gamma / np.sqrt(variance + node.epsilon)
                return value.affine(vector(factor), vector(beta - mean * factor))
            case "mul":
                return value.affine(vector(constants[0]), vector(ZERO))
            case "add" | "sub":
                return value.affine(vector(ONE), _SIGN[node.operator] * vector(constants[0]))
            case "relu" | "abs":
                return value.pieces(node.name, ONE, _BELOW[node.operator])
            case "prelu":
                return value.pieces(node.name, ONE, vector(constants[0]))
        return value.bounded(node.name, node.operator, constants[0])

    def _combine(self, node: Node, first: Value, second: Value) -> Value:
        if node.operator in _SIGN:
            combined = first.combined(second, _SIGN[node.operator])
            if combined is not None:
                return combined
        if node.operator != "add" or first.shape != second.shape:
            raise unreadable(node.name, f"is a {node.operator} of two different activations")
        for value in (first, second):
            factor, shift = self._use(value)
            if np.any(factor != 1) or np.any(shift != 0):
                raise unreadable(node.name, "adds a scaled activation")
        width = first.shape[0]
        sources = sorted((first.source, second.source))
        layer = Layer("add", tuple(sources), (width, width))
        return self._append(_Step(layer), first.shape)

    def _convolution(self, node: Node, value: Value, constants: Sequence[Float64]) -> Value:
        weight, shape = constants[0], value.shape
        if node.operator == "dense":
            weight = self._dense_as_convolution(node, value, weight)
        out, per_group, kernel, columns = weight.shape
        if per_group * node.groups != shape[0] or kernel != columns:
            raise unreadable(node.name, f"has a weight {weight.shape} for input {shape}")
        padding = value.padding
        if node.padding == "same":
            top, bottom = same_padding(shape[1], kernel, node.stride)
            left, right = same_padding(shape[2], kernel, node.stride)
            padding = (left, right, top, bottom)
        elif any(node.padding):
            padding = node.padding
        factor, shift = self._use(value)
        if np.any(shift != 0) and any(padding) and value.source > 0:
            raise unreadable(node.name, "pads a shifted activation")
        bias = constants[1].reshape(-1) if len(constants) > 1 else np.zeros(out)
        if value.source > 0:  # the image's own factor is the caller's normalisation
            read = np.repeat(np.arange(shape[0]).reshape(node.groups, -1), out // node.groups, 0)
            bias = bias + (weight.sum(axis=(2, 3)) * shift[read]).sum(axis=1)
            weight = weight * factor[read][:, :, None, None]
        layer = Layer(
            "conv", (value.source,), (shape[0], out), kernel, node.stride, padding, node.groups
        )
        left, right, top, bottom = padding
        rows_out = (shape[1] + top + bottom - kernel) // node.stride + 1
        columns_out = (shape[2] + left + right - kernel) // node.stride + 1
        return self._append(_Step(layer, weight, bias), (out, rows_out, columns_out))

    def _dense_as_convolution(self, node: Node, value: Value, weight: Float64) -> Float64:
        channels, rows, columns = value.shape
        if weight.ndim != 2 or weight.shape[1] != channels * rows * columns:
            raise unreadable(node.name, f"has a weight {weight.shape} for input {value.shape}")
        if self.graph.layout == "nchw":
            return weight.reshape(-1, channels, rows, columns)
        return weight.reshape(-1, rows, columns, channels).transpose(0, 3, 1, 2)

    def _mean(self, node: Node, value: Value) -> Value:
        factor, shift = self._use(value)
        if np.any(factor != 1) or np.any(shift != 0):
            raise unreadable(node.name, "averages a scaled activation")
        width = value.shape[0]
        return self._append(_Step(Layer("mean", (value.source,), (width, width))), (width, 1, 1))

    def _append(self, step: _Step, shape: tuple[int, int, int]) -> Value:
        self.steps.append(step)
        return Value.of(len(self.steps), shape)

    def _use(self, value: Value) -> tuple[Float64, Float64]:
        """Settle what follows the source of a value; return the factor and shift left over."""
        settled = value.settled
        if value.source == 0:
            if not value.linear or (self.image and not self.image.acts_like(settled)):
                raise unreadable(self.graph.input, "is used in two ways")
            self.image = settled
            return np.ones_like(value.p), np.zeros_like(value.t)
        step = self.steps[value.source - 1]
        if step.used_as is not None and not step.used_as.acts_like(settled):
            raise unreadable(f"layer {value.source}", "is used with two activations")
        step.used_as = settled
        return value.p, value.t

    def _finished(self, step: _Step) -> LoweredLayer:
        used = step.used_as
        if used is None:
            raise unreadable(str(step.layer), "is never used")
        if step.weight is None or step.bias is None:
            if not (used.linear and np.all(used.a == 1) and not np.any(used.b)):
                raise unreadable(str(step.layer), "is followed by arithmetic")
            return LoweredLayer(step.layer)
        weight = step.weight * used.a[:, None, None, None]
        bias = step.bias * used.a + used.b
        activation, slope = used.activation
        layer = replace(step.layer, activation=activation)
        return LoweredLayer(layer, weight, bias, slope)

    def _constant(self, name: str, node: Node) -> Float64:
        if name not in self.graph.constants:
            raise unreadable(node.name, f"reads {name!r}, which nothing defines")
        return np.asarray(self.graph.constants[name], dtype=np.float64)


def fold(graph: Graph) -> Lowered:
    """Fold a graph into layers, one for each convolution of the file.

    Args:
        graph: Operators and weights as a reader returns them.

    Returns:
        The layers with float64 weights, batch norms and scales folded in.

    Raises:
        WeightsError: The graph does something that is not a chain of convolutions, activations,
            sums and means; the message names the operator.
    """
    return _Lowering(graph).run()
