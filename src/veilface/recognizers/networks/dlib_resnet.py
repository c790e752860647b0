"""dlib's face recognition network: a ResNet-34 with 29 convolutions and half the filters.

Two habits of dlib matter: the convolutions with stride 2 are not padded, and a sum of two outputs
of different shape extends the smaller one with zeros at the end of channels, rows and columns.

Source:
    King, "High Quality Face Recognition with Deep Metric Learning", blog.dlib.net 2017;
    ``examples/dnn_face_recognition_ex.cpp``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError
from veilface.recognizers.layers import NO_PADDING, SYMMETRIC_1, Activation, Layer
from veilface.recognizers.networks.chain import FrozenConv
from veilface.recognizers.readers.dlib import DlibLayer, DlibModel
from veilface.recognizers.readers.lowered import LoweredLayer

INPUT_SIDE = 150
DIM = 128


@dataclass(frozen=True, slots=True)
class _Stage:
    """Residual blocks of one width; ``halves`` says that a down block comes first."""

    width: int
    halves: bool
    plain: int


_STAGES = (
    _Stage(32, halves=False, plain=3),
    _Stage(64, halves=True, plain=3),
    _Stage(128, halves=True, plain=2),
    _Stage(256, halves=True, plain=2),
    _Stage(256, halves=True, plain=0),
)


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is an average pool when the block halves."""

    def __init__(self, channels: int, width: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = (
            _conv(channels, width, 3, stride=2, relu=True)
            if halves
            else _conv(channels, width, 3, padded=True, relu=True)
        )
        self.second = _conv(width, width, 3, padded=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        if not self.halves:
            return F.relu(y + x)
        return F.relu(add_extended(y, F.avg_pool2d(x, 2, 2)))


class DlibResNet(nn.Module):
    """The network; weights are undefined until `load`.

    Attributes:
        macs: Multiply-accumulates for one image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 32, 7, stride=2, relu=True)
        blocks: list[nn.Module] = []
        channels = 32
        for stage in _STAGES:
            kinds = [True] * stage.halves + [False] * stage.plain
            for halves in kinds:
                blocks.append(_Block(channels, stage.width, halves=halves))
                channels = stage.width
        self.blocks = nn.Sequential(*blocks)
        self.head = _conv(channels, DIM, 1)
        self.macs = _macs(self)

    def load(self, model: DlibModel) -> None:
        """Take the numbers of a file; its layers must be exactly this network's.

        Raises:
            WeightsError: They are not; the message names the first difference.
        """
        if model.size != (INPUT_SIDE, INPUT_SIDE):
            msg = f"the dlib network reads {model.size} pixels, not {INPUT_SIDE}x{INPUT_SIDE}"
            raise WeightsError(msg)
        records = list(model.layers)
        self._expect(records, ("con_4", "affine_", "relu_", "max_pool_2"), self.stem)
        for block in self.blocks:
            assert isinstance(block, _Block)  # noqa: S101
            self._expect(records, ("con_4", "affine_", "relu_"), block.first)
            pool = ("avg_pool_2",) * block.halves
            self._expect(records, ("con_4", "affine_", *pool, "add_prev_", "relu_"), block.second)
        self._expect(records, ("avg_pool_2", "fc_2"), self.head)
        if records:
            msg = f"the dlib network goes on with {records[0].kind} after its last layer"
            raise WeightsError(msg)

    def _expect(
        self, records: list[DlibLayer], kinds: Sequence[str], convolution: FrozenConv
    ) -> None:
        taken, records[: len(kinds)] = records[: len(kinds)], []
        found = tuple(record.kind for record in taken)
        windows = [(r.window, r.stride) for r in taken if r.kind.endswith("_pool_2")]
        if found != tuple(kinds) or any(w not in _POOLS for w in windows):
            msg = f"the dlib network has {found} with pools {windows} where {kinds} is expected"
            raise WeightsError(msg)
        convolution.load(_folded(taken, convolution.layer))

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings (N, 128) of normalised images (N, 3, 150, 150)."""
        y = F.max_pool2d(self.stem(x), 3, 2)
        y = self.blocks(y).mean((2, 3), keepdim=True)
        result: Tensor = self.head(y).flatten(1)
        return result


# Max pool behind the stem, average pool of a shortcut, global average.
_POOLS = (((3, 3), (2, 2)), ((2, 2), (2, 2)), ((0, 0), (1, 1)))


def add_extended(first: Tensor, second: Tensor) -> Tensor:
    """Add two outputs of possibly different shape as dlib does.

    Args:
        first: (N, C1, H1, W1).
        second: (N, C2, H2, W2).

    Returns:
        (N, max C, max H, max W); the missing entries of each count as zeros.
    """
    size = [max(a, b) for a, b in zip(first.shape[1:], second.shape[1:], strict=True)]
    return _extended(first, size) + _extended(second, size)


def _extended(x: Tensor, size: Sequence[int]) -> Tensor:
    missing = [wanted - have for wanted, have in zip(size, x.shape[1:], strict=True)]
    if not any(missing):
        return x
    return F.pad(x, (0, missing[2], 0, missing[1], 0, missing[0]))


def _conv(
    channels: int,
    out: int,
    kernel: int,
    *,
    stride: int = 1,
    padded: bool = False,
    relu: bool = False,
) -> FrozenConv:
    padding = SYMMETRIC_1 if padded else NO_PADDING
    activation: Activation = "relu" if relu else "none"
    return FrozenConv(Layer("conv", (0,), (channels, out), kernel, stride, padding, 1, activation))


def _folded(records: Sequence[DlibLayer], layer: Layer) -> LoweredLayer:
    """The convolution or matrix of a group of records with its affine layer folded in."""
    main = next(record for record in records if record.kind in ("con_4", "fc_2"))
    weight = main.arrays["weight"].astype(np.float64)
    bias = main.arrays["bias"].astype(np.float64)
    if main.kind == "fc_2":
        weight = weight[:, :, None, None]
    else:
        affine = next(record for record in records if record.kind == "affine_")
        scale = affine.arrays["scale"].astype(np.float64)
        weight = weight * scale[:, None, None, None]
        bias = bias * scale + affine.arrays["shift"].astype(np.float64)
        left, _, top, _ = layer.padding
        expected = ((layer.stride, layer.stride), (top, left))
        if (main.stride, main.padding) != expected or weight.shape != layer.weight_shape:
            msg = f"the dlib network has {weight.shape}, {main.stride}, where '{layer}' belongs"
            raise WeightsError(msg)
    return LoweredLayer(layer, weight, bias)


def _macs(network: DlibResNet) -> int:
    """Multiply-accumulates for one image."""
    total = 0

    def count(conv: FrozenConv, side: int) -> int:
        nonlocal total
        layer = conv.layer
        after = (side + sum(layer.padding[:2]) - layer.kernel) // layer.stride + 1
        out, per_group, rows, columns = layer.weight_shape
        total += out * per_group * rows * columns * after**2
        return after

    side = (count(network.stem, INPUT_SIDE) - 3) // 2 + 1
    for block in network.blocks:
        assert isinstance(block, _Block)  # noqa: S101
        inner = count(block.first, side)
        count(block.second, inner)
        side = max(inner, side // 2) if block.halves else inner
    count(network.head, 1)
    return total


def build() -> DlibResNet:
    """The network without weights: (N, 3, 150, 150) to (N, 128)."""
    return DlibResNet()
