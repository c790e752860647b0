"""Which device to use, and how to tell that its memory is full."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from veilface.errors import DeviceError, UnknownNameError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str = "auto") -> torch.device:
    """The device of a name; ``auto`` takes an accelerator when there is one.

    Raises:
        UnknownNameError: Another name.
        DeviceError: ``cuda`` was asked for and is not there; there is no silent fallback.
    """
    if name not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    if name == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if name == "cuda":
        raise DeviceError(
            "device 'cuda' was asked for, but this PyTorch "
            f"({torch.__version__}) sees no CUDA device; use --device cpu or auto"
        )
    return torch.device("cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a device (or the host) has no memory left."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    # PyTorch's CPU allocator raises a bare RuntimeError.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one CPU thread, so that equal inputs give equal bits.

    With several, the gradients of strided convolutions differ by 1e-8 from call to call (measured
    with PyTorch 2.13's oneDNN), which grows to a grey level within a few steps.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
