"""Reads TensorFlow.js graph models: a JSON topology and binary shards of weights.

Source:
    TensorFlow.js converter, ``weightsManifest`` and ``modelTopology`` as its loader reads them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from veilface.errors import WeightsError
from veilface.recognizers.weights.graph import Array, Graph, Node, Operator, RawNode, needed_for

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
    "Identity": "identity",
}
_TYPES = {
    "float32": "<f4",
    "float16": "<f2",
    "int32": "<i4",
    "uint16": "<u2",
    "uint8": "u1",
    "int8": "i1",
    "bool": "?",
}
_MAX_NODES = 100_000


def read_tfjs(topology: Path, shards: Sequence[Path], *, output: str | None = None) -> Graph:
    """Parse a graph model.

    Args:
        topology: The JSON file.
        shards: The binary files in the order of the manifest's paths.
        output: Name of the node to compute; by default the file's only output.

    Returns:
        The graph, with weights in (out, in per group, rows, columns) and (out, in).

    Raises:
        WeightsError: The files are not a graph model, do not belong together, or use an unknown
            operator or type.
    """
    try:
        model = json.loads(topology.read_bytes())
        if model.get("format") != "graph-model":
            msg = f"{topology.name} is not a TensorFlow.js graph model"
            raise WeightsError(msg)
        constants = _weights(model["weightsManifest"], b"".join(s.read_bytes() for s in shards))
        return _graph(model, constants, output)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        msg = f"{topology.name} is a damaged TensorFlow.js model: {error!r}"
        raise WeightsError(msg) from error


def _weights(manifest: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, Array]:
    found: dict[str, Array] = {}
    at = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        name, shape = str(entry["name"]), [int(n) for n in entry["shape"]]
        quantised = entry.get("quantization")
        kind = quantised["dtype"] if quantised else entry["dtype"]
        if kind not in _TYPES or min(shape, default=0) < 0:
            msg = f"the weight {name!r} has type {kind!r} and shape {shape}"
            raise WeightsError(msg)
        size = int(np.prod(shape, dtype=object)) * np.dtype(_TYPES[kind]).itemsize
        if size > len(data) - at:  # before anything is allocated
            msg = f"the weight {name!r} claims {size} bytes, {len(data) - at} are left"
            raise WeightsError(msg)
        values: Array = np.frombuffer(data[at : at + size], dtype=_TYPES[kind]).reshape(shape)
        if quantised and "scale" in quantised:
            values = values.astype(np.float64) * quantised["scale"] + quantised["min"]
        found[name] = values
        at += size
    if at != len(data):
        msg = f"{len(data) - at} bytes of the binary weights are in no entry of the manifest"
        raise WeightsError(msg)
    return found


def _graph(model: Mapping[str, Any], constants: dict[str, Array], output: str | None) -> Graph:
    listed = model["modelTopology"]["node"]
    if len(listed) > _MAX_NODES:
        msg = f"the TensorFlow.js model claims {len(listed)} operators"
        raise WeightsError(msg)
    raw = [_raw_node(node) for node in listed]
    missing = [node.name for node in raw if node.kind == "Const" and node.name not in constants]
    images = [node for node in raw if node.kind == "Placeholder"]
    if missing or len(images) != 1:
        msg = f"the TensorFlow.js model has {len(images)} inputs and lacks the weights {missing}"
        raise WeightsError(msg)
    unused = set(constants) - {name for node in raw for name in node.inputs}
    if unused:
        msg = f"the TensorFlow.js model has weights that nothing reads: {sorted(unused)[:4]}"
        raise WeightsError(msg)
    outputs = list(model["signature"]["outputs"].values())
    if output is None and len(outputs) != 1:
        msg = f"the TensorFlow.js model has {len(outputs)} outputs; one has to be named"
        raise WeightsError(msg)
    wanted = _plain(output or outputs[0]["name"])
    operators = [node for node in raw if node.kind not in ("Const", "Placeholder")]
    nodes = [_translated(node, constants) for node in needed_for(operators, wanted)]
    dims = [int(dim["size"]) for dim in images[0].attributes["shape"]["shape"]["dim"]]
    _, rows, columns, channels = dims
    size = (channels, rows, columns)
    return Graph("nhwc", images[0].name, size, wanted, tuple(nodes), constants)


def _raw_node(node: Mapping[str, Any]) -> RawNode:
    name = str(node["name"])
    # A leading ^ is an order of execution, not a value.
    inputs = tuple(_plain(i) for i in node.get("input", ()) if not i.startswith("^"))
    return RawNode(str(node["op"]), name, inputs, (name,), node.get("attr", {}))


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _text(node: RawNode, attribute: str, default: str) -> str:
    if attribute not in node.attributes:
        return default
    try:
        return base64.b64decode(node.attributes[attribute]["s"]).decode("ascii")
    except binascii.Error:
        msg = f"{node.name}: the attribute {attribute} is damaged"
        raise WeightsError(msg) from None


def _translated(node: RawNode, constants: dict[str, Array]) -> Node:
    name, inputs, output = node.name, node.inputs, node.outputs[0]
    match node.kind:
        case "Conv2D" | "DepthwiseConv2dNative":
            return _convolution(node, constants)
        case "MatMul":
            if any(node.attributes.get(k, {}).get("b") for k in ("transpose_a", "transpose_b")):
                msg = f"{name}: a transposed MatMul is not known"
                raise WeightsError(msg)
            stored = f"{inputs[1]} as (out, in)"
            constants[stored] = constants[inputs[1]].T
            return Node("dense", name, (inputs[0], stored), output)
        case "Pad":
            return Node("pad", name, inputs[:1], output, padding=_padding(node, constants))
        case "Reshape":
            if constants[inputs[1]].size != 2:
                msg = f"{name}: Reshape to {constants[inputs[1]].tolist()} is not a flattening"
                raise WeightsError(msg)
            return Node("flatten", name, inputs[:1], output)
        case "Mean":
            if sorted(constants[inputs[1]].reshape(-1).tolist()) != [1, 2]:
                msg = f"{name}: only a mean over rows and columns is known"
                raise WeightsError(msg)
            return Node("mean", name, inputs[:1], output)
        case kind if kind in _SIMPLE:
            return Node(_SIMPLE[kind], name, inputs, output)
    msg = f"unknown TensorFlow.js operator {node.kind} ({name})"
    raise WeightsError(msg)


def _padding(node: RawNode, constants: Mapping[str, Array]) -> tuple[int, int, int, int]:
    table = constants[node.inputs[1]].tolist()
    if len(table) != 4 or table[0] != [0, 0] or table[3] != [0, 0]:
        msg = f"{node.name}: only rows and columns can be padded"
        raise WeightsError(msg)
    (top, bottom), (left, right) = table[1], table[2]
    return left, right, top, bottom


def _convolution(node: RawNode, constants: dict[str, Array]) -> Node:
    steps = [int(n) for n in node.attributes["strides"]["list"]["i"]]
    dilations = node.attributes.get("dilations", {}).get("list", {}).get("i", [])
    layout, padding = _text(node, "data_format", "NHWC"), _text(node, "padding", "VALID")
    even = len(steps) == 4 and steps[1] == steps[2] and {int(n) for n in dilations} <= {1}
    if layout != "NHWC" or not even or padding not in ("SAME", "VALID"):
        msg = f"{node.name}: a convolution in {layout} with {padding}, {steps} is not known"
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
        stride=steps[1],
        padding="same" if padding == "SAME" else (0, 0, 0, 0),
        groups=kernel.shape[2] if depthwise else 1,
    )
