"""Protected images on disk, found by everything that made them.

The unit is a chunk of consecutive faces that are optimised as one batch: the last bits of a
convolution depend on the batch, and a hundred steps make grey levels of them. A chunk is one PNG,
its faces side by side, and its name is a hash of the pixels, the recipe, the seed and the draw. So
equal arguments find equal images, whatever was run before, and a run that was killed continues with
the first chunk that is missing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor

from veilface.core.files import read_bytes, write_atomic
from veilface.core.randomness import entropic_generator
from veilface.core.template import SIDE
from veilface.errors import ImageError, UnknownNameError
from veilface.imaging.decode import load_photo
from veilface.imaging.encode import encode
from veilface.imaging.headers import whole_png_size
from veilface.imaging.tensors import to_tensor, to_uint8
from veilface.jobs.recipe import Recipe
from veilface.protectors.registry import PROTECTORS
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.recognizers.registry import get_spec
from veilface.weights import store

CHUNK = 8
"""Faces of a chunk on a CPU."""

_CHUNK_ON_GPU = 128  # a batch is a chunk, and an accelerator wants large batches

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Job:
    """What to protect with.

    Attributes:
        protector: A name of the registry, or a preset with parameters of the caller's own.
        surrogates: Names of the recognisers to optimise against; for a preset.

    Raises:
        UnknownNameError: There is no such protector.
    """

    protector: str | Preset
    surrogates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.protector, str) and self.protector not in PROTECTORS:
            raise UnknownNameError("protector", self.protector, PROTECTORS)

    @property
    def name(self) -> str:
        """Of the protector."""
        return self.protector if isinstance(self.protector, str) else self.protector.name

    @property
    def preset(self) -> Preset | None:
        """The parameters; None for a method of other authors and for a control."""
        return PRESETS.get(self.protector) if isinstance(self.protector, str) else self.protector

    @property
    def is_transform(self) -> bool:
        """Whether nothing is optimised for an image: that is faster to repeat than to keep."""
        return self.preset is None


@dataclass(frozen=True, slots=True)
class Task:
    """One chunk to protect.

    Attributes:
        job: With what.
        pixels: (n, 112, 112, 3) uint8 faces.
        seed: Of the run.
        draw: Which of several independent versions of the same faces.
        path: Where the protected chunk belongs.
    """

    job: Job
    pixels: Pixels = field(repr=False)
    seed: int
    draw: int
    path: Path


def ingredients(job: Job, device: torch.device | str) -> dict[str, Any]:
    """What the images of a preset depend on beside faces, seed and draw, JSON-ready.

    Raises:
        UnknownNameError: The job is none of a preset.
        WeightsError: The weights of a surrogate are not recorded, or a file of the method is not
            there.
    """
    preset = job.preset
    if preset is None:
        raise UnknownNameError("preset", job.name, PRESETS)
    surrogates = {name: store.hashes(get_spec(name)) for name in job.surrogates}
    return Recipe.of(preset, surrogates, device=device).for_chunk()


def generators(pixels: Pixels, *, seed: int, draw: int) -> list[Generator]:
    """One stream for each face of (n, 112, 112, 3), from seed, draw and its pixels alone."""
    head = b"veilface evaluation\0%d\0%d\0" % (seed, draw)
    return [
        entropic_generator(hashlib.sha256(head + _digest(face).encode()).digest())
        for face in pixels
    ]


def chunk_size(device: torch.device | str) -> int:
    """Most faces of a chunk."""
    return CHUNK if torch.device(device).type == "cpu" else _CHUNK_ON_GPU


def tasks_of(
    job: Job,
    faces: Tensor,
    *,
    seed: int,
    draw: int,
    folder: Path,
    device: torch.device | str = "cpu",
) -> list[Task]:
    """Cut faces (N, 3, 112, 112) into chunks, done or not.

    Raises:
        ShapeError: The faces are no images in [0, 1].
        WeightsError: The weights of a surrogate are not recorded, or a file of the method is not
            there.
    """
    pixels = to_uint8(faces)
    about = {"seed": seed, "draw": draw} | ingredients(job, device)
    tasks = []
    size = chunk_size(device)
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        key = json.dumps(about | {"faces": [_digest(face) for face in part]}, sort_keys=True)
        path = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.png"
        tasks.append(Task(job, part, seed, draw, path))
    return tasks


def is_kept(task: Task) -> bool:
    """Whether the protected faces of a task are there and whole, which needs no decoding."""
    try:
        size = whole_png_size(read_bytes(task.path))
    except ImageError:
        return False
    return size == (SIDE * len(task.pixels), SIDE)


def read_chunk(task: Task) -> Tensor | None:
    """The protected faces (n, 3, 112, 112) of a task; None when they are not there, or damaged."""
    try:
        strip = load_photo(task.path).pixels
    except ImageError:
        return None
    if strip.shape != (SIDE, SIDE * len(task.pixels), 3):
        return None
    return to_tensor(np.stack(np.split(strip, len(task.pixels), axis=1)))


def write_chunk(task: Task, images: Tensor) -> None:
    """Keep the protected faces of a task; either the whole file is there or nothing.

    Raises:
        ImageError: The file cannot be written.
    """
    strip = np.concatenate(list(to_uint8(images)), axis=1)
    write_atomic(task.path, encode(strip, format="png"), overwrite=True)


def _digest(face: Pixels) -> str:
    return hashlib.sha256(np.ascontiguousarray(face).tobytes()).hexdigest()
