"""The layers that the networks are made of, against plain PyTorch calls."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.errors import WeightsError
from veilface.recognizers.layers import Activation, Layer, Padding, Stack
from veilface.recognizers.networks.activations import frozen_prelu
from veilface.recognizers.networks.chain import FrozenConv, FrozenNetwork
from veilface.recognizers.readers.lowered import Lowered, LoweredLayer


def numbers_for(layer: Layer, seed: int) -> LoweredLayer:
    rng = np.random.default_rng(seed)
    if layer.kind != "conv":
        return LoweredLayer(layer)
    slope = rng.normal(size=layer.channels[1]) if layer.activation == "prelu" else None
    bias = rng.normal(size=layer.channels[1])
    return LoweredLayer(layer, rng.normal(size=layer.weight_shape), bias, slope)


def expected_of(numbers: LoweredLayer, x: Tensor) -> Tensor:
    layer = numbers.layer
    assert numbers.weight is not None
    assert numbers.bias is not None
    weight, bias = torch.from_numpy(numbers.weight), torch.from_numpy(numbers.bias)
    y = F.conv2d(F.pad(x, layer.padding), weight, bias, layer.stride, 0, 1, layer.groups)
    if layer.activation == "prelu":
        assert numbers.slope is not None
        return F.prelu(y, torch.from_numpy(numbers.slope))
    return {"none": y, "relu": y.relu(), "relu6": y.clamp(0, 6)}[layer.activation]


@pytest.mark.parametrize("activation", ["none", "relu", "relu6", "prelu"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "depthwise", "covers"),
    [
        (1, 1, (0, 0, 0, 0), False, False),
        (3, 1, (1, 1, 1, 1), False, False),
        (3, 2, (0, 1, 0, 1), False, False),
        (3, 2, (0, 1, 0, 1), True, False),
        (3, 2, (1, 1, 1, 1), True, False),
        (3, 1, (0, 1, 2, 0), True, False),
        (8, 1, (0, 0, 0, 0), False, True),
        (8, 1, (0, 0, 0, 0), True, True),
    ],
)
def test_convolution(
    *,
    kernel: int,
    stride: int,
    padding: Padding,
    depthwise: bool,
    covers: bool,
    activation: Activation,
) -> None:
    channels = (4, 4) if depthwise else (4, 6)
    groups = 4 if depthwise else 1
    layer = Layer("conv", (0,), channels, kernel, stride, padding, groups, activation)
    numbers = numbers_for(layer, seed=kernel)
    module = FrozenConv(layer, covers=covers).double()
    module.load(numbers)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 8, 8, generator=generator, dtype=torch.float64)
    for image in (x, x.contiguous(memory_format=torch.channels_last)):
        assert torch.allclose(module(image), expected_of(numbers, image), atol=1e-12)


def test_a_network_with_sums_and_a_mean() -> None:
    stack = Stack()
    first = stack.conv(5, 3, stride=2, padding=(0, 1, 0, 1))
    stack.depthwise()
    second = stack.conv(5, activation="none")
    stack.add(first, second)
    stack.mean()
    network = FrozenNetwork(stack.layers, side=10).double()
    numbers = tuple(numbers_for(layer, seed=k) for k, layer in enumerate(stack.layers))
    network.load(Lowered(np.ones(3), np.zeros(3), numbers))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 10, 10, generator=generator, dtype=torch.float64)
    a = expected_of(numbers[0], x)
    c = expected_of(numbers[2], expected_of(numbers[1], a))
    assert torch.allclose(network(x), (a + c).mean((2, 3)), atol=1e-12)
    assert network.macs == 5 * 27 * 25 + 5 * 9 * 25 + 25 * 25


def test_another_architecture_is_refused_by_its_first_difference() -> None:
    stack = Stack()
    stack.conv(4, 3)
    other = Stack()
    other.conv(4, 3, stride=2)
    network = FrozenNetwork(stack.layers, side=8)
    numbers = tuple(numbers_for(layer, seed=0) for layer in other.layers)
    with pytest.raises(WeightsError, match=r"3x3/2 3->4.*3x3/1 3->4.*expected"):
        network.load(Lowered(np.ones(3), np.zeros(3), numbers))
    with pytest.raises(WeightsError, match="2 layers, not 1"):
        network.load(Lowered(np.ones(3), np.zeros(3), numbers * 2))


def test_negligible_weights_become_zeros() -> None:
    layer = Layer("conv", (0,), (1, 2))
    weight = np.array([[[[1.0]]], [[[1e-39]]]])
    module = FrozenConv(layer)
    module.load(LoweredLayer(layer, weight, np.array([0.5, 1e-30])))
    assert module.weight.ravel().tolist() == [1.0, 0.0]
    assert module.bias.tolist() == [0.5, 0.0]


def test_frozen_prelu_equals_prelu_in_value_and_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, 4, 3, generator=generator, dtype=torch.float64)
    x[0, 0, 0, 0] = 0.0
    slope = torch.tensor([0.25, -0.5, 1.5, 0.0, -9.4], dtype=torch.float64)
    weights = torch.randn(2, 5, 4, 3, generator=generator, dtype=torch.float64)
    for memory in (torch.contiguous_format, torch.channels_last):
        a = x.clone(memory_format=memory).requires_grad_()
        b = x.clone(memory_format=memory).requires_grad_()
        mine, theirs = frozen_prelu(a, slope), F.prelu(b, slope)
        assert torch.equal(mine, theirs)
        (ga,) = torch.autograd.grad((mine * weights).sum(), a)
        (gb,) = torch.autograd.grad((theirs * weights).sum(), b)
        assert torch.allclose(ga, gb, atol=1e-15)


def test_frozen_prelu_gradcheck() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 2, 2, generator=generator, dtype=torch.float64)
    x = (x.sign() * (x.abs() + 0.1)).requires_grad_()  # away from the kink
    slope = torch.tensor([0.25, -0.5, 1.5], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda value: frozen_prelu(value, slope), (x,))
