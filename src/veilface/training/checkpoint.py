"""The whole state of a training run in one file, so that it continues as if never ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from veilface.core.files import write_atomic
from veilface.errors import WeightsError

_OPTIMIZER = "optimizer"


def write_checkpoint(
    path: Path, module: nn.Module, optimizer: Optimizer, state: Mapping[str, Any]
) -> None:
    """Replace the checkpoint in one step.

    Args:
        path: A safetensors file.
        module: Everything that is trained, with its buffers.
        optimizer: Over its parameters.
        state: JSON-ready values beside them.

    Raises:
        ImageError: It cannot be written.
    """
    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{_OPTIMIZER}.{number}.{name}"] = value
    write_tensors(path, tensors, {"state": json.dumps(state)})


def read_checkpoint(path: Path, module: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Take up the state that `write_checkpoint` kept, and return what stood beside it.

    Raises:
        WeightsError: The file is damaged, or of other networks.
    """
    tensors, metadata = read_tensors(path)
    kept: dict[int, dict[str, Tensor]] = {}
    weights = {}
    for key, value in tensors.items():
        head, _, name = key.partition(".")
        if head == _OPTIMIZER:
            number, _, name = name.partition(".")
            kept.setdefault(int(number), {})[name] = value
        else:
            weights[name] = value
    try:
        module.load_state_dict(weights)
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": kept, "param_groups": groups})
        state: dict[str, Any] = json.loads(metadata["state"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise WeightsError(f"{path} is the checkpoint of other networks: {error}") from error
    return state


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file in one step; tensors of any device and layout.

    Raises:
        ImageError: It cannot be written.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomic(path, save(plain, dict(metadata)), overwrite=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file on the CPU, and its metadata.

    Raises:
        WeightsError: It is missing or damaged.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights lie."""
    return next(module.parameters()).device
