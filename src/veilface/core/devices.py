"""Which device to use, and how to tell that its memory is full."""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.errors import DeviceError, UnknownNameError

DEVICES = ("auto", "cpu", "cuda")

_log = logging.getLogger(__name__)


def resolve_device(name: str = "auto") -> torch.device:
    """The device of a name; ``auto`` takes an accelerator when there is one.

    Raises:
        UnknownNameError: Another name.
        DeviceError: ``cuda`` was asked for and is not there; there is no silent fallback.
    """
    if name not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    cuda = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not cuda:
        raise DeviceError(
            "device 'cuda' was asked for, but this PyTorch "
            f"({torch.__version__}) sees no CUDA device; use --device cpu or auto"
        )
    device = torch.device("cuda" if cuda else "cpu")
    _log.info("device %s was asked for, computing on %s", name, device.type)
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a device (or the host) has no memory left."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    # PyTorch's CPU allocator raises a bare RuntimeError.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


_COUNTS = threading.Lock()

T = TypeVar("T")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one CPU thread, so that equal inputs give equal bits.

    With several, the gradients of strided convolutions differ by 1e-8 from call to call (measured
    with PyTorch 2.13's oneDNN), which grows to a grey level within a few steps.

    It holds for the thread that calls it and for no other, not even for one that begins meanwhile:
    the number belongs to a thread (it is OpenMP's), which takes what was set last, anywhere in the
    process, when it computes for the first time, and keeps it. So what was set last is put back at
    once, by a thread that lives no longer than that.
    """
    before = usual_threads()
    _set_here(1)
    try:
        yield
    finally:
        _set_here(before)


def usual_threads() -> int:
    """The number of CPU threads that this thread computes with, from now on at the latest.

    To be called where a thread of a service begins to work: it never sees the moment in which
    `one_thread` sets another number.
    """
    with _COUNTS:
        return torch.get_num_threads()


def _set_here(count: int) -> None:
    with _COUNTS:
        usual = apart(torch.get_num_threads)
        torch.set_num_threads(count)
        apart(lambda: torch.set_num_threads(usual))


def apart(call: Callable[[], T]) -> T:
    """What a call returns or raises, made in a new thread that ends with it.

    A thread that has computed once keeps OpenMP's helpers for good, and where all helpers of a
    process are more than its cores, each of them sleeps instead of waiting at the end of a loop: a
    service whose main thread had computed was a quarter slower in the thread that protects.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="veilface-apart") as pool:
        return pool.submit(call).result()


def fitting_threads() -> int:
    """Compute with as many CPU threads as pay off now, and return their number.

    Where other work keeps the cores busy, threads wait for each other: on two loaded cores a photo
    took 36 s with two threads and 13 s with one. A trial tells; the
    variable OMP_NUM_THREADS stays in force.
    """
    most = torch.get_num_threads()
    if "OMP_NUM_THREADS" in os.environ or most == 1:
        return most
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 64, 56, 56, generator=generator)
    weight = torch.randn(64, 64, 3, 3, generator=generator)
    times = {count: _trial(x, weight, count) for count in sorted({1, most // 2, most})}
    best = min(times, key=lambda count: times[count])
    torch.set_num_threads(best)
    return best


def _trial(x: Tensor, weight: Tensor, threads: int) -> float:
    """Median time of ten convolutions like those of the recognisers, after one to warm up."""
    torch.set_num_threads(threads)
    times = []
    with torch.no_grad():
        for _ in range(11):
            began = time.perf_counter()
            F.conv2d(x, weight, padding=1)
            times.append(time.perf_counter() - began)
    return statistics.median(times[1:])
