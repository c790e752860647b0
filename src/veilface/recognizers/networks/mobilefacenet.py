"""MobileFaceNet, in the two variants whose weights are known.

Linear 1x1 convolutions that follow each other in a file are joined when it is read, so both
variants are the same list of layers and differ in padding and width of the embedding only.

Source:
    Chen et al., MobileFaceNets, CCBR 2018, Table 1.
"""

from __future__ import annotations

from functools import partial

from veilface.recognizers.layers import SYMMETRIC_1, Padding, Stack
from veilface.recognizers.networks.chain import FrozenNetwork

INPUT_SIDE = 112
_SAME_STRIDE_2: Padding = (0, 1, 0, 1)  # TensorFlow's SAME for even sides


def build(*, dim: int, halving: Padding) -> FrozenNetwork:
    """The network without weights: (N, 3, 112, 112) to (N, dim).

    Args:
        dim: Width of the embedding.
        halving: Padding of the 3x3 convolutions with stride 2.
    """
    stack = Stack()
    stack.conv(64, 3, stride=2, padding=halving)
    stack.depthwise()
    # Table 1: (expanded width, output width, repetitions); the first of each row halves the side.
    _bottleneck(stack, 128, 64, halving=halving)
    for _ in range(4):
        _bottleneck(stack, 128, 64)
    _bottleneck(stack, 256, 128, halving=halving)
    for _ in range(6):
        _bottleneck(stack, 256, 128)
    _bottleneck(stack, 512, 128, halving=halving)
    for _ in range(2):
        _bottleneck(stack, 256, 128)
    stack.conv(512)
    stack.depthwise(7, padding=(0, 0, 0, 0), activation="none")
    stack.conv(dim, activation="none")
    return FrozenNetwork(stack.layers, side=INPUT_SIDE)


def _bottleneck(stack: Stack, middle: int, out: int, *, halving: Padding | None = None) -> None:
    start = len(stack.layers)
    stack.conv(middle)
    if halving is None:
        stack.depthwise()
    else:
        stack.depthwise(stride=2, padding=halving)
    end = stack.conv(out, activation="none")
    if halving is None:
        stack.add(start, end)


build_tensorflow_192 = partial(build, dim=192, halving=_SAME_STRIDE_2)
build_pytorch_512 = partial(build, dim=512, halving=SYMMETRIC_1)
