"""The TensorFlow.js reader on generated files, against plain PyTorch."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F

from veilface.errors import WeightsError
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.readers.tfjs import read_tfjs

SIDE = 6
Array = npt.NDArray[Any]


class Model:
    """A graph model under construction."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.weights: list[dict[str, Any]] = []
        self.data = b""
        self.outputs: dict[str, Any] = {}

    def constant(self, name: str, values: Array, *, as_type: str | None = None) -> str:
        """A weight; ``as_type`` uint8 stores it quantised, float16 narrowed."""
        entry: dict[str, Any] = {"name": name, "shape": list(values.shape)}
        entry["dtype"] = "int32" if values.dtype == np.int32 else "float32"
        if as_type == "float16":
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            self.data += values.astype("<f2").tobytes()
        elif as_type == "uint8":
            entry["quantization"] = {"dtype": "uint8", "scale": 0.5, "min": -3.0}
            self.data += values.astype(np.uint8).tobytes()
        else:
            kind = "<i4" if values.dtype == np.int32 else "<f4"
            self.data += values.astype(kind).tobytes()
        self.weights.append(entry)
        self.nodes.append({"name": name, "op": "Const", "attr": {}})
        return name

    def node(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def save(self, folder: Path) -> tuple[Path, Path, Path]:
        model = {
            "format": "graph-model",
            "signature": {"outputs": self.outputs},
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": ["a.bin", "b.bin"], "weights": self.weights}],
        }
        topology, half = folder / "tiny.json", len(self.data) // 2
        topology.write_text(json.dumps(model), encoding="utf-8")
        shards = [folder / "a.bin", folder / "b.bin"]
        shards[0].write_bytes(self.data[:half])
        shards[1].write_bytes(self.data[half:])
        return topology, shards[0], shards[1]


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def convolution(stride: int, padding: str) -> dict[str, Any]:
    return {
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "padding": text(padding),
        "data_format": text("NHWC"),
    }


def tiny_model(rng: np.random.Generator) -> tuple[Model, dict[str, Array]]:
    """Both spellings of padding and of activations, a batch norm in two parts, a matrix, a head."""
    model, w = Model(), {}

    def weight(name: str, *shape: int, as_type: str | None = None) -> str:
        values = rng.normal(size=shape).astype(np.float32)
        if as_type == "float16":
            values = values.astype(np.float16).astype(np.float32)
        if as_type == "uint8":
            stored = rng.integers(0, 10, shape)
            w[name] = stored * 0.5 - 3.0
            return model.constant(name, stored, as_type=as_type)
        w[name] = values
        return model.constant(name, values, as_type=as_type)

    dims = [{"size": s} for s in ("-1", str(SIDE), str(SIDE), "3")]
    model.nodes.append(
        {"name": "data", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": dims}}}}
    )
    model.constant("half", np.array(127.5, np.float32))
    model.constant("unit", np.array(0.0078125, np.float32))
    model.constant("zero", np.array(0, np.float32))
    model.constant("six", np.array(6, np.float32))
    model.constant("pads", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    model.constant("flat shape", np.array([-1, 36], np.int32))
    model.node("Sub", "sub", "data:0", "half")
    model.node("Mul", "mul", "sub", "unit")
    model.node("Conv2D", "c1", "mul", weight("w1", 3, 3, 3, 4), **convolution(2, "SAME"))
    model.node("Add", "n1", "c1", weight("t1", 4, as_type="float16"))
    model.node("Relu", "r1", "n1")
    model.node("Minimum", "m1", "r1", "six")
    model.node("Maximum", "a1", "m1", "zero")
    model.node("Pad", "p2", "a1", "pads")
    kernel = weight("w2", 3, 3, 4, 1, as_type="uint8")
    model.node("DepthwiseConv2dNative", "c2", "p2", kernel, **convolution(1, "VALID"))
    model.node("Mul", "s2", "c2", weight("g2", 4))
    model.node("AddV2", "n2", "s2", weight("t2", 4))
    model.node("Maximum", "x2", "zero", "n2")
    model.node("Minimum", "y2", "zero", "n2")
    model.node("Mul", "z2", weight("c", 4), "y2")
    model.node("AddV2", "a2", "x2", "z2")
    model.node("Reshape", "flat", "a2", "flat shape")
    model.node("MatMul", "dense", "flat", weight("w3", 36, 5), transpose_b={"b": False})
    model.node("Mul", "s3", "dense", weight("g3", 5))
    model.node("AddV2", "out", "s3", weight("t3", 5))
    model.outputs = {"out": {"name": "out:0"}}
    return model, w


def test_agrees_with_plain_pytorch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    model, arrays = tiny_model(rng)
    lowered = fold(read_tfjs(*model.save(tmp_path)))
    assert np.allclose(lowered.scale, 0.0078125)
    assert np.allclose(lowered.shift, -127.5 * 0.0078125)
    module = FrozenNetwork([item.layer for item in lowered.layers], side=SIDE).double()
    module.load(lowered)
    assert [item.layer.activation for item in lowered.layers] == ["relu6", "prelu", "none"]

    x = torch.from_numpy(rng.normal(size=(2, 3, SIDE, SIDE)))
    w = {k: torch.from_numpy(np.asarray(v)).double() for k, v in arrays.items()}
    # SAME for 6 rows, kernel 3, stride 2: (3 - 1)·2 + 3 - 6 = 1 row, after the image.
    y = F.conv2d(F.pad(x, (0, 1, 0, 1)), w["w1"].permute(3, 2, 0, 1), w["t1"], 2).clamp(0, 6)
    y = F.conv2d(y, w["w2"].permute(2, 3, 0, 1), None, 1, 1, 1, 4)
    y = y * w["g2"].view(1, -1, 1, 1) + w["t2"].view(1, -1, 1, 1)
    y = F.prelu(y, w["c"]).permute(0, 2, 3, 1).flatten(1)  # rows, columns, channels
    expected = y @ w["w3"] * w["g3"] + w["t3"]
    assert torch.allclose(module(x), expected, atol=1e-10)


def test_a_head_beside_the_named_output_is_left_out(tmp_path: Path) -> None:
    model, _ = tiny_model(np.random.default_rng(0))
    model.node("Softmax", "probabilities", "out")
    model.outputs = {"a": {"name": "out"}, "b": {"name": "probabilities"}}
    files = model.save(tmp_path)
    assert len(fold(read_tfjs(*files, output="out")).layers) == 3
    with pytest.raises(WeightsError, match="2 outputs"):
        read_tfjs(*files)
    with pytest.raises(WeightsError, match="probabilities is a softmax, which no known recogniser"):
        fold(read_tfjs(*files, output="probabilities"))


def test_damage_is_named(tmp_path: Path) -> None:
    def fails(message: str, model: Model) -> None:
        with pytest.raises(WeightsError, match=message):
            fold(read_tfjs(*model.save(tmp_path)))

    model, _ = tiny_model(np.random.default_rng(0))
    model.data += b"\0" * 4
    fails("4 bytes of the binary weights are in no entry", model)
    model, _ = tiny_model(np.random.default_rng(0))
    model.data = model.data[:-4]
    fails("claims 20 bytes, 16 are left", model)
    model, _ = tiny_model(np.random.default_rng(0))
    model.weights[0]["shape"] = [2**40, 2**40]
    fails("claims", model)
    model, _ = tiny_model(np.random.default_rng(0))
    model.weights[-1]["dtype"] = "complex64"
    fails("complex64", model)
    model, _ = tiny_model(np.random.default_rng(0))
    model.constant("orphan", np.zeros(2, np.float32))
    fails(r"nothing reads.*orphan", model)
    model, _ = tiny_model(np.random.default_rng(0))
    next(n for n in model.nodes if n["op"] == "Conv2D")["attr"]["data_format"] = text("NCHW")
    fails("NCHW", model)
    model, _ = tiny_model(np.random.default_rng(0))
    next(n for n in model.nodes if n["op"] == "Conv2D")["attr"]["strides"]["list"]["i"][1] = "1"
    fails(r"strides \[1, 1, 2, 1\] are not known", model)
    model, _ = tiny_model(np.random.default_rng(0))
    model.node("LeakyRelu", "leaky", "out")
    model.outputs = {"out": {"name": "leaky"}}
    fails(r"unknown TensorFlow\.js operator LeakyRelu", model)
    model, _ = tiny_model(np.random.default_rng(0))
    next(n for n in model.nodes if n["op"] == "MatMul")["op"] = "_FusedMatMul"
    fails(r"dense: _FusedMatMul with \[\] is not known", model)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "graph-model"}', "[" * 5000])
def test_other_json_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "tiny.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"tiny\.json"):
        read_tfjs(path)
