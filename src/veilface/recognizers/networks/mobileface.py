"""MobileFace: four stages of depthwise convolutions around a short cut, and a matrix.

Source:
    The published weights of becauseofAI/MobileFace.
"""

from __future__ import annotations

from veilface.recognizers.layers import SYMMETRIC_1, Stack
from veilface.recognizers.networks.chain import FrozenNetwork

INPUT_SIDE = 112
DIM = 256
_WIDTHS = (32, 32, 64, 128)


def build() -> FrozenNetwork:
    """The network without weights: (N, 3, 112, 112) to (N, 256)."""
    stack = Stack()
    stack.conv(32, 3, stride=2, padding=SYMMETRIC_1)
    for width in _WIDTHS:
        stack.conv(width, activation="none")
        start = stack.depthwise(stride=2)
        stack.depthwise()
        end = stack.depthwise()
        stack.add(start, end)
    stack.conv(DIM, 4, activation="none")
    return FrozenNetwork(stack.layers, side=INPUT_SIDE)
