"""Graphs run operator by operator: against plain PyTorch, and against the folded network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.recognizers.test_tfjs import SIDE, Model, convolution, text, tiny_model
from veilface.errors import WeightsError
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.networks.evaluated import GraphNetwork
from veilface.recognizers.readers.graph import Graph
from veilface.recognizers.readers.lowering import fold
from veilface.recognizers.readers.tfjs import read_tfjs


def fused(*names: str) -> dict[str, Any]:
    return {"fused_ops": {"list": {"s": [text(name)["s"] for name in names]}}}


def two_heads(rng: np.random.Generator) -> tuple[Model, dict[str, torch.Tensor]]:
    """What networks that measure faces add: fused operators, pooling, wider sums, two heads."""
    model, w = Model(), {}

    def weight(name: str, *shape: int) -> str:
        values = rng.normal(size=shape).astype(np.float32)
        w[name] = torch.from_numpy(values)
        return model.constant(name, values)

    dims = [{"size": s} for s in ("-1", str(SIDE), str(SIDE), "3")]
    model.nodes.append(
        {"name": "data", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": dims}}}}
    )
    model.constant("wider", np.array([[0, 0], [0, 0], [0, 0], [0, 2]], np.int32))
    model.constant("axes", np.array([1, 2], np.int32))
    model.node(
        "_FusedConv2D", "stem", "data", weight("w1", 3, 3, 3, 4), weight("b1", 4),
        weight("slope", 1, 1, 4), **convolution(1, "SAME"), **fused("BiasAdd", "Prelu"),
    )  # fmt: skip
    window = {"ksize": {"list": {"i": ["1", "3", "3", "1"]}}}
    model.node("MaxPool", "pooled", "stem", **convolution(2, "SAME"), **window)
    model.node("Pad", "padded", "pooled", "wider")
    model.node(
        "_FusedConv2D", "side", "stem", weight("w2", 1, 1, 4, 6), weight("b2", 6),
        **convolution(2, "SAME"), **fused("BiasAdd"),
    )  # fmt: skip
    model.node("AddV2", "sum", "padded", "side")
    model.node("Mean", "mean", "sum", "axes")
    model.node(
        "_FusedMatMul", "features", "mean", weight("w3", 6, 5), weight("b3", 5),
        **fused("BiasAdd", "Relu"),
    )  # fmt: skip
    model.node(
        "_FusedMatMul", "one", "features", weight("w4", 5, 1), weight("b4", 1), **fused("BiasAdd")
    )
    model.node(
        "_FusedMatMul", "many", "features", weight("w5", 5, 7), weight("b5", 7), **fused("BiasAdd")
    )
    model.node("Sigmoid", "yes", "one")
    model.node("Softmax", "which", "many")
    model.outputs = {name: {"name": f"{name}:0"} for name in ("yes", "which")}
    return model, w


def expected_heads(x: torch.Tensor, w: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    kernel = {name: w[name].permute(3, 2, 0, 1) for name in ("w1", "w2")}
    stem = F.prelu(F.conv2d(x, kernel["w1"], w["b1"], padding=1), w["slope"].flatten())
    # SAME for 6 rows, window 3, stride 2: one row after the image, which never wins.
    pooled = F.max_pool2d(F.pad(stem, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    side = F.conv2d(stem, kernel["w2"], w["b2"], stride=2)
    mean = (torch.cat([pooled, torch.zeros_like(pooled[:, :2])], 1) + side).mean((2, 3))
    features = F.relu(mean @ w["w3"] + w["b3"])
    return [
        torch.sigmoid(features @ w["w4"] + w["b4"]),
        torch.softmax(features @ w["w5"] + w["b5"], 1),
    ]


def test_agrees_with_plain_pytorch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    model, arrays = two_heads(rng)
    files = model.save(tmp_path)
    network = GraphNetwork([read_tfjs(*files, output=n) for n in ("yes", "which")])
    assert len(network.nodes) == 13  # two fused operators become two each; shared ones run once
    x = torch.from_numpy(rng.normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)) - 2
    for found, expected in zip(network(x), expected_heads(x, arrays), strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=1e-5)


def test_agrees_with_the_folded_network(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    model, _ = tiny_model(rng)
    graph = read_tfjs(*model.save(tmp_path))
    lowered = fold(graph)
    folded = FrozenNetwork([item.layer for item in lowered.layers], side=SIDE)
    folded.load(lowered)
    x = torch.from_numpy(rng.normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)) * 50 + 127.5
    # What was folded out of the image is the caller's work there; the padding hides the shift.
    scale, shift = (
        torch.from_numpy(v).float().view(-1, 1, 1) for v in (lowered.scale, lowered.shift)
    )
    (found,) = GraphNetwork([graph])(x)
    assert torch.allclose(found, folded(x * scale + shift), rtol=1e-4, atol=1e-3)


def test_what_is_not_defined_is_refused(tmp_path: Path) -> None:
    model, _ = tiny_model(np.random.default_rng(0))
    graph = read_tfjs(*model.save(tmp_path))

    def fails(message: str, changed: Graph) -> None:
        with pytest.raises(WeightsError, match=message):
            GraphNetwork([changed])

    first = graph.nodes[0]
    fails(
        "sub reads 'nowhere'", replace(graph, nodes=(replace(first, inputs=("data", "nowhere")),))
    )
    fails("sub is a batchnorm", replace(graph, nodes=(replace(first, operator="batchnorm"),)))
    table = {**graph.constants, "half": np.zeros((2, 3))}
    fails(r"sub reads a table \(2, 3\)", replace(graph, constants=table))
