"""Sets of faces through a protector, kept on disk and reproducible."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from veilface.errors import ImageError
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import CHUNK, Job, Task, generators, is_kept, read_chunk, tasks_of
from veilface.jobs.pool import run_tasks
from veilface.protectors.base import FaceProtector, checked
from veilface.protectors.registry import build_protector

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Faces to protect.

    Attributes:
        job: With what; a preset.
        faces: (N, 3, 112, 112) in [0, 1].
        draw: Which of several independent versions.
    """

    job: Job
    faces: Tensor = field(repr=False)
    draw: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How many faces were found on disk, and how many were protected now."""

    found: int
    protected: int


def protect_set(
    job: Job,
    faces: Tensor,
    *,
    seed: int = 0,
    cache: Path,
    jobs: int | None = None,
    progress: Progress | None = None,
    draw: int = 0,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Protect faces, or find them protected.

    Args:
        job: Protector and surrogates.
        faces: (N, 3, 112, 112) float RGB in [0, 1], one a person.
        seed: Equal seeds give equal images, whatever the number of processes; other faces of the
            set change nothing but the last bits, by the chunk that they share.
        cache: Folder of the protected images; it is made when it is not there.
        jobs: Processes on a CPU, by default one a core. They are spawned: a script needs
            ``if __name__ == "__main__":``.
        progress: Told the number of faces done and of all; first with those that were found.
        draw: Which of several independent versions of each face.
        device: Where to compute.

    Returns:
        (N, 3, 112, 112) on the CPU, rounded to 8 bits.

    Raises:
        ShapeError: The faces are of another shape or range, or a preset has no surrogates.
        WeightsError: The weights of a surrogate are not here.
        ProtectionError: An image has no content, or a process died.
        ImageError: The folder cannot be written.
    """
    if job.is_transform:
        return transform(build_protector(job.protector), faces, seed=seed, draw=draw)
    request = Request(job, faces, draw)
    prepare([request], seed=seed, cache=cache, jobs=jobs, progress=progress, device=device)
    return read_set(request, seed=seed, cache=cache, device=device)


def prepare(
    requests: Sequence[Request],
    *,
    seed: int,
    cache: Path,
    jobs: int | None = None,
    progress: Progress | None = None,
    device: torch.device | str = "cpu",
) -> Tally:
    """Protect what is not there yet of many sets, with one pool of processes.

    Args:
        requests: The sets; what two of them share is protected once.
        seed: As in `protect_set`, like the others.
        cache: As in `protect_set`.
        jobs: As in `protect_set`.
        progress: As in `protect_set`, over all sets.
        device: As in `protect_set`.

    Raises:
        ShapeError: As in `protect_set`, like the others.
        WeightsError: As in `protect_set`.
        ProtectionError: As in `protect_set`.
        ImageError: As in `protect_set`.
    """
    make_folder(cache)
    tasks = {
        task.path: task for request in requests for task in _tasks(request, seed, cache, device)
    }
    missing = [task for task in tasks.values() if not is_kept(task)]
    total = sum(len(task.pixels) for task in tasks.values())
    found = total - sum(len(task.pixels) for task in missing)
    count = found
    _log.info("%d of %d protected faces are in the cache", found, total)

    def done(more: int) -> None:
        nonlocal count
        count += more
        if progress is not None:
            progress(count, total)

    done(0)
    run_tasks(missing, jobs=jobs or os.cpu_count() or 1, device=torch.device(device), done=done)
    return Tally(found, total - found)


def read_set(
    request: Request, *, seed: int, cache: Path, device: torch.device | str = "cpu"
) -> Tensor:
    """The images (N, 3, 112, 112) of a set that `prepare` has protected.

    Raises:
        ImageError: One is not there any more.
    """
    parts = [read_chunk(task) for task in _tasks(request, seed, cache, device)]
    kept = [part for part in parts if part is not None]
    if len(kept) < len(parts):
        raise ImageError(f"protected images have gone from {cache} while they were needed")
    return torch.cat(kept)


def transform(protector: FaceProtector, faces: Tensor, *, seed: int, draw: int = 0) -> Tensor:
    """Faces (N, 3, 112, 112) through a protector in this process, kept nowhere."""
    parts = []
    for part in torch.split(faces, CHUNK):
        streams = generators(to_uint8(part), seed=seed, draw=draw)
        made = protector.protect(part, generator=streams)
        parts.append(checked(made, part, name=protector.name).images.cpu())
    return torch.cat(parts)


def make_folder(folder: Path) -> None:
    """Make a folder that may be there already.

    Raises:
        ImageError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"cannot make the folder {folder}: {error.strerror}") from error


def _tasks(request: Request, seed: int, cache: Path, device: torch.device | str) -> list[Task]:
    return tasks_of(
        request.job, request.faces, seed=seed, draw=request.draw, folder=cache, device=device
    )
