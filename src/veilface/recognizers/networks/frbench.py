"""A backbone of the ``frbench`` package with the normalisation that its asset states.

The package is an optional extra and is imported when an asset is loaded. Its own front class is
not used: it would ask the network for a manifest and a detector.

Source:
    frbench 1.1.3, ``frbench.backbones.build_backbone`` and the layout of its assets. Tested with
    random weights in that layout; untested with the published ones.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from veilface.core.template import SIDE, TEMPLATE
from veilface.errors import WeightsError
from veilface.weights.frbench_assets import MISSING
from veilface.weights.state_dict import read_state_dict

_LARGEST_CONFIG = 1 << 20  # bytes

Build = Callable[[str, Mapping[str, Any], torch.device], nn.Module]


class FrbenchNetwork(nn.Module):
    """From RGB in 0..255 to the raw embedding, as frbench does it; empty until `load`."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.backbone: nn.Module = nn.Identity()
        self.order = "rgb"
        self.description: tuple[str, Mapping[str, Any]] = ("", {})
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.ones(1, 3, 1, 1), persistent=False)

    def load(self, config: Path, weight: Path, *, backbone: str, dim: int) -> None:
        """Build the backbone of an asset.

        Args:
            config: The asset's YAML file.
            weight: Its state dict.
            backbone: Name that the configuration must have.
            dim: Width of the embedding that it must have.

        Raises:
            WeightsError: frbench is not installed, or the asset is another one or damaged.
        """
        if importlib.util.find_spec("frbench") is None:
            raise WeightsError(MISSING)
        table = _read_config(config)
        described = _mapping(table, "backbone", config)
        kwargs = _mapping(described, "kwargs", config)
        if described.get("name") != backbone or kwargs.get("num_features", dim) != dim:
            msg = (
                f"{config} describes {described.get('name')} with {kwargs.get('num_features')} "
                f"values where {backbone} with {dim} is expected"
            )
            raise WeightsError(msg)
        self._normalise_like(_mapping(table, "input", config), config)
        self.description = (backbone, kwargs)
        try:
            with torch.random.fork_rng(devices=[]):  # its layers draw numbers that are replaced
                network = _build_backbone()(backbone, kwargs, torch.device("cpu"))
            network.load_state_dict(read_state_dict(weight), strict=True)
        except WeightsError:
            raise
        except Exception as error:  # whatever the package or its dependencies raise
            msg = f"frbench cannot build {backbone} from {weight}: {error}"
            raise WeightsError(msg) from error
        self.backbone = network.requires_grad_(requires_grad=False)
        self.eval()

    def _normalise_like(self, table: Mapping[str, Any], config: Path) -> None:
        if list(table.get("size", (SIDE, SIDE))) != [SIDE, SIDE]:
            msg = f"{config} asks for images of {table['size']} pixels; only {SIDE}x{SIDE} is read"
            raise WeightsError(msg)
        template = table.get("template")
        if template is not None:
            points = torch.tensor(template, dtype=torch.float64)
            if points.shape != TEMPLATE.shape or float((points - TEMPLATE).abs().max()) > 0.1:
                msg = f"{config} asks for another alignment than ArcFace's"
                raise WeightsError(msg)
        self.order = table.get("channel", "rgb")
        if self.order not in ("rgb", "bgr"):
            msg = f"{config} names the channel order {self.order!r}; rgb and bgr are known"
            raise WeightsError(msg)
        self.mean.copy_(_three(table.get("mean", 0.5), config))
        self.std.copy_(_three(table.get("var", table.get("std", 0.5)), config))
        if bool((self.std <= 0).any()):
            msg = f"{config} divides by {self.std.flatten().tolist()}"
            raise WeightsError(msg)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolutions and matrices for one image."""
        total = 0

        def count(module: nn.Conv2d | nn.Conv1d | nn.Linear, _: object, output: Tensor) -> None:
            nonlocal total
            total += module.weight[0].numel() * output.numel()

        place = torch.device("meta")
        with place, torch.no_grad(), torch.random.fork_rng(devices=[]):
            shadow = _build_backbone()(*self.description, place).eval()
            for module in shadow.modules():
                if isinstance(module, nn.Conv2d | nn.Conv1d | nn.Linear):
                    module.register_forward_hook(count)
            shadow(torch.empty(1, 3, SIDE, SIDE))
        return total

    def train(self, mode: bool = True) -> FrbenchNetwork:
        """Stays in evaluation mode: dropout and batch norms of the heads would change scores."""
        return super().train(mode=False)

    def forward(self, x: Tensor) -> Tensor:
        """Raw embeddings (N, D) of (N, 3, 112, 112) RGB in 0..255."""
        if self.order == "bgr":
            x = x.flip(1)
        raw: Tensor = self.backbone((x / 255 - self.mean) / self.std)
        return raw


def build() -> FrbenchNetwork:
    """The network without backbone."""
    return FrbenchNetwork()


def _build_backbone() -> Build:
    return cast("Build", importlib.import_module("frbench.backbones").build_backbone)


def _read_config(path: Path) -> Mapping[str, Any]:
    yaml = importlib.import_module("yaml")  # a dependency of frbench
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            msg = f"{path} is too large for a configuration of frbench"
            raise WeightsError(msg)
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{path} is no configuration of frbench: {' '.join(str(error).split())}"
        raise WeightsError(msg) from error
    return _mapping({"": table}, "", path)


def _mapping(table: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        msg = f"{path} has no table {key!r}".replace(" ''", "")
        raise WeightsError(msg)
    return found


def _three(value: object, path: Path) -> Tensor:
    """One number, or one per channel, as (1, 3, 1, 1)."""
    numbers = list(value) if isinstance(value, list | tuple) else [value] * 3
    if len(numbers) != 3 or not all(
        isinstance(n, int | float) and math.isfinite(n) for n in numbers
    ):
        msg = f"{path} has the normalisation {value!r}; three numbers are expected"
        raise WeightsError(msg)
    return torch.tensor(numbers).view(1, 3, 1, 1)
