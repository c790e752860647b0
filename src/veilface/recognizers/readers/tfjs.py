"""Reads TensorFlow.js graph models: a JSON topology and binary shards of weights.

Source:
    TensorFlow.js converter, ``weightsManifest`` and ``modelTopology`` as its loader reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from veilface.errors import WeightsError
from veilface.recognizers.readers.graph import Array, Graph, RawNode, needed_for
from veilface.recognizers.readers.tfjs_operators import translated

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


def read_tfjs(topology: Path, *shards: Path, output: str | None = None) -> Graph:
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
    wanted = _only_output(model) if output is None else _plain(output)
    operators = [node for node in raw if node.kind not in ("Const", "Placeholder")]
    nodes = [new for node in needed_for(operators, wanted) for new in translated(node, constants)]
    dims = [int(dim["size"]) for dim in images[0].attributes["shape"]["shape"]["dim"]]
    _, rows, columns, channels = dims
    size = (channels, rows, columns)
    return Graph("nhwc", images[0].name, size, wanted, tuple(nodes), constants)


def _only_output(model: Mapping[str, Any]) -> str:
    outputs = list(model["signature"]["outputs"].values())
    if len(outputs) != 1:
        msg = f"the TensorFlow.js model has {len(outputs)} outputs; one has to be named"
        raise WeightsError(msg)
    return _plain(outputs[0]["name"])


def _raw_node(node: Mapping[str, Any]) -> RawNode:
    name = str(node["name"])
    # A leading ^ is an order of execution, not a value.
    inputs = tuple(_plain(i) for i in node.get("input", ()) if not i.startswith("^"))
    return RawNode(str(node["op"]), name, inputs, (name,), node.get("attr", {}))


def _plain(name: str) -> str:
    return name.removesuffix(":0")
