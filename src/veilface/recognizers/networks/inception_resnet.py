"""InceptionResnetV1, the network of FaceNet's public weights, with its batch norms folded in.

The modules carry the names of the published state dict, so that a convolution knows the keys of
its numbers. The scale of a residual branch is folded into its joining convolution, too.

Source:
    Szegedy et al., "Inception-v4, Inception-ResNet", AAAI 2017, figures 10 to 15, with the widths
    and scales of davidsandberg/facenet; layout of the public files: timesler/facenet-pytorch,
    tag v2.2.9. Untested with those files.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError
from veilface.recognizers.networks.folding import FoldedConv

INPUT_SIDE = 160
DIM = 512
_CLASSES = ("logits.weight", "logits.bias")  # of the training set; not used


class _Pool(nn.Module):
    """The unpadded pool that stands beside the convolutions of a reduction."""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2)


class _Reduction(nn.Module):
    """Branches with stride 2, side by side; the last one is a max pool."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        for number, branch in enumerate((*branches, _Pool())):
            self.add_module(f"branch{number}", branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], 1)


class _Residual(nn.Module):
    """relu(x + scale · joined branches); the last block of the network has no ReLU."""

    def __init__(
        self, channels: int, branches: list[nn.Module], joined: int, *, scale: float, relu: bool
    ) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch)
        self.branches = len(branches)
        self.conv2d = FoldedConv(joined, channels, 1, normed=False, scale=scale)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        outputs = [self.get_submodule(f"branch{k}")(x) for k in range(self.branches)]
        y = x + self.conv2d(torch.cat(outputs, 1))
        return F.relu(y) if self.relu else y


def _block35() -> nn.Module:
    narrow = [FoldedConv(256, 32, 1) for _ in range(3)]
    branches: list[nn.Module] = [
        narrow[0],
        nn.Sequential(narrow[1], FoldedConv(32, 32, 3, padding=1)),
        nn.Sequential(
            narrow[2], FoldedConv(32, 32, 3, padding=1), FoldedConv(32, 32, 3, padding=1)
        ),
    ]
    return _Residual(256, branches, 96, scale=0.17, relu=True)


def _crossed(
    channels: int, width: int, length: int, *, scale: float, relu: bool = True
) -> nn.Module:
    """Block17 and Block8: one branch has a row kernel and then a column kernel."""
    half = length // 2
    branches: list[nn.Module] = [
        FoldedConv(channels, width, 1),
        nn.Sequential(
            FoldedConv(channels, width, 1),
            FoldedConv(width, width, (1, length), padding=(0, half)),
            FoldedConv(width, width, (length, 1), padding=(half, 0)),
        ),
    ]
    return _Residual(channels, branches, 2 * width, scale=scale, relu=relu)


class InceptionResnetV1(nn.Module):
    """The network; weights are undefined until `load`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = FoldedConv(3, 32, 3, stride=2)
        self.conv2d_2a = FoldedConv(32, 32, 3)
        self.conv2d_2b = FoldedConv(32, 64, 3, padding=1)
        self.conv2d_3b = FoldedConv(64, 80, 1)
        self.conv2d_4a = FoldedConv(80, 192, 3)
        self.conv2d_4b = FoldedConv(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = _Reduction(
            FoldedConv(256, 384, 3, stride=2),
            nn.Sequential(
                FoldedConv(256, 192, 1),
                FoldedConv(192, 192, 3, padding=1),
                FoldedConv(192, 256, 3, stride=2),
            ),
        )
        self.repeat_2 = nn.Sequential(*(_crossed(896, 128, 7, scale=0.10) for _ in range(10)))
        self.mixed_7a = _Reduction(
            nn.Sequential(FoldedConv(896, 256, 1), FoldedConv(256, 384, 3, stride=2)),
            nn.Sequential(FoldedConv(896, 256, 1), FoldedConv(256, 256, 3, stride=2)),
            nn.Sequential(
                FoldedConv(896, 256, 1),
                FoldedConv(256, 256, 3, padding=1),
                FoldedConv(256, 256, 3, stride=2),
            ),
        )
        self.repeat_3 = nn.Sequential(*(_crossed(1792, 192, 3, scale=0.20) for _ in range(5)))
        self.block8 = _crossed(1792, 192, 3, scale=1.0, relu=False)
        # The published names of the two are those of a linear layer and its batch norm.
        self.last_linear = FoldedConv(1792, DIM, 1, relu=False, names=("last_linear", "last_bn"))

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take the numbers of the published state dict; the layer of its classes is dropped.

        Args:
            state: Tensors by name.

        Raises:
            WeightsError: A tensor is missing, has another shape, or is not known.
        """
        left = {name: value for name, value in state.items() if name not in _CLASSES}
        for name, module in self.named_modules():
            if isinstance(module, FoldedConv):
                module.load(name, left)
        if left:
            msg = f"the weight file has {min(left)}, which is not part of InceptionResnetV1"
            raise WeightsError(msg)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolutions and matrices for one image."""
        total = 0

        def count(module: FoldedConv, _: object, output: Tensor) -> None:
            nonlocal total
            total += module.weight[0].numel() * output.numel()

        with torch.device("meta"):
            shadow = InceptionResnetV1()
            for module in shadow.modules():
                if isinstance(module, FoldedConv):
                    module.register_forward_hook(count)
            shadow(torch.empty(1, 3, INPUT_SIDE, INPUT_SIDE))
        return total

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings (N, 512) of normalised images (N, 3, 160, 160)."""
        y = self.conv2d_2a(self.conv2d_1a(x.contiguous(memory_format=torch.channels_last)))
        y = F.max_pool2d(self.conv2d_2b(y), 3, 2)
        y = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(y)))
        y = self.mixed_6a(self.repeat_1(y))
        y = self.mixed_7a(self.repeat_2(y))
        y = self.block8(self.repeat_3(y))
        raw: Tensor = self.last_linear(y.mean((2, 3), keepdim=True)).flatten(1)
        return raw


def build() -> InceptionResnetV1:
    """The network without weights: (N, 3, 160, 160) to (N, 512)."""
    return InceptionResnetV1()
