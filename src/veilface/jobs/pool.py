"""Chunks through engines: on a CPU by several processes of one thread each.

One thread makes equal inputs give equal bits, and as many processes as cores lose nothing: small
batches do not keep several threads busy. A chunk is a batch of its own, on every device: its bytes
never depend on what else was missing.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import Connection

import torch

from veilface.errors import ProtectionError
from veilface.imaging.tensors import to_tensor
from veilface.jobs.cache import Job, Task, generators, write_chunk
from veilface.jobs.engine import Engine, check_image
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer


class Worker:
    """Protects chunks on one device; each recogniser is loaded once."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._recognizers: dict[str, Recognizer] = {}
        self._engines: dict[Job, Engine] = {}

    def run(self, task: Task) -> None:
        """Protect a chunk as one batch, and keep it.

        Raises:
            ProtectionError: An image has no content.
            WeightsError: The weights of a surrogate are not here.
        """
        results = self._engine(task.job).protect_together(
            list(to_tensor(task.pixels)),
            generators=generators(task.pixels, seed=task.seed, draw=task.draw),
        )
        for result in results:
            check_image(result.image, what=f"an image of {task.job.name}")
        write_chunk(task, torch.stack([result.image for result in results]))

    def _engine(self, job: Job) -> Engine:
        if job not in self._engines:
            surrogates = [self._load(name) for name in job.surrogates]
            self._engines[job] = Engine(job.protector, surrogates, device=self.device)
        return self._engines[job]

    def _load(self, name: str) -> Recognizer:
        if name not in self._recognizers:
            self._recognizers[name] = load_recognizer(name, device=self.device)
        return self._recognizers[name]


def run_tasks(
    tasks: Sequence[Task], *, jobs: int, device: torch.device, done: Callable[[int], None]
) -> None:
    """Protect every chunk.

    Args:
        tasks: Chunks that are not there yet.
        jobs: Processes on the CPU; 1 works in this process, and so does an accelerator. The
            processes are spawned: a script that calls this needs ``if __name__ == "__main__":``.
        device: Where to compute.
        done: Told how many more faces are kept.

    Raises:
        ProtectionError: An image has no content, or a process died.
        WeightsError: The weights of a surrogate are not here.
    """
    if device.type != "cpu" or jobs == 1 or len(tasks) < 2:
        _in_this_process(tasks, device, done)
    else:
        _in_processes(tasks, min(jobs, len(tasks)), done)


def _in_this_process(
    tasks: Sequence[Task], device: torch.device, done: Callable[[int], None]
) -> None:
    worker = Worker(device)
    for task in tasks:
        worker.run(task)
        done(len(task.pixels))


def _in_processes(tasks: Sequence[Task], jobs: int, done: Callable[[int], None]) -> None:
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(reader,))
    with reader, writer:
        try:
            waiting = iter(tasks)
            running: set[Future[int]] = set()
            while True:
                # Two each, so that nobody waits for work; more would only hold their pixels.
                free = 2 * jobs - len(running)
                with _interrupt_held():  # a process may be started, and inherits it
                    running |= {pool.submit(_run, task) for task in islice(waiting, free)}
                if not running:
                    break
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done(future.result())
            pool.shutdown()
        except BrokenProcessPool:
            raise ProtectionError(
                "a worker process died, probably for want of memory; what is finished is kept: "
                "run the same again with fewer processes"
            ) from None
        finally:
            writer.close()  # after an error nobody waits for what is still running
            pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _interrupt_held() -> Iterator[None]:
    """Let Ctrl-C wait, so that it never hits a process that is being started."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_WORKER: Worker | None = None


def _start(lifeline: Connection) -> None:
    """Prepare a worker process, which ends when the other end of ``lifeline`` is closed.

    That end closes also when its process is killed, which leaves workers waiting for ever
    otherwise.
    """
    global _WORKER  # noqa: PLW0603 - the one state of a worker process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: the first process decides
    torch.set_num_threads(1)
    _WORKER = Worker(torch.device("cpu"))
    threading.Thread(target=_follow, args=(lifeline,), daemon=True).start()


def _follow(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


def _run(task: Task) -> int:
    assert _WORKER is not None  # noqa: S101 - set when the process starts
    _WORKER.run(task)
    return len(task.pixels)
