"""Reads ONNX files, float32 or with block-quantised int8 weights.

Only the operators of plain convolutional networks are known. Weights that the file computes from
constants (``DequantizeLinear``, ``Reshape``) are computed here, so that what is left is a graph of
layers.

Source:
    ONNX operator specification: DequantizeLinear-21 (blocked), BatchNormalization, PRelu, Gemm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from veilface.errors import WeightsError
from veilface.recognizers.readers.graph import Array, Graph, Node, Operator, RawNode, needed_for

_SIMPLE: Mapping[str, Operator] = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Relu": "relu",
    "Abs": "abs",
    "PRelu": "prelu",
    "Identity": "identity",
    "Flatten": "flatten",
    "GlobalAveragePool": "mean",
}
_MAX_ELEMENTS = 1 << 28


def read_onnx(path: Path, *, output: str | None = None) -> Graph:
    """Parse an ONNX file.

    Args:
        path: The file; external data is refused.
        output: The value to compute; by default the file's only output.

    Returns:
        The graph with every weight dequantised.

    Raises:
        WeightsError: The file is not ONNX, uses an unknown operator, or leaves a weight unused.
    """
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception as error:  # protobuf raises its own types, which differ between versions
        msg = f"{path.name} is not an ONNX file"
        raise WeightsError(msg) from error
    graph = model.graph
    stored = {tensor.name: _array(tensor) for tensor in graph.initializer}
    raw = [_raw_node(node) for node in graph.node]
    read = {name for node in raw for name in node.inputs}
    # Quantisers leave the weights that they replaced behind as inputs that nothing reads.
    images = [v for v in graph.input if v.name in read and v.name not in stored]
    if len(images) != 1 or (output is None and len(graph.output) != 1):
        msg = f"{path.name} has {len(images)} inputs and {len(graph.output)} outputs, not 1 and 1"
        raise WeightsError(msg)
    # Shapes (int64) carry nothing that could be lost; quantisers leave some of those behind too.
    unused = {name for name, a in stored.items() if a.dtype != np.int64} - read
    if unused:
        msg = f"{path.name} has weights that no operator reads: {', '.join(sorted(unused)[:4])}"
        raise WeightsError(msg)
    wanted = output or graph.output[0].name
    nodes, constants = _split(needed_for(raw, wanted), stored)
    dims = [dim.dim_value for dim in images[0].type.tensor_type.shape.dim]
    if len(dims) != 4 or min(dims[1:]) < 1:
        msg = f"{path.name} has an input of shape {dims}; an image batch is expected"
        raise WeightsError(msg)
    size = (dims[1], dims[2], dims[3])
    return Graph("nchw", images[0].name, size, wanted, tuple(nodes), constants)


def dequantize(
    values: Array, scales: Array, zero_points: Array | None, *, axis: int, block_size: int
) -> Array:
    """Turn quantised weights into float32.

    Args:
        values: int8 or uint8 weights of any shape.
        scales: float32, one per block along ``axis``; a vector (one per index of ``axis``) or a
            scalar when ``block_size`` is 0.
        zero_points: As ``scales``, in the type of ``values``; None for zeros.
        axis: The blocked axis.
        block_size: Values per block; the last block may be short.

    Returns:
        float32 of the shape of ``values``: (value - zero point) · scale.

    Raises:
        WeightsError: The scales do not cover the values.
    """
    points = np.zeros_like(scales, dtype=values.dtype) if zero_points is None else zero_points
    if scales.size == 1:
        scale, point = scales.reshape(()), points.reshape(())
    elif block_size and scales.ndim == values.ndim:
        blocks = -(-values.shape[axis] // block_size)
        expected = [*values.shape]
        expected[axis] = blocks
        if list(scales.shape) != expected or scales.shape != points.shape:
            msg = f"scales {scales.shape} do not cover weights {values.shape} by {block_size}"
            raise WeightsError(msg)
        index = np.arange(values.shape[axis]) // block_size
        scale, point = np.take(scales, index, axis), np.take(points, index, axis)
    elif scales.ndim == 1 and scales.size == values.shape[axis]:
        shape = [1] * values.ndim
        shape[axis] = -1
        scale, point = scales.reshape(shape), points.reshape(shape)
    else:
        msg = f"scales {scales.shape} do not fit weights {values.shape} on axis {axis}"
        raise WeightsError(msg)
    wide = values.astype(np.int32) - point.astype(np.int32)
    result: Array = wide.astype(np.float32) * scale.astype(np.float32)
    return result


def _array(tensor: onnx.TensorProto) -> Array:
    count = int(np.prod([int(d) for d in tensor.dims], dtype=object)) if tensor.dims else 1
    if tensor.data_location == onnx.TensorProto.EXTERNAL or not 0 <= count <= _MAX_ELEMENTS:
        msg = f"the weight {tensor.name!r} is stored outside the file or claims {count} values"
        raise WeightsError(msg)
    try:
        array: Array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        msg = f"the weight {tensor.name!r} is damaged: {error}"
        raise WeightsError(msg) from error
    return array


def _raw_node(node: onnx.NodeProto) -> RawNode:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.domain not in ("", "ai.onnx"):
        msg = f"unknown ONNX operator {node.domain}.{node.op_type}"
        raise WeightsError(msg)
    name = node.name or (node.output[0] if node.output else node.op_type)
    return RawNode(node.op_type, name, tuple(node.input), tuple(node.output), attributes)


def _split(
    raw: Sequence[RawNode], stored: Mapping[str, Array]
) -> tuple[list[Node], dict[str, Array]]:
    """Compute what depends on constants only; translate the rest."""
    constants = dict(stored)
    nodes: list[Node] = []
    for node in raw:
        inputs = [name for name in node.inputs if name]
        if all(name in constants for name in inputs):
            constants[node.outputs[0]] = _computed(node, [constants[name] for name in inputs])
        else:
            nodes.append(_translated(node, constants))
    return nodes, constants


def _computed(node: RawNode, inputs: Sequence[Array]) -> Array:
    attributes = node.attributes
    match node.kind:
        case "Constant" if "value" in attributes:
            return _array(attributes["value"])
        case "Reshape":
            shape = [int(n) for n in inputs[1].reshape(-1)]
            try:
                return inputs[0].reshape(shape)
            except ValueError as error:
                msg = f"{node.name}: {error}"
                raise WeightsError(msg) from error
        case "DequantizeLinear":
            return dequantize(
                inputs[0],
                inputs[1],
                inputs[2] if len(inputs) > 2 else None,
                axis=int(attributes.get("axis", 1)),
                block_size=int(attributes.get("block_size", 0)),
            )
    msg = f"unknown ONNX operator {node.kind} on constants ({node.name})"
    raise WeightsError(msg)


def _translated(node: RawNode, constants: dict[str, Array]) -> Node:
    attributes, name, inputs, output = node.attributes, node.name, node.inputs, node.outputs[0]
    match node.kind:
        case "Conv":
            return _convolution(node)
        case "BatchNormalization":
            epsilon = float(attributes.get("epsilon", 1e-5))
            return Node("batchnorm", name, inputs, output, epsilon=epsilon)
        case "Gemm":
            plain = (attributes.get("alpha", 1.0), attributes.get("beta", 1.0))
            if plain != (1.0, 1.0) or attributes.get("transA", 0):
                msg = f"{name}: Gemm with factors or a transposed input is not known"
                raise WeightsError(msg)
            if not attributes.get("transB", 0):
                transposed = f"{inputs[1]} transposed"
                constants[transposed] = constants[inputs[1]].T
                inputs = (inputs[0], transposed, *inputs[2:])
            return Node("dense", name, inputs, output)
        case "Reshape":
            shape = [int(n) for n in constants[inputs[1]].reshape(-1)]
            if len(shape) != 2:
                msg = f"{name}: Reshape to {shape} is not a flattening"
                raise WeightsError(msg)
            return Node("flatten", name, inputs[:1], output)
        case "Dropout":  # the identity outside training
            return Node("identity", name, inputs[:1], output)
        case kind if kind in _SIMPLE:
            return Node(_SIMPLE[kind], name, inputs, output)
    msg = f"unknown ONNX operator {node.kind} ({name})"
    raise WeightsError(msg)


def _convolution(node: RawNode) -> Node:
    attributes = node.attributes
    strides = attributes.get("strides", [1, 1])
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    automatic = attributes.get("auto_pad", b"NOTSET")
    unusual = set(attributes.get("dilations", [1])) != {1} or automatic not in (b"NOTSET", b"")
    if unusual or len(strides) != 2 or strides[0] != strides[1]:
        msg = f"{node.name}: a convolution with dilation, uneven stride or auto_pad is not known"
        raise WeightsError(msg)
    return Node(
        "conv",
        node.name,
        node.inputs,
        node.outputs[0],
        stride=int(strides[0]),
        padding=(int(left), int(right), int(top), int(bottom)),
        groups=int(attributes.get("group", 1)),
    )
