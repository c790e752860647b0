"""From the operators of a file to folded layers: convolution, bias, one activation.

Exporters spell the same network in many ways: batch norms apart or folded, PReLU as an operator or
as relu(x) + c·(x − |x|) or as max(0, x) + c·min(0, x), padding apart or inside. All of that is
per-channel arithmetic between two convolutions, so this module follows each value symbolically as

    y = min(p·max(z, 0) + n·min(z, 0), cap) + t,   z = a·x + b,   x = output of a layer,

with a, b, p, n, t per channel in float64. What the next layer reads then folds exactly: a and b
into the layer before, n into its PReLU slope, and p and t (a batch norm behind an activation) into
the layer after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from veilface.errors import WeightsError
from veilface.recognizers.layers import NO_PADDING, Activation, Layer, Padding, same_padding
from veilface.recognizers.readers.graph import Graph, Node
from veilface.recognizers.readers.lowered import Float64, Lowered, LoweredLayer

_NEVER = frozenset({"maxpool", "sigmoid", "softmax"})
"""Operators of the networks that measure faces; `GraphNetwork` runs those."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the graph as a per-channel function of the output of layer ``source``."""

    source: int
    shape: tuple[int, int, int]
    a: Float64
    b: Float64
    p: Float64
    n: Float64
    t: Float64
    cap: float | None = None
    padding: Padding = NO_PADDING
    flat: bool = False

    @property
    def linear(self) -> bool:
        """No activation so far."""
        return self.cap is None and bool(np.all(self.p == 1) and np.all(self.n == 1))


@dataclass(slots=True)
class _Step:
    """A layer under construction; its affine part and activation are known at its first use."""

    layer: Layer
    weight: Float64 | None = None
    bias: Float64 | None = None
    used_as: _Value | None = field(default=None)


def _fresh(source: int, shape: tuple[int, int, int]) -> _Value:
    ones, zeros = np.ones(shape[0]), np.zeros(shape[0])
    return _Value(source, shape, ones, zeros, ones, ones, zeros)


class _Lowering:
    """Walks a graph once; `run` is the only entry."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps: list[_Step] = []
        self.values: dict[str, _Value] = {graph.input: _fresh(0, graph.size)}
        self.image: _Value | None = None

    def run(self) -> Lowered:
        for node in self.graph.nodes:
            data = [self.values[name] for name in node.inputs if name in self.values]
            constants = [self._constant(n, node) for n in node.inputs if n not in self.values]
            swapped = bool(constants) and node.inputs[0] not in self.values
            self.values[node.output] = self._apply(node, data, constants, swapped=swapped)
        last = self.values[self.graph.output]
        factor, shift = self._use(last)
        if last.source != len(self.steps) or not (np.all(factor == 1) and np.all(shift == 0)):
            raise self._error(self.graph.output, "is not the plain output of the last layer")
        layers = tuple(self._finished(step) for step in self.steps)
        image = self.image or _fresh(0, self.graph.size)
        return Lowered(image.a, image.b, layers)

    def _apply(
        self, node: Node, data: Sequence[_Value], constants: Sequence[Float64], *, swapped: bool
    ) -> _Value:
        if node.operator in _NEVER:
            raise self._error(node.name, f"is a {node.operator}, which no known recogniser has")
        if len(data) == 2:
            return self._combine(node, *data)
        if len(data) != 1:
            raise self._error(node.name, f"reads {len(data)} activations")
        if node.operator in ("conv", "dense", "pad", "flatten", "mean", "identity"):
            return self._structure(node, data[0], constants)
        if swapped and node.operator == "sub":
            raise self._error(node.name, "subtracts an activation from a constant")
        return self._arithmetic(node, data[0], constants)

    def _structure(self, node: Node, value: _Value, constants: Sequence[Float64]) -> _Value:
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
        raise self._error(node.name, f"is a {node.operator} in a place that is not understood")

    def _arithmetic(self, node: Node, value: _Value, constants: Sequence[Float64]) -> _Value:
        one, zero = np.ones(()), np.zeros(())
        if node.operator == "batchnorm":
            gamma, beta, mean, variance = constants
            factor = gamma / np.sqrt(variance + node.epsilon)
            result = self._affine(value, factor, beta - mean * factor)
        elif node.operator == "mul":
            result = self._affine(value, constants[0], zero)
        elif node.operator in ("add", "sub"):
            sign = 1 if node.operator == "add" else -1
            result = self._affine(value, one, sign * constants[0])
        elif node.operator == "relu":
            result = self._pieces(node, value, one, zero)
        elif node.operator == "abs":
            result = self._pieces(node, value, one, -one)
        elif node.operator == "prelu":
            result = self._pieces(node, value, one, self._vector(constants[0], value))
        else:
            result = self._bound(node, value, constants[0])
        return result

    # Per-channel arithmetic.

    def _affine(self, value: _Value, factor: Float64, shift: Float64) -> _Value:
        factor, shift = self._vector(factor, value), self._vector(shift, value)
        if value.linear and not np.any(value.t):
            return replace(value, a=value.a * factor, b=value.b * factor + shift)
        if value.cap is not None and not np.all(factor == 1):
            raise self._error("a factor", "behind a capped activation is not supported")
        t = value.t * factor + shift
        return replace(value, p=value.p * factor, n=value.n * factor, t=t)

    def _pieces(self, node: Node, value: _Value, p: Float64, n: Float64) -> _Value:
        if not value.linear or np.any(value.t):
            raise self._error(node.name, "is an activation of an activation")
        return replace(value, p=value.p * p, n=value.n * n)

    def _bound(self, node: Node, value: _Value, bound: Float64) -> _Value:
        limit = float(bound.reshape(-1)[0]) if bound.size == 1 else float("nan")
        if limit == 0:
            if node.operator == "maximum" and not np.any(value.n) and np.all(value.p == 1):
                return value  # already rectified
            keep = np.ones(()), np.zeros(())
            return self._pieces(node, value, *(keep if node.operator == "maximum" else keep[::-1]))
        rectified = not np.any(value.n) and np.all(value.p == 1) and not np.any(value.t)
        if node.operator == "minimum" and limit > 0 and rectified and value.cap is None:
            return replace(value, cap=limit)
        raise self._error(node.name, f"bounds by {limit}, which no known activation does")

    def _combine(self, node: Node, first: _Value, second: _Value) -> _Value:
        sign = {"add": 1.0, "sub": -1.0}.get(node.operator)
        same = (
            first.source == second.source
            and np.array_equal(first.a, second.a)
            and np.array_equal(first.b, second.b)
            and first.cap is None
            and second.cap is None
        )
        if sign is not None and same and first.source > 0:
            return replace(
                first,
                p=first.p + sign * second.p,
                n=first.n + sign * second.n,
                t=first.t + sign * second.t,
            )
        if node.operator != "add" or first.shape != second.shape:
            raise self._error(node.name, f"is a {node.operator} of two different activations")
        for value in (first, second):
            factor, shift = self._use(value)
            if np.any(factor != 1) or np.any(shift != 0):
                raise self._error(node.name, "adds a scaled activation")
        width = first.shape[0]
        sources = sorted((first.source, second.source))
        layer = Layer("add", tuple(sources), (width, width))
        return self._append(_Step(layer), first.shape)

    # Layers.

    def _convolution(self, node: Node, value: _Value, constants: Sequence[Float64]) -> _Value:
        weight, shape = constants[0], value.shape
        if node.operator == "dense":
            weight = self._dense_as_convolution(node, value, weight)
        out, per_group, kernel, columns = weight.shape
        if per_group * node.groups != shape[0] or kernel != columns:
            raise self._error(node.name, f"has a weight {weight.shape} for input {shape}")
        padding = value.padding
        if node.padding == "same":
            top, bottom = same_padding(shape[1], kernel, node.stride)
            left, right = same_padding(shape[2], kernel, node.stride)
            padding = (left, right, top, bottom)
        elif any(node.padding):
            padding = node.padding
        factor, shift = self._use(value)
        if np.any(shift != 0) and any(padding) and value.source > 0:
            raise self._error(node.name, "pads a shifted activation")
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

    def _dense_as_convolution(self, node: Node, value: _Value, weight: Float64) -> Float64:
        channels, rows, columns = value.shape
        if weight.ndim != 2 or weight.shape[1] != channels * rows * columns:
            raise self._error(node.name, f"has a weight {weight.shape} for input {value.shape}")
        if self.graph.layout == "nchw":
            return weight.reshape(-1, channels, rows, columns)
        return weight.reshape(-1, rows, columns, channels).transpose(0, 3, 1, 2)

    def _mean(self, node: Node, value: _Value) -> _Value:
        factor, shift = self._use(value)
        if np.any(factor != 1) or np.any(shift != 0):
            raise self._error(node.name, "averages a scaled activation")
        width = value.shape[0]
        return self._append(_Step(Layer("mean", (value.source,), (width, width))), (width, 1, 1))

    def _append(self, step: _Step, shape: tuple[int, int, int]) -> _Value:
        self.steps.append(step)
        return _fresh(len(self.steps), shape)

    def _use(self, value: _Value) -> tuple[Float64, Float64]:
        """Settle what follows the source of a value; return the factor and shift left over."""
        slope_of_p = np.where(value.p == 0, 1.0, value.p)
        if np.any((value.p == 0) & (value.n != 0)) or (value.cap and np.any(value.p != 1)):
            raise self._error(f"layer {value.source}", "has an activation that is not supported")
        settled = replace(
            value,
            p=np.ones_like(value.p),
            n=value.n / slope_of_p,
            t=np.zeros_like(value.t),
            padding=NO_PADDING,
            flat=False,
        )
        if value.source == 0:
            if not value.linear or (self.image and not _equal(self.image, settled)):
                raise self._error(self.graph.input, "is used in two ways")
            self.image = settled
            return np.ones_like(value.p), np.zeros_like(value.t)
        step = self.steps[value.source - 1]
        if step.used_as is not None and not _equal(step.used_as, settled):
            raise self._error(f"layer {value.source}", "is used with two activations")
        step.used_as = settled
        return value.p, value.t

    def _finished(self, step: _Step) -> LoweredLayer:
        used = step.used_as
        if used is None:
            raise self._error(str(step.layer), "is never used")
        if step.weight is None or step.bias is None:
            if not (used.linear and np.all(used.a == 1) and not np.any(used.b)):
                raise self._error(str(step.layer), "is followed by arithmetic")
            return LoweredLayer(step.layer)
        weight = step.weight * used.a[:, None, None, None]
        bias = step.bias * used.a + used.b
        activation, slope = _activation(used)
        layer = replace(step.layer, activation=activation)
        return LoweredLayer(layer, weight, bias, slope)

    # Helpers.

    def _constant(self, name: str, node: Node) -> Float64:
        if name not in self.graph.constants:
            raise self._error(node.name, f"reads {name!r}, which nothing defines")
        return np.asarray(self.graph.constants[name], dtype=np.float64)

    def _vector(self, array: Float64, value: _Value) -> Float64:
        """A scalar or a per-channel constant as (channels,)."""
        if array.size == 1:
            return np.full(value.shape[0], float(array.reshape(-1)[0]))
        axis = -3 if self.graph.layout == "nchw" and not value.flat and array.ndim >= 3 else -1
        if array.size != value.shape[0] or array.shape[axis] != array.size:
            msg = f"a constant of shape {array.shape} does not fit {value.shape[0]} channels"
            raise WeightsError(msg)
        return array.reshape(-1)

    def _error(self, where: str, what: str) -> WeightsError:
        return WeightsError(f"the weight file cannot be read: {where} {what}")


def _equal(first: _Value, second: _Value) -> bool:
    arrays = ((getattr(first, k), getattr(second, k)) for k in ("a", "b", "n"))
    return first.cap == second.cap and all(np.array_equal(x, y) for x, y in arrays)


def _activation(value: _Value) -> tuple[Activation, Float64 | None]:
    if value.cap is not None:
        if value.cap != 6:
            msg = f"the weight file caps an activation at {value.cap}; only 6 is known"
            raise WeightsError(msg)
        return "relu6", None
    if np.all(value.n == 1):
        return "none", None
    return ("relu", None) if not np.any(value.n) else ("prelu", value.n)


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
