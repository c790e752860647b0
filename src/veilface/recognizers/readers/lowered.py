"""Folded layers with their numbers, between the readers of weight files and the networks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from veilface.recognizers.layers import NO_PADDING, Layer

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoweredLayer:
    """A layer with its numbers.

    Attributes:
        layer: Its description.
        weight: (out, in per group, rows, columns); None for additions and means.
        bias: (out,); None for additions and means.
        slope: (out,) PReLU slopes; None without PReLU.
    """

    layer: Layer
    weight: Float64 | None = None
    bias: Float64 | None = None
    slope: Float64 | None = None


@dataclass(frozen=True, slots=True)
class Lowered:
    """A whole network.

    Attributes:
        scale: (channels,) factor that the file applies to the image first.
        shift: (channels,) addend after that factor.
        layers: The layers; the last one's output is the raw embedding.
        parameters: Number of convolution and matrix weights, biases and slopes.
    """

    scale: Float64
    shift: Float64
    layers: tuple[LoweredLayer, ...]

    @property
    def parameters(self) -> int:
        """Number of weights, biases and slopes."""
        arrays = (a for layer in self.layers for a in (layer.weight, layer.bias, layer.slope))
        return sum(a.size for a in arrays if a is not None)


def merge_pointwise(network: Lowered) -> Lowered:
    """Join two 1x1 convolutions with nothing between them where that saves work.

    Args:
        network: Folded layers.

    Returns:
        The same function with fewer layers, exact in float64.
    """
    layers = list(network.layers)
    position = 0
    while position + 1 < len(layers):
        first, second = layers[position], layers[position + 1]
        readers = sum(position + 1 in other.layer.inputs for other in layers)
        if readers == 1 and second.layer.inputs == (position + 1,) and _joinable(first, second):
            layers[position : position + 2] = [_joined(first, second)]
            layers = [_renumbered(layer, position + 1) for layer in layers]
        else:
            position += 1
    return Lowered(network.scale, network.shift, tuple(layers))


def _joinable(first: LoweredLayer, second: LoweredLayer) -> bool:
    plain = ("conv", 1, 1, 1, NO_PADDING)
    described = [
        (x.layer.kind, x.layer.kernel, x.layer.stride, x.layer.groups, x.layer.padding)
        for x in (first, second)
    ]
    width_in, middle = first.layer.channels
    out = second.layer.channels[1]
    saves = width_in * out <= middle * (width_in + out)
    return described == [plain, plain] and first.layer.activation == "none" and saves


def _joined(first: LoweredLayer, second: LoweredLayer) -> LoweredLayer:
    assert first.weight is not None and first.bias is not None  # noqa: S101, PT018
    assert second.weight is not None and second.bias is not None  # noqa: S101, PT018
    inner, outer = first.weight[:, :, 0, 0], second.weight[:, :, 0, 0]
    channels = (first.layer.channels[0], second.layer.channels[1])
    layer = replace(second.layer, inputs=first.layer.inputs, channels=channels)
    weight = (outer @ inner)[:, :, None, None]
    return LoweredLayer(layer, weight, outer @ first.bias + second.bias, second.slope)


def _renumbered(item: LoweredLayer, removed: int) -> LoweredLayer:
    inputs = tuple(n - 1 if n > removed else n for n in item.layer.inputs)
    return replace(item, layer=replace(item.layer, inputs=inputs))
