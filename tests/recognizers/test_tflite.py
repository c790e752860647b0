"""The TFLite reader on generated files, against plain PyTorch and LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tflite
import torch
import torch.nn.functional as F

from tests.fixtures.tflite_file import Operator, TFLiteFile
from veilface.errors import WeightsError
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.readers.tflite import read_tflite

SIDE = 7
SAME, VALID = 0, 1


def prelu(prefix: str, data: str, output: str) -> list[Operator]:
    """relu(x) + c·(x - |x|), as one exporter spells PReLU."""
    return [
        Operator("RELU", [data], f"{prefix}relu"),
        Operator("ABS", [data], f"{prefix}abs"),
        Operator("SUB", [data, f"{prefix}abs"], f"{prefix}sub", ("SubOptions", {})),
        Operator("MUL", [f"{prefix}c", f"{prefix}sub"], f"{prefix}mul", ("MulOptions", {})),
        Operator("ADD", [f"{prefix}relu", f"{prefix}mul"], output, ("AddOptions", {})),
    ]


def tiny_file(rng: np.random.Generator) -> TFLiteFile:
    """A stem with uneven SAME padding, a depthwise layer, a residual, a matrix."""

    def constant(*shape: int) -> tuple[tuple[int, ...], npt.NDArray[np.float32]]:
        return shape, rng.normal(size=shape).astype(np.float32)

    def blank(*shape: int) -> tuple[tuple[int, ...], None]:
        return shape, None

    wide, half = (1, SIDE, SIDE), (1, 4, 4)
    tensors: dict[str, tuple[tuple[int, ...], npt.NDArray[np.float32] | None]] = {
        "input": blank(*wide, 3),
        "w1": constant(4, 2, 2, 3),
        "b1": constant(4),
        "w2": constant(1, 3, 3, 4),
        "b2": constant(4),
        "w3": constant(4, 1, 1, 4),
        "b3": constant(4),
        "w4": constant(6, 4, 4, 4),
        "b4": constant(6),
        "pc": constant(4),
        "qc": constant(4),
    }
    for prefix in ("p", "q"):
        for part in ("relu", "abs", "sub", "mul"):
            tensors[prefix + part] = blank(*half, 4)
    for name in ("c1", "r1", "c2", "r2", "c3", "sum"):
        tensors[name] = blank(*half, 4)
    tensors["c4"] = blank(1, 1, 1, 6)
    tensors["output"] = blank(1, 6)
    tensors["shape"] = ((2,), np.array([1, 6], np.int32))
    stem = {"Padding": SAME, "StrideH": 2, "StrideW": 2}
    plain = {"Padding": SAME, "StrideH": 1, "StrideW": 1}
    operators = [
        Operator("CONV_2D", ["input", "w1", "b1"], "c1", ("Conv2DOptions", stem)),
        *prelu("p", "c1", "r1"),
        Operator(
            "DEPTHWISE_CONV_2D",
            ["r1", "w2", "b2"],
            "c2",
            ("DepthwiseConv2DOptions", {**plain, "DepthMultiplier": 1}),
        ),
        *prelu("q", "c2", "r2"),
        Operator("CONV_2D", ["r2", "w3", "b3"], "c3", ("Conv2DOptions", plain)),
        Operator("ADD", ["c3", "r1"], "sum", ("AddOptions", {})),
        Operator(
            "CONV_2D", ["sum", "w4", "b4"], "c4", ("Conv2DOptions", {**plain, "Padding": VALID})
        ),
        Operator("RESHAPE", ["c4", "shape"], "output"),
    ]
    return TFLiteFile(tensors, operators)  # type: ignore[arg-type]


def save(file: TFLiteFile, folder: Path) -> Path:
    path = folder / "tiny.tflite"
    path.write_bytes(file.to_bytes())
    return path


def test_agrees_with_plain_pytorch_and_litert(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    file = tiny_file(rng)
    path = save(file, tmp_path)
    lowered = fold(read_tflite(path))
    module = FrozenNetwork([item.layer for item in lowered.layers], side=SIDE).double()
    module.load(lowered)
    x = torch.from_numpy(rng.normal(size=(1, 3, SIDE, SIDE)))

    w = {k: torch.from_numpy(v).double() for k, (_, v) in file.tensors.items() if v is not None}
    # SAME for 7 rows, kernel 2, stride 2: (4 - 1)·2 + 2 - 7 = 1 row, after the image.
    c1 = F.conv2d(F.pad(x, (0, 1, 0, 1)), w["w1"].permute(0, 3, 1, 2), w["b1"], 2)
    r1 = F.prelu(c1, 2 * w["pc"])
    c2 = F.conv2d(r1, w["w2"].permute(3, 0, 1, 2), w["b2"], 1, 1, 1, 4)
    c3 = F.conv2d(F.prelu(c2, 2 * w["qc"]), w["w3"].permute(0, 3, 1, 2), w["b3"])
    expected = F.conv2d(c3 + r1, w["w4"].permute(0, 3, 1, 2), w["b4"]).flatten(1)
    assert torch.allclose(module(x), expected, atol=1e-10)

    interpreter_module = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = interpreter_module.Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    pixels = x.permute(0, 2, 3, 1).float().contiguous().numpy()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    reference = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert np.allclose(module(x).numpy(), reference, atol=1e-4)


def test_unknown_operator_is_named(tmp_path: Path) -> None:
    file = tiny_file(np.random.default_rng(0))
    file.operators[1].code = "TANH"
    with pytest.raises(WeightsError, match="unknown TFLite operator TANH"):
        read_tflite(save(file, tmp_path))


def test_fused_activation_is_refused(tmp_path: Path) -> None:
    file = tiny_file(np.random.default_rng(0))
    kind, options = file.operators[0].options or ("", {})
    options["FusedActivationFunction"] = tflite.ActivationFunctionType.RELU
    file.operators[0].options = (kind, options)
    with pytest.raises(WeightsError, match="fused activation"):
        read_tflite(save(file, tmp_path))


def test_unused_weight_is_refused(tmp_path: Path) -> None:
    file = tiny_file(np.random.default_rng(0))
    file.tensors["orphan"] = ((2,), np.zeros(2, np.float32))
    with pytest.raises(WeightsError, match=r"no operator reads.*orphan"):
        read_tflite(save(file, tmp_path))


def test_quantised_weight_is_refused(tmp_path: Path) -> None:
    file = tiny_file(np.random.default_rng(0))
    file.quantised.add("w1")
    with pytest.raises(WeightsError, match="only float32"):
        read_tflite(save(file, tmp_path))


def test_shape_that_claims_more_than_the_buffer(tmp_path: Path) -> None:
    file = tiny_file(np.random.default_rng(0))
    file.tensors["w1"] = ((2**20, 2**10, 64, 3), file.tensors["w1"][1])
    with pytest.raises(WeightsError, match="damaged"):
        read_tflite(save(file, tmp_path))


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = tiny_file(np.random.default_rng(0)).to_bytes()
    path = tmp_path / "tiny.tflite"
    for end in range(0, len(data) // 2, 53):
        path.write_bytes(data[:end])
        with pytest.raises(WeightsError, match=r"tiny\.tflite"):
            read_tflite(path)
