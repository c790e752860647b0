"""Reads a PyTorch state dict: a file of named tensors, and nothing else."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from veilface.errors import WeightsError

_MOST = 10_000  # tensors


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that ``torch.save`` wrote.

    Only tensors and containers are unpickled, so that a file cannot run code.

    Args:
        path: The file.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: It is no state dict, or holds a number that is not finite.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError,
        LookupError, TypeError, AttributeError,
    ) as error:  # fmt: skip
        msg = f"{path} is no PyTorch state dict: {str(error).splitlines()[0] if str(error) else ''}"
        raise WeightsError(msg.rstrip(": ")) from error
    if not isinstance(found, dict) or not found or len(found) > _MOST:
        msg = f"{path} holds no table of tensors"
        raise WeightsError(msg)
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            msg = f"{path} holds {name!r}, which is no named tensor"
            raise WeightsError(msg)
        if value.is_floating_point() and not bool(value.isfinite().all()):
            msg = f"{path}: {name} has values that are not finite"
            raise WeightsError(msg)
    return dict(found)
