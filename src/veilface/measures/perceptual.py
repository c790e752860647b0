"""LPIPS, the distance of images in the features of AlexNet: lpips[alex,v0.1].

Its linear heads come with torchmetrics; AlexNet's ImageNet weights come with no dependency and are
not fetched, so the user names a file that has them: torchvision's ``alexnet-owt-7be5be79.pth``, or
a state dict or safetensors file of ``lpips.LPIPS(net="alex")``. Without one the measure is absent.

Source:
    R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    DOI 10.1109/CVPR.2018.00068. Oracle: torchmetrics with an AlexNet of the same weights.

Environment:
    VEILFACE_LPIPS: The file of AlexNet's weights.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from veilface.errors import ShapeError, WeightsError
from veilface.weights.packages import check_sha256, package_file, sha256_of
from veilface.weights.state_dict import read_state_dict

VARIABLE = "VEILFACE_LPIPS"

_HEADS = "torchmetrics/functional/image/lpips_models/alex.pth"
_HEADS_SHA256 = "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"
_NAMED_HASH = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")  # how torch.hub names the files it checks

# ImageNet's mean and deviation, for images in [-1, 1].
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


@dataclass(frozen=True, slots=True)
class _Convolution:
    place: int  # in torchvision's AlexNet.features
    shape: tuple[int, int, int, int]
    stride: int
    padding: int
    pooled: bool  # a 3x3 maximum of stride 2 comes first


_LAYERS = (
    _Convolution(0, (64, 3, 11, 11), 4, 2, False),
    _Convolution(3, (192, 64, 5, 5), 1, 2, True),
    _Convolution(6, (384, 192, 3, 3), 1, 1, True),
    _Convolution(8, (256, 384, 3, 3), 1, 1, False),
    _Convolution(10, (256, 256, 3, 3), 1, 1, False),
)


@dataclass(frozen=True, slots=True)
class Lpips:
    """The distance; call it with images.

    Attributes:
        filters: Weights and biases of the five convolutions.
        heads: Per convolution (1, C, 1, 1) weights of its channels, not negative.
    """

    filters: tuple[tuple[Tensor, Tensor], ...]
    heads: tuple[Tensor, ...]

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The distance of each pair.

        Args:
            x: (N, 3, H, W) float RGB in [0, 1], at least 31 pixels a side.
            y: The same shape.

        Returns:
            (N,), 0 for equal images.

        Raises:
            ShapeError: Other or different shapes.
        """
        if x.shape != y.shape or x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < 31:
            raise ShapeError(
                f"LPIPS compares (N, 3, H, W) images of 31 pixels or more a side, "
                f"got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        with torch.inference_mode():
            total = x.new_zeros(len(x))
            for head, a, b in zip(self.heads, self._features(x), self._features(y), strict=True):
                total += (head.to(x) * (a - b) ** 2).sum(dim=1).mean(dim=(1, 2))
            return total

    def _features(self, x: Tensor) -> list[Tensor]:
        """The rectified output of each convolution, of unit length over its channels."""
        shift, scale = (x.new_tensor(v)[None, :, None, None] for v in (_SHIFT, _SCALE))
        x = (2 * x - 1 - shift) / scale
        found = []
        for layer, (weight, bias) in zip(_LAYERS, self.filters, strict=True):
            if layer.pooled:
                x = F.max_pool2d(x, 3, stride=2)
            x = F.relu(
                F.conv2d(x, weight.to(x), bias.to(x), stride=layer.stride, padding=layer.padding)
            )
            found.append(x / torch.sqrt(1e-8 + (x**2).sum(dim=1, keepdim=True)))
        return found


def named_lpips() -> Lpips:
    """LPIPS with the weights that the environment variable names.

    Raises:
        WeightsError: It names no file, or as in `load_lpips`; the sentence says what to do.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        raise WeightsError(
            "LPIPS needs AlexNet's ImageNet weights, which no dependency brings; "
            f"set {VARIABLE} to torchvision's alexnet-owt-7be5be79.pth"
        )
    return load_lpips(Path(path))


def load_lpips(path: Path) -> Lpips:
    """LPIPS with AlexNet's weights from a file.

    Args:
        path: A PyTorch state dict or a safetensors file, in the layout of torchvision's AlexNet
            or of the lpips package; heads that it lacks are those of torchmetrics. A name that
            ends in a hash, as torchvision's do, is checked against the content.

    Raises:
        WeightsError: The file is missing, unreadable, of another hash, or no AlexNet.
    """
    if not path.is_file():
        raise WeightsError(f"{path}, which should hold AlexNet's weights for LPIPS, does not exist")
    named = _NAMED_HASH.search(path.name)
    if named and not (found := sha256_of(path)).startswith(named[1]):
        raise WeightsError(f"{path} is not what its name says: its sha256 is {found}")
    tensors = _read(path)
    if "lin0.model.1.weight" not in tensors:
        heads = package_file("torchmetrics", _HEADS)
        check_sha256(heads, _HEADS_SHA256)
        tensors = {**read_state_dict(heads), **tensors}
    filters, weights = [], []
    for number, layer in enumerate(_LAYERS):
        prefix = f"features.{layer.place}"
        if f"{prefix}.weight" not in tensors:
            prefix = f"net.slice{number + 1}.{layer.place}"
        channels = layer.shape[0]
        filters.append(
            (
                _tensor(path, tensors, f"{prefix}.weight", layer.shape),
                _tensor(path, tensors, f"{prefix}.bias", (channels,)),
            )
        )
        weights.append(_tensor(path, tensors, f"lin{number}.model.1.weight", (1, channels, 1, 1)))
    return Lpips(tuple(filters), tuple(weights))


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        return read_state_dict(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file: {error}") from error


def _tensor(path: Path, tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    found = tensors.get(name)
    if found is None or tuple(found.shape) != shape:
        has = "is missing" if found is None else f"has shape {tuple(found.shape)}"
        raise WeightsError(f"{path} is no AlexNet for LPIPS: {name} {has}, expected {shape}")
    return found
