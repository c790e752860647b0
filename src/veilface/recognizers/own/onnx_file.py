"""What an ONNX file of the user reads and writes, before anything is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from veilface.errors import WeightsError


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """An ONNX model with one image input and one output.

    Attributes:
        path: Where it lies.
        model: The model; graph inputs that are weights, or that nothing reads, are taken out.
        input: Name of the image input.
        batch: The fixed number of images of a call; None when any number will do.
        side: The fixed side of the square image; None when the file leaves it open.
        output: Name of the output.
        dim: Width of the output; None when the file leaves it open.
        operators: How often each operator occurs, as (domain, name, opset version).
        parameters: Number of stored floating-point values.
    """

    path: Path
    model: onnx.ModelProto = field(repr=False)
    input: str
    batch: int | None
    side: int | None
    output: str
    dim: int | None
    operators: Counter[tuple[str, str, int]]
    parameters: int


def read_onnx_file(path: Path) -> OnnxFile:
    """Read the description of an ONNX file.

    Args:
        path: The file; weights stored beside it are read too.

    Raises:
        WeightsError: It is not ONNX, has several inputs or outputs, reads NHWC images, or does
            not write a matrix; the message says which.
    """
    try:
        model = onnx.load_model(str(path))
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf raises its own types, which differ between versions
        raise WeightsError(f"{path} is not an ONNX file") from error
    graph = model.graph
    if not graph.node:
        raise WeightsError(f"{path} is not an ONNX file, or has no operators")
    stored = {tensor.name for tensor in graph.initializer}
    read = {name for node in graph.node for name in node.input}
    inputs = [value for value in graph.input if value.name in read and value.name not in stored]
    _one(path, "input", "one batch of images", [value.name for value in inputs])
    _one(path, "output", "one matrix of embeddings", [value.name for value in graph.output])
    # ONNX Runtime asks for every listed input, also for those that nothing reads.
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)  # before 4, weights had to be inputs
    batch, side = _image_shape(path, inputs[0])
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    domains = [node.domain or "ai.onnx" for node in graph.node]
    return OnnxFile(
        path=path,
        model=model,
        input=inputs[0].name,
        batch=batch,
        side=side,
        output=graph.output[0].name,
        dim=_width(path, graph.output[0]),
        operators=Counter(
            (domain, node.op_type, versions.get(domain, 1))
            for domain, node in zip(domains, graph.node, strict=True)
        ),
        parameters=sum(_count(tensor) for tensor in graph.initializer),
    )


def _one(path: Path, kind: str, wanted: str, names: Sequence[str]) -> None:
    if len(names) != 1:
        listed = ", ".join(names[:6]) or "none"
        raise WeightsError(f"{path} has {len(names)} {kind}s ({listed}); {wanted} is expected")


def _image_shape(path: Path, value: onnx.ValueInfoProto) -> tuple[int | None, int | None]:
    """Batch and side, None where they are open."""
    dims = _dims(value)
    if len(dims) != 4:
        raise WeightsError(f"{path} reads {_shape(dims)}; a batch of images N×3×H×W is expected")
    batch, channels, rows, columns = dims
    if channels not in (None, 3):
        if columns == 3:
            raise WeightsError(
                f"{path} reads {_shape(dims)}, channels last (NHWC); veilface feeds N×3×H×W: "
                "export it with channels first (tf2onnx: --inputs-as-nchw)"
            )
        raise WeightsError(f"{path} reads {_shape(dims)}: {channels} channels instead of 3")
    if rows is not None and columns is not None and rows != columns:
        raise WeightsError(f"{path} reads {_shape(dims)}: a square image is expected")
    return batch, rows if rows is not None else columns


def _width(path: Path, value: onnx.ValueInfoProto) -> int | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    dims = _dims(value)
    if len(dims) != 2:
        raise WeightsError(f"{path} writes {_shape(dims)}; embeddings N×D are expected")
    return dims[1]


def _dims(value: onnx.ValueInfoProto) -> list[int | None]:
    return [dim.dim_value or None for dim in value.type.tensor_type.shape.dim]


def _shape(dims: Sequence[int | None]) -> str:
    return "×".join("?" if dim is None else str(dim) for dim in dims) or "a single value"


def _count(tensor: onnx.TensorProto) -> int:
    floating = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    if tensor.data_type not in floating:
        return 0
    count = 1
    for dim in tensor.dims:
        count *= dim
    return count
