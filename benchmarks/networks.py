"""Time of every network beside its multiply-accumulates and beside plain torch modules.

    python -m benchmarks.networks [--threads 2] [--batches 1,8] [--rounds 7] [--names dlib,sface]

"Plain" is the same architecture with random weights out of `nn.Conv2d`, `nn.PReLU` and the like,
in contiguous memory and run eagerly. Both are measured in turn in one run, so that the ratio holds
when the machine's speed drifts; below 1 veilface's network is the faster one. Only the networks
themselves are timed, without geometry and normalisation; the backward pass goes to the pixels.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.recognizers.layers import Layer
from veilface.recognizers.networks.chain import FrozenNetwork
from veilface.recognizers.networks.dlib_resnet import DlibResNet, add_extended
from veilface.recognizers.registry import available, get_spec, load_recognizer


class PlainStep(nn.Sequential):
    """One convolution with its activation, as everybody would write it."""

    def __init__(self, layer: Layer) -> None:
        left, right, top, bottom = layer.padding
        even = left == right and top == bottom
        convolution = nn.Conv2d(
            layer.channels[0],
            layer.channels[1],
            layer.kernel,
            layer.stride,
            (top, left) if even else 0,
            groups=layer.groups,
        )
        activations: dict[str, nn.Module] = {
            "relu": nn.ReLU(),
            "relu6": nn.ReLU6(),
            "prelu": nn.PReLU(layer.channels[1]),
        }
        steps: list[nn.Module] = [] if even else [nn.ZeroPad2d(layer.padding)]
        steps.append(convolution)
        if layer.activation != "none":
            steps.append(activations[layer.activation])
        super().__init__(*steps)


class PlainChain(nn.Module):
    """A list of layers, run one after the other."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.steps = nn.ModuleList(
            PlainStep(layer) if layer.kind == "conv" else nn.Identity() for layer in layers
        )

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings of normalised images."""
        outputs = [x]
        for layer, step in zip(self.layers, self.steps, strict=True):
            read = [outputs[number] for number in layer.inputs]
            if layer.kind == "add":
                outputs.append(read[0] + read[1])
            elif layer.kind == "mean":
                outputs.append(read[0].mean((2, 3), keepdim=True))
            else:
                outputs.append(step(read[0]))
        return outputs[-1].flatten(1)


class PlainDlib(nn.Module):
    """dlib's network."""

    def __init__(self, model: DlibResNet) -> None:
        super().__init__()
        self.stem = PlainStep(model.stem.layer)
        self.first = nn.ModuleList(PlainStep(block.first.layer) for block in model.blocks)  # type: ignore[union-attr, arg-type]
        self.second = nn.ModuleList(PlainStep(block.second.layer) for block in model.blocks)  # type: ignore[union-attr, arg-type]
        self.head = PlainStep(model.head.layer)

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings of normalised images."""
        x = F.max_pool2d(self.stem(x), 3, 2)
        for first, second in zip(self.first, self.second, strict=True):
            y = second(first(x))
            same = y.shape == x.shape
            x = F.relu(y + x if same else add_extended(y, F.avg_pool2d(x, 2, 2)))
        result: Tensor = self.head(x.mean((2, 3), keepdim=True)).flatten(1)
        return result


def plain_of(network: nn.Module) -> nn.Module | None:
    """The same architecture out of plain modules; None when it is not a list of layers."""
    plain: nn.Module
    with torch.random.fork_rng(devices=[]):
        if isinstance(network, FrozenNetwork):
            plain = PlainChain(network.layers)
        elif isinstance(network, DlibResNet):
            plain = PlainDlib(network)
        else:
            return None
    return plain.requires_grad_(requires_grad=False).eval()


def forward(network: nn.Module, x: Tensor) -> None:
    """One pass without gradient."""
    with torch.inference_mode():
        network(x)


def forward_backward(network: nn.Module, x: Tensor) -> None:
    """One pass and its gradient to the pixels."""
    y = x.clone().requires_grad_()
    torch.autograd.grad(network(y).sum(), y)


def milliseconds(work: Callable[[], None]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--names", help="with commas; all that are present by default")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    names = available(arguments.names.split(",") if arguments.names else None)
    print(f"{arguments.threads} threads, median of {arguments.rounds}, milliseconds a batch")
    print("network         M MACs batch pass       veilface   plain  ratio  G MACs/s")
    for name in names:
        spec, network = get_spec(name), load_recognizer(name).network
        plain = plain_of(network)
        for batch in map(int, arguments.batches.split(",")):
            side = spec.preprocessing.side
            generator = torch.Generator().manual_seed(0)
            x = torch.randn(batch, 3, side, side, generator=generator)
            for label, work in (("forward", forward), ("+ backward", forward_backward)):
                work(network, x)
                if plain is not None:
                    work(plain, x)
                own, other, ratios = [], [], []
                for _ in range(arguments.rounds):
                    own.append(milliseconds(lambda: work(network, x)))  # noqa: B023
                    if plain is not None:
                        other.append(milliseconds(lambda: work(plain, x)))  # noqa: B023
                        ratios.append(own[-1] / other[-1])
                mine = statistics.median(own)
                rate = spec.macs * batch / mine / 1e6
                beside = (
                    f"{statistics.median(other):8.1f} {statistics.median(ratios):6.2f}"
                    if ratios
                    else "       -      -"
                )
                print(
                    f"{name:14s} {spec.macs / 1e6:7.0f} {batch:5d} {label:10s} "
                    f"{mine:8.1f} {beside} {rate:9.1f}"
                )


if __name__ == "__main__":
    main()
