"""MobileNet v1 of width 1 with ReLU6, whose pooled features are the embedding.

Source:
    Howard et al., MobileNets, 2017, Table 1; padding as TensorFlow's SAME.
"""

from __future__ import annotations

from veilface.recognizers.layers import SYMMETRIC_1, Padding, Stack
from veilface.recognizers.networks.chain import FrozenNetwork

INPUT_SIDE = 224
_SAME_STRIDE_2: Padding = (0, 1, 0, 1)
_WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_HALVING = frozenset({2, 4, 6, 12})  # numbers of the pairs whose depthwise layer has stride 2


def build() -> FrozenNetwork:
    """The network without weights: (N, 3, 224, 224) to (N, 1024)."""
    stack = Stack()
    stack.conv(32, 3, stride=2, padding=_SAME_STRIDE_2, activation="relu6")
    for number, width in enumerate(_WIDTHS, start=1):
        if number in _HALVING:
            stack.depthwise(stride=2, padding=_SAME_STRIDE_2, activation="relu6")
        else:
            stack.depthwise(padding=SYMMETRIC_1, activation="relu6")
        stack.conv(width, activation="relu6")
    stack.mean()
    return FrozenNetwork(stack.layers, side=INPUT_SIDE)
