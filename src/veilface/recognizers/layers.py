"""The description of a network as a list of layers: what a file holds and what a module builds.

A weight file is lowered to such a list with arrays beside it, a network module declares the list
that it implements, and loading compares the two, so that no file is read into a network it does
not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Activation = Literal["none", "relu", "relu6", "prelu"]
Padding = tuple[int, int, int, int]
SYMMETRIC_1: Padding = (1, 1, 1, 1)
NO_PADDING: Padding = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network.

    Attributes:
        kind: ``conv`` (a fully connected layer is a convolution as large as its input), ``add``
            (sum of two earlier outputs) or ``mean`` (over rows and columns).
        inputs: Numbers of the layers that it reads; 0 is the image, 1 the first layer.
        channels: Input and output channels.
        kernel: Side of the square kernel.
        stride: Step of the kernel in both directions.
        padding: Zeros on the left, right, top and bottom.
        groups: 1, or the number of channels of a depthwise convolution.
        activation: What follows the convolution; ``prelu`` has one slope per channel.
    """

    kind: Literal["conv", "add", "mean"]
    inputs: tuple[int, ...]
    channels: tuple[int, int]
    kernel: int = 1
    stride: int = 1
    padding: Padding = NO_PADDING
    groups: int = 1
    activation: Activation = "none"

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(out, in per group, rows, columns) of the convolution's weight."""
        return (self.channels[1], self.channels[0] // self.groups, self.kernel, self.kernel)

    def __str__(self) -> str:
        sources = ", ".join(map(str, self.inputs))
        if self.kind != "conv":
            return f"{self.kind} of {sources}, {self.channels[1]} channels"
        kind = "depthwise" if self.groups > 1 else "conv"
        return (
            f"{kind} {self.kernel}x{self.kernel}/{self.stride} {self.channels[0]}->"
            f"{self.channels[1]} padding {self.padding} {self.activation} of {sources}"
        )


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding before and after; the odd zero goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Stack:
    """Writes down an architecture: each call appends a layer and returns its number.

    Attributes:
        layers: The layers so far.
    """

    def __init__(self, channels: int = 3) -> None:
        self.layers: list[Layer] = []
        self._channels = [channels]

    def conv(
        self,
        out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        padding: Padding = NO_PADDING,
        activation: Activation = "prelu",
    ) -> int:
        """A dense convolution of the last output."""
        channels = (self._channels[-1], out)
        last = len(self.layers)
        return self._append(
            Layer("conv", (last,), channels, kernel, stride, padding, 1, activation)
        )

    def depthwise(
        self,
        kernel: int = 3,
        *,
        stride: int = 1,
        padding: Padding = SYMMETRIC_1,
        activation: Activation = "prelu",
    ) -> int:
        """A depthwise convolution of the last output."""
        width = self._channels[-1]
        last = len(self.layers)
        return self._append(
            Layer("conv", (last,), (width, width), kernel, stride, padding, width, activation)
        )

    def add(self, first: int, second: int) -> int:
        """The sum of two outputs of equal shape."""
        width = self._channels[first]
        return self._append(Layer("add", (first, second), (width, width)))

    def mean(self) -> int:
        """The mean of the last output over rows and columns."""
        width = self._channels[-1]
        return self._append(Layer("mean", (len(self.layers),), (width, width)))

    def _append(self, layer: Layer) -> int:
        self.layers.append(layer)
        self._channels.append(layer.channels[1])
        return len(self.layers)
