"""SFace's network: MobileNet v1 with PReLU and a fully connected embedding.

Source:
    Zhong et al., SFace: Sigmoid-Constrained Hypersphere Loss, IEEE TIP 2021; the layout is that of
    the published ONNX file.
"""

from __future__ import annotations

from veilface.recognizers.layers import SYMMETRIC_1, Stack
from veilface.recognizers.networks.chain import FrozenNetwork

INPUT_SIDE = 112
_WIDTHS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_HALVING = frozenset({2, 4, 6, 12})  # numbers of the pairs whose depthwise layer has stride 2


def build() -> FrozenNetwork:
    """The network without weights: (N, 3, 112, 112) to (N, 128)."""
    stack = Stack()
    stack.conv(32, 3, padding=SYMMETRIC_1)
    for number, width in enumerate(_WIDTHS, start=1):
        stack.depthwise(stride=2 if number in _HALVING else 1)
        stack.conv(width)
    stack.conv(128, 7, activation="none")
    return FrozenNetwork(stack.layers, side=INPUT_SIDE)
