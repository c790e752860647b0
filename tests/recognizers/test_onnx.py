"""The ONNX reader on generated files, against ONNX Runtime and plain PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from veilface.errors import WeightsError
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.readers.lowered import merge_pointwise
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.readers.onnx import dequantize, read_onnx

SIDE = 6


def quantised(
    name: str, shape: tuple[int, int, int, int], block: int, rng: np.random.Generator
) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """Block-quantised weights as quantisers write them: a matrix, scales, zero points, a shape."""
    out, size = shape[0], int(np.prod(shape[1:]))
    blocks = -(-size // block)
    tensors = {
        "quantized": rng.integers(-128, 128, (out, size)).astype(np.int8),
        "scales": rng.uniform(0.001, 0.02, (out, blocks)).astype(np.float32),
        "zero_point": rng.integers(-128, 128, (out, blocks)).astype(np.int8),
        "shape": np.array(shape, dtype=np.int64),
    }
    stored = [numpy_helper.from_array(v, f"{name}_{k}") for k, v in tensors.items()]
    inputs = [f"{name}_quantized", f"{name}_scales", f"{name}_zero_point"]
    nodes = [
        helper.make_node("DequantizeLinear", inputs, [f"{name}_flat"], axis=1, block_size=block),
        helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name]),
    ]
    return stored, nodes


def tiny_model() -> onnx.ModelProto:
    """Normalisation, uneven padding, batch norms before and behind a PReLU, a sum, a matrix."""
    rng = np.random.default_rng(0)
    stored, nodes = quantised("w1", (4, 3, 3, 3), 10, rng)  # 27 values in blocks of 10, 10, 7
    more, extra = quantised("w2", (4, 1, 3, 3), 9, rng)
    stored, nodes = stored + more, nodes + extra

    def weight(name: str, *shape: int, low: float | None = None) -> str:
        values = rng.normal(size=shape) if low is None else rng.uniform(low, 2.0, shape)
        stored.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def norm(name: str, data: str, channels: int) -> None:
        fields = [weight(f"{name}_{k}", channels) for k in ("gamma", "beta", "mean")]
        fields.append(weight(f"{name}_var", channels, low=0.1))
        nodes.append(helper.make_node("BatchNormalization", [data, *fields], [name], epsilon=1e-3))

    nodes += [
        helper.make_node(
            "Constant", [], ["half"], value=numpy_helper.from_array(np.float32(127.5))
        ),
        helper.make_node(
            "Constant", [], ["unit"], value=numpy_helper.from_array(np.float32(2**-7))
        ),
        helper.make_node("Sub", ["data", "half"], ["centred"]),
        helper.make_node("Mul", ["centred", "unit"], ["scaled"]),
        helper.make_node(
            "Conv", ["scaled", "w1"], ["c1"], pads=[0, 0, 1, 1], strides=[2, 2], kernel_shape=[3, 3]
        ),
    ]
    norm("bn1", "c1", 4)
    nodes.append(helper.make_node("PRelu", ["bn1", weight("s1", 4, 1, 1)], ["r1"]))
    nodes.append(helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=4))
    norm("bn2", "c2", 4)
    nodes.append(helper.make_node("PRelu", ["bn2", weight("s2", 4, 1, 1)], ["r2"]))
    nodes.append(
        helper.make_node("Conv", ["r2", weight("w3", 4, 4, 1, 1), weight("b3", 4)], ["c3"])
    )
    nodes.append(helper.make_node("Add", ["r1", "c3"], ["sum"]))
    nodes.append(helper.make_node("Conv", ["sum", weight("w4", 5, 4, 1, 1)], ["c4"]))
    nodes.append(helper.make_node("PRelu", ["c4", weight("s4", 5, 1, 1)], ["r4"]))
    norm("bn4", "r4", 5)  # behind an activation: belongs to the matrix
    nodes += [
        helper.make_node("Dropout", ["bn4"], ["kept"]),
        helper.make_node("Flatten", ["kept"], ["flat"]),
        helper.make_node(
            "Gemm", ["flat", weight("w5", 7, 45), weight("b5", 7)], ["dense"], transB=1
        ),
    ]
    norm("out", "dense", 7)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 7])],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def save(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "tiny.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def image() -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (1, 3, SIDE, SIDE)).astype(np.float32)


def test_agrees_with_onnx_runtime(tmp_path: Path) -> None:
    path = save(tiny_model(), tmp_path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"data": image()})
    lowered = fold(read_onnx(path))
    assert np.allclose(lowered.scale, 2**-7)
    assert np.allclose(lowered.shift, -127.5 * 2**-7)
    for network in (lowered, merge_pointwise(lowered)):
        module = FrozenNetwork([layer.layer for layer in network.layers], side=SIDE).double()
        module.load(network)
        x = torch.from_numpy(image()).double() * 2**-7 - 127.5 * 2**-7
        assert np.allclose(module(x).numpy(), expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


def test_layers_are_what_the_file_says(tmp_path: Path) -> None:
    layers = [item.layer for item in fold(read_onnx(save(tiny_model(), tmp_path))).layers]
    assert [layer.kind for layer in layers] == ["conv", "conv", "conv", "add", "conv", "conv"]
    assert layers[0].padding == (0, 1, 0, 1)
    assert [layer.activation for layer in layers] == [
        "prelu",
        "prelu",
        "none",
        "none",
        "prelu",
        "none",
    ]
    assert layers[3].inputs == (1, 3)


def test_dequantise_by_hand() -> None:
    values = np.array([[-128, 127, 5, 6, 7]], dtype=np.int8)
    scales = np.array([[0.5, 2.0]], dtype=np.float32)
    points = np.array([[127, -128]], dtype=np.int8)
    result = dequantize(values, scales, points, axis=1, block_size=3)
    # -128 - 127 leaves int8: it must not wrap around.
    assert result.tolist() == [[-127.5, 0.0, -61.0, 268.0, 270.0]]
    whole = dequantize(values, np.array([0.5], np.float32), None, axis=1, block_size=0)
    assert whole.tolist() == [[-64.0, 63.5, 2.5, 3.0, 3.5]]
    with pytest.raises(WeightsError, match="do not cover"):
        dequantize(values, scales, points, axis=1, block_size=2)


def test_first_layer_in_plain_pytorch(tmp_path: Path) -> None:
    """The short last block and the batch norm, computed without the reader's helpers."""
    model = tiny_model()
    stored = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    block = np.minimum(np.arange(27) // 10, 2)
    flat = (stored["w1_quantized"] - stored["w1_zero_point"][:, block]) * stored["w1_scales"][
        :, block
    ]
    x = (torch.from_numpy(image()).double() - 127.5) * 2**-7
    y = F.conv2d(F.pad(x, (0, 1, 0, 1)), torch.from_numpy(flat.reshape(4, 3, 3, 3)), None, 2)
    gamma, beta, mean, var = (
        torch.from_numpy(stored[f"bn1_{k}"]).view(1, -1, 1, 1)
        for k in ("gamma", "beta", "mean", "var")
    )
    y = (y - mean) / (var + 1e-3).sqrt() * gamma + beta
    y = F.prelu(y, torch.from_numpy(stored["s1"]).reshape(-1))
    first = fold(read_onnx(save(model, tmp_path))).layers[0]
    module = FrozenNetwork([first.layer], side=SIDE).double()
    module.steps[0].load(first)  # type: ignore[operator]
    assert torch.allclose(module(x), y.flatten(1), atol=1e-5)


def broken(change: str) -> onnx.ModelProto:
    model = tiny_model()
    graph = model.graph
    convolution = next(node for node in graph.node if node.op_type == "Conv")
    if change == "operator":
        next(node for node in graph.node if node.op_type == "Add").op_type = "Einsum"
    elif change == "domain":
        convolution.domain = "com.example"
    elif change == "dilation":
        convolution.attribute.append(helper.make_attribute("dilations", [2, 2]))
    elif change == "unused":
        graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "orphan"))
    elif change == "external":
        graph.initializer[0].data_location = TensorProto.EXTERNAL
    elif change == "claims":
        graph.initializer[0].dims[0] = 2**40
    elif change == "short":
        graph.initializer[0].raw_data = b"1234"
    elif change == "sum of two sizes":
        next(node for node in graph.node if node.op_type == "Add").input[0] = "scaled"
    return model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("operator", "unknown ONNX operator Einsum"),
        ("domain", r"unknown ONNX operator com\.example\.Conv"),
        ("dilation", "dilation"),
        ("unused", "no operator reads: orphan"),
        ("external", "stored outside"),
        ("claims", "claims"),
        ("short", "damaged"),
        ("sum of two sizes", "two different activations"),
    ],
)
def test_damage_is_named(change: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=message):
        fold(read_onnx(save(broken(change), tmp_path)))


@pytest.mark.parametrize("content", [b"", b"not onnx at all", b"\x08\x0a" * 40])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"tiny\.onnx"):
        read_onnx(path)


def test_every_truncation_is_refused_or_read(tmp_path: Path) -> None:
    """A cut file never ends in another error than ours."""
    data = tiny_model().SerializeToString()
    path = tmp_path / "tiny.onnx"
    for end in range(0, len(data) - 1, 97):
        path.write_bytes(data[:end])
        with pytest.raises(WeightsError):
            fold(read_onnx(path))


def test_an_output_can_be_named(tmp_path: Path) -> None:
    path = save(tiny_model(), tmp_path)
    lowered = fold(read_onnx(path, output="c3"))
    assert [item.layer.activation for item in lowered.layers] == ["prelu", "prelu", "none"]
    with pytest.raises(WeightsError, match="no output named 'absent'"):
        read_onnx(path, output="absent")
