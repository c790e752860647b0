"""The plain networks of the benchmark are the same architectures: equal numbers, equal outputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmarks.networks import plain_of
from tests.recognizers.conftest import load_or_skip
from veilface.recognizers.networks.chain import FrozenConv


def dense_weight(step: FrozenConv) -> Tensor:
    """(out, in per group, rows, columns) of a convolution that may be stored as a matrix."""
    out, per_group, rows, columns = step.layer.weight_shape
    if step.pointwise or step.covers:
        return step.weight.view(out, rows, columns, per_group).permute(0, 3, 1, 2)
    return step.weight[:, :, 1:, 1:] if step.enlarged else step.weight


@pytest.mark.parametrize("name", ["dlib", "sface", "mobilefacenet", "fr_feature"])
def test_plain_network_computes_the_same(name: str) -> None:
    spec, network = load_or_skip(name).spec, load_or_skip(name).network
    plain = plain_of(network)
    assert plain is not None
    own = [step for step in network.modules() if isinstance(step, FrozenConv)]
    if name == "dlib":  # the plain one lists all first convolutions, then all second ones
        own = [own[0], *own[1:-1:2], *own[2:-1:2], own[-1]]
    convolutions = [step for step in plain.modules() if isinstance(step, nn.Conv2d)]
    slopes = [step for step in plain.modules() if isinstance(step, nn.PReLU)]
    for mine, theirs in zip(own, convolutions, strict=True):
        theirs.weight.data.copy_(dense_weight(mine))
        assert theirs.bias is not None
        theirs.bias.data.copy_(mine.bias)
    stored = [step.slope for step in own if step.slope is not None]
    for slope, module in zip(stored, slopes, strict=True):
        module.weight.data.copy_(slope)
    side = spec.preprocessing.side
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) - 0.5
    with torch.inference_mode():
        expected, found = network(x), plain(x)
    assert torch.allclose(found, expected, atol=1e-4 * float(expected.abs().max()))
