"""The operators of a weight file in one vocabulary, whatever the format was.

Readers translate their format into a `Graph`; `lowering` makes the layers of a network of it.
Convolution weights are (out, in per group, rows, columns) in every graph, and matrix weights
(out, in); ``layout`` says how activations are stored in the file's own runtime, which matters for
axes, paddings and flattening only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from veilface.errors import WeightsError
from veilface.recognizers.layers import Padding

Array = npt.NDArray[np.generic]
Operator = Literal[
    "conv",  # data, weight[, bias]
    "dense",  # data, weight[, bias]
    "add",
    "sub",
    "mul",
    "minimum",
    "maximum",
    "relu",
    "abs",
    "prelu",  # data, slope
    "batchnorm",  # data, gamma, beta, mean, variance
    "pad",
    "flatten",
    "mean",  # over rows and columns
    "maxpool",  # padding never wins
    "sigmoid",
    "softmax",  # over channels
    "identity",
]


@dataclass(frozen=True, slots=True)
class RawNode:
    """One operator as a file has it, before a reader translates it.

    Attributes:
        kind: The format's name of the operator.
        name: Its name in the file, for messages.
        inputs: Names of the values that it reads.
        outputs: Names of the values that it writes.
        attributes: Whatever the format keeps its parameters in.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Any


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph.

    Attributes:
        operator: What it computes.
        name: Its name in the file, for messages.
        inputs: Names of the values that it reads.
        output: Name of the value that it writes.
        stride: Of a convolution or a pooling, in both directions.
        padding: Zeros left, right, top, bottom; ``same`` as TensorFlow defines it.
        groups: Of a convolution.
        window: Side of the square that a pooling looks at.
        channels: How many channels of zeros a pad appends.
        epsilon: Of a batch normalisation.
    """

    operator: Operator
    name: str
    inputs: tuple[str, ...]
    output: str
    stride: int = 1
    padding: Padding | Literal["same"] = (0, 0, 0, 0)
    groups: int = 1
    window: int = 1
    channels: int = 0
    epsilon: float = 0.0


@dataclass(frozen=True, slots=True)
class Graph:
    """The operators between one image input and one output, in the order of evaluation.

    Attributes:
        layout: ``nchw`` or ``nhwc``.
        input: Name of the image value.
        size: Channels, rows and columns of the image.
        output: Name of the result.
        nodes: The operators.
        constants: Weights by value name.
    """

    layout: Literal["nchw", "nhwc"]
    input: str
    size: tuple[int, int, int]
    output: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, Array] = field(repr=False)


def needed_for(nodes: Sequence[RawNode], output: str) -> list[RawNode]:
    """The operators that a value depends on, in their order; the others are other outputs' heads.

    Args:
        nodes: Operators in the order of evaluation.
        output: Name of the wanted value.

    Raises:
        WeightsError: No operator writes that value.
    """
    wanted = {output}
    kept: list[RawNode] = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    if not kept:
        msg = f"the weight file has no output named {output!r}"
        raise WeightsError(msg)
    return kept[::-1]
