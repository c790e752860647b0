"""From the operators of TensorFlow.js to those of a `Graph`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from veilface.errors import WeightsError
from veilface.recognizers.layers import Padding
from veilface.recognizers.readers.graph import Array, Node, Operator, RawNode

_SIMPLE: Mapping[str, Operator] = {
    "Add": "add",
    "AddV2": "add",
    "BiasAdd": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Relu": "relu",
    "Abs": "abs",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Prelu": "prelu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Identity": "identity",
}
_FUSED: Mapping[str, Operator] = {"Relu": "relu", "Prelu": "prelu"}


def translated(node: RawNode, constants: dict[str, Array]) -> list[Node]:
    """The operators that one of the file stands for.

    The converter fuses a product, its bias and its activation; here they come apart again.

    Args:
        node: The file's operator.
        constants: Weights by name; those of products are added in the order that a graph has.

    Raises:
        WeightsError: The operator, or something about it, is not known.
    """
    if not node.kind.startswith("_Fused"):
        return [_single(node, constants)]
    fused = [base64.b64decode(name).decode("ascii") for name in _list(node, "fused_ops", "s")]
    known = fused[:1] == ["BiasAdd"] and len(fused) <= 2 and set(fused[1:]) <= _FUSED.keys()
    if not known or len(node.inputs) != 3 + ("Prelu" in fused):
        msg = f"{node.name}: {node.kind} with {fused} is not known"
        raise WeightsError(msg)
    kind = node.kind.removeprefix("_Fused")
    if len(fused) == 1:
        return [_single(replace(node, kind=kind), constants)]
    between = f"{node.name} before {fused[1]}"
    product = replace(node, kind=kind, inputs=node.inputs[:3], outputs=(between,))
    last = Node(_FUSED[fused[1]], node.name, (between, *node.inputs[3:]), node.outputs[0])
    return [_single(product, constants), last]


def _text(node: RawNode, attribute: str, default: str) -> str:
    if attribute not in node.attributes:
        return default
    try:
        return base64.b64decode(node.attributes[attribute]["s"]).decode("ascii")
    except binascii.Error:
        msg = f"{node.name}: the attribute {attribute} is damaged"
        raise WeightsError(msg) from None


def _single(node: RawNode, constants: dict[str, Array]) -> Node:
    name, inputs, output = node.name, node.inputs, node.outputs[0]
    match node.kind:
        case "Conv2D" | "DepthwiseConv2dNative":
            return _convolution(node, constants)
        case "MaxPool":
            return _pooled(node)
        case "MatMul":
            if any(node.attributes.get(k, {}).get("b") for k in ("transpose_a", "transpose_b")):
                msg = f"{name}: a transposed MatMul is not known"
                raise WeightsError(msg)
            stored = f"{inputs[1]} as (out, in)"
            constants[stored] = constants[inputs[1]].T
            return Node("dense", name, (inputs[0], stored, *inputs[2:]), output)
        case "Pad":
            return _padded(node, constants)
        case "Reshape" | "Mean":
            return _reduction(node, constants)
        case kind if kind in _SIMPLE:
            return Node(_SIMPLE[kind], name, inputs, output)
    msg = f"unknown TensorFlow.js operator {node.kind} ({name})"
    raise WeightsError(msg)


def _reduction(node: RawNode, constants: Mapping[str, Array]) -> Node:
    table = constants[node.inputs[1]].reshape(-1).tolist()
    if node.kind == "Reshape" and len(table) != 2:
        msg = f"{node.name}: Reshape to {table} is not a flattening"
        raise WeightsError(msg)
    if node.kind == "Mean" and sorted(table) != [1, 2]:
        msg = f"{node.name}: only a mean over rows and columns is known"
        raise WeightsError(msg)
    operator: Operator = "flatten" if node.kind == "Reshape" else "mean"
    return Node(operator, node.name, node.inputs[:1], node.outputs[0])


def _padded(node: RawNode, constants: Mapping[str, Array]) -> Node:
    table = constants[node.inputs[1]].tolist()
    if len(table) != 4 or table[0] != [0, 0] or table[3][0] != 0:
        msg = f"{node.name}: a padding by {table} is not known"
        raise WeightsError(msg)
    (top, bottom), (left, right) = table[1], table[2]
    padding, channels = (left, right, top, bottom), table[3][1]
    return Node(
        "pad", node.name, node.inputs[:1], node.outputs[0], padding=padding, channels=channels
    )


def _pooled(node: RawNode) -> Node:
    window, stride = (_square(node, attribute) for attribute in ("ksize", "strides"))
    return Node(
        "maxpool",
        node.name,
        node.inputs,
        node.outputs[0],
        stride=stride,
        padding=_border(node),
        window=window,
    )


def _list(node: RawNode, attribute: str, kind: str) -> list[Any]:
    found: list[Any] = node.attributes.get(attribute, {}).get("list", {}).get(kind, [])
    return found


def _square(node: RawNode, attribute: str) -> int:
    """The one size of a stride or window over rows and columns."""
    sizes = [int(n) for n in _list(node, attribute, "i")]
    if len(sizes) != 4 or sizes[0] != 1 or sizes[1] != sizes[2] or sizes[3] != 1:
        msg = f"{node.name}: {attribute} {sizes} are not known"
        raise WeightsError(msg)
    return sizes[1]


def _border(node: RawNode) -> Padding | Literal["same"]:
    layout, padding = _text(node, "data_format", "NHWC"), _text(node, "padding", "VALID")
    if layout != "NHWC" or padding not in ("SAME", "VALID"):
        msg = f"{node.name}: {node.kind} in {layout} with {padding} is not known"
        raise WeightsError(msg)
    return "same" if padding == "SAME" else (0, 0, 0, 0)


def _convolution(node: RawNode, constants: dict[str, Array]) -> Node:
    dilations = {int(n) for n in _list(node, "dilations", "i")}
    if not dilations <= {1}:
        msg = f"{node.name}: dilations {dilations} are not known"
        raise WeightsError(msg)
    kernel = constants[node.inputs[1]]
    depthwise = node.kind == "DepthwiseConv2dNative"
    stored = f"{node.inputs[1]} as (out, in, rows, columns)"
    if depthwise:  # (rows, columns, channels, multiplier)
        rows, columns, channels, multiplier = kernel.shape
        ordered = kernel.transpose(2, 3, 0, 1)
        constants[stored] = ordered.reshape(channels * multiplier, 1, rows, columns)
    else:  # (rows, columns, in, out)
        constants[stored] = kernel.transpose(3, 2, 0, 1)
    return Node(
        "conv",
        node.name,
        (node.inputs[0], stored, *node.inputs[2:]),
        node.outputs[0],
        stride=_square(node, "strides"),
        padding=_border(node),
        groups=kernel.shape[2] if depthwise else 1,
    )
