"""Reads float32 TFLite files.

Only the operators of plain convolutional networks are known; fused activations, quantised tensors
and several subgraphs are refused by name.

Source:
    The TFLite schema, through the generated ``tflite`` package.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tflite

from veilface.errors import WeightsError
from veilface.recognizers.readers.graph import Array, Graph, Node, Operator, RawNode, needed_for

_SIMPLE: Mapping[str, Operator] = {
    "ADD": "add",
    "SUB": "sub",
    "MUL": "mul",
    "RELU": "relu",
    "ABS": "abs",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
}
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
}
_MAX_ITEMS = 100_000


def read_tflite(path: Path, *, output: str | None = None) -> Graph:
    """Parse a TFLite file.

    Args:
        path: The file.
        output: Name of the tensor to compute; by default the file's only output.

    Returns:
        The graph, with convolution weights in (out, in per group, rows, columns).

    Raises:
        WeightsError: The file is not TFLite, uses an unknown operator or type, or leaves a weight
            unused.
    """
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        msg = f"{path.name} is not a TFLite file"
        raise WeightsError(msg)
    try:
        return _read(data, output)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, KeyError) as error:
        msg = f"{path.name} is a damaged TFLite file: {error}"
        raise WeightsError(msg) from error


def _read(data: bytes, output: str | None) -> Graph:
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() != 1:
        msg = f"the TFLite file has {model.SubgraphsLength()} subgraphs; one is expected"
        raise WeightsError(msg)
    table = model.Subgraphs(0)
    if max(table.TensorsLength(), table.OperatorsLength(), model.BuffersLength()) > _MAX_ITEMS:
        msg = "the TFLite file claims more tensors or operators than a network has"
        raise WeightsError(msg)
    if table.InputsLength() != 1 or (output is None and table.OutputsLength() != 1):
        msg = f"the TFLite file has {table.InputsLength()} inputs; one is expected"
        raise WeightsError(msg)
    names = [f"{i}:{table.Tensors(i).Name().decode()}" for i in range(table.TensorsLength())]
    constants = _constants(model, table, names)
    raw = _operators(model, table, names)
    unused = set(constants) - {name for node in raw for name in node.inputs}
    if unused:
        msg = f"the TFLite file has weights that no operator reads: {sorted(unused)[:4]}"
        raise WeightsError(msg)
    wanted = names[table.Outputs(0)]
    if output is not None:
        wanted = next((n for n in names if n.split(":", 1)[1] == output), output)
    nodes = [_translated(node, constants) for node in needed_for(raw, wanted)]
    image = table.Inputs(0)
    _, rows, columns, channels = table.Tensors(image).ShapeAsNumpy().tolist()
    size = (channels, rows, columns)
    return Graph("nhwc", names[image], size, wanted, tuple(nodes), constants)


def _constants(model: Any, table: Any, names: list[str]) -> dict[str, Array]:  # noqa: ANN401
    found: dict[str, Array] = {}
    types = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.INT32: "<i4"}
    for index, name in enumerate(names):
        tensor = table.Tensors(index)
        buffer = model.Buffers(tensor.Buffer())
        if buffer is None or buffer.DataLength() == 0:
            continue
        if tensor.Type() not in types:
            msg = f"the TFLite tensor {name} has type {tensor.Type()}; only float32 is known"
            raise WeightsError(msg)
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype=types[tensor.Type()])
        shape = tensor.ShapeAsNumpy().tolist() if tensor.ShapeLength() else []
        found[name] = values.reshape(shape)  # ValueError when the buffer has another size
    return found


def _operators(model: Any, table: Any, names: list[str]) -> list[RawNode]:  # noqa: ANN401
    builtin = {
        code: name
        for name, code in vars(tflite.BuiltinOperator).items()
        if isinstance(code, int) and not name.startswith("_")
    }
    raw: list[RawNode] = []
    for index in range(table.OperatorsLength()):
        operator = table.Operators(index)
        entry = model.OperatorCodes(operator.OpcodeIndex())
        # Files written before the code had 32 bits use the older field; the larger one counts.
        code = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
        inputs = tuple(
            names[operator.Inputs(k)]
            for k in range(operator.InputsLength())
            if operator.Inputs(k) >= 0
        )
        outputs = tuple(names[operator.Outputs(k)] for k in range(operator.OutputsLength()))
        raw.append(RawNode(builtin.get(code, str(code)), outputs[0], inputs, outputs, operator))
    return raw


def _translated(node: RawNode, constants: dict[str, Array]) -> Node:
    options = _options(node)
    if options is not None and options.FusedActivationFunction() != 0:
        msg = f"{node.name}: a fused activation is not known"
        raise WeightsError(msg)
    match node.kind:
        case "CONV_2D" | "DEPTHWISE_CONV_2D":
            return _convolution(node, options, constants)
        case "FULLY_CONNECTED":
            return Node("dense", node.name, node.inputs, node.outputs[0])
        case "RESHAPE":
            return Node("flatten", node.name, node.inputs[:1], node.outputs[0])
        case "PRELU":
            return Node("prelu", node.name, node.inputs, node.outputs[0])
        case kind if kind in _SIMPLE:
            return Node(_SIMPLE[kind], node.name, node.inputs, node.outputs[0])
    msg = f"unknown TFLite operator {node.kind} ({node.name})"
    raise WeightsError(msg)


def _options(node: RawNode) -> Any | None:  # noqa: ANN401
    kind = _OPTIONS.get(node.kind)
    stored = node.attributes.BuiltinOptions()
    if kind is None or stored is None:
        return None
    options = getattr(tflite, kind)()
    options.Init(stored.Bytes, stored.Pos)
    return options


def _convolution(node: RawNode, options: Any, constants: dict[str, Array]) -> Node:  # noqa: ANN401
    dilation = (options.DilationHFactor(), options.DilationWFactor())
    if options.StrideH() != options.StrideW() or dilation != (1, 1):
        msg = f"{node.name}: a convolution with dilation or uneven stride is not known"
        raise WeightsError(msg)
    depthwise = node.kind == "DEPTHWISE_CONV_2D"
    weight = constants[node.inputs[1]]
    # (out, rows, columns, in), and (1, rows, columns, channels) when depthwise.
    stored = f"{node.inputs[1]} as (out, in, rows, columns)"
    constants[stored] = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
    if depthwise and options.DepthMultiplier() != 1:
        msg = f"{node.name}: a depth multiplier of {options.DepthMultiplier()} is not known"
        raise WeightsError(msg)
    same = options.Padding() == tflite.Padding.SAME
    return Node(
        "conv",
        node.name,
        (node.inputs[0], stored, *node.inputs[2:]),
        node.outputs[0],
        stride=int(options.StrideH()),
        padding="same" if same else (0, 0, 0, 0),
        groups=weight.shape[3] if depthwise else 1,
    )
