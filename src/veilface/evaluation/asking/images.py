"""The images of the conditions, made or read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from veilface.attacks.unmasking import unmask
from veilface.datasets.base import FaceRecord
from veilface.errors import DatasetError
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.asking.conditions import Condition, ImageFolder
from veilface.evaluation.asking.material import Material
from veilface.jobs.cache import Job
from veilface.jobs.sets import protect_set


def images_of(
    condition: Condition,
    material: Material,
    surrogates: Sequence[str],
    *,
    seed: int,
    cache: Path,
    jobs: int | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """What the sources look like under a condition.

    Args:
        condition: Which one.
        material: The sources.
        surrogates: Recognisers to optimise against.
        seed: Of the protectors.
        cache: Folder of protected images; an evaluation's, with its seed, is found again.
        jobs: Processes on a CPU.
        device: Where to compute.
        progress: Told the number of faces done and of all.

    Returns:
        (N, 3, 112, 112) in [0, 1].

    Raises:
        DatasetError: A folder's image is missing, or there is no face in it.
        ShapeError: A preset has no surrogate.
        WeightsError: The weights of a surrogate are not here.
        ProtectionError: A protector failed.
        ImageError: The cache cannot be written.
    """
    if condition.folder is not None:
        images = _read(ImageFolder(condition.folder), material.sources)
    else:
        images = protect_set(
            Job(condition.protector or "", tuple(surrogates)),
            material.faces,
            seed=seed,
            cache=cache,
            jobs=jobs,
            device=device,
            progress=progress,
        )
    return unmask(images) if condition.unmasked else images


def _read(folder: ImageFolder, sources: Sequence[FaceRecord]) -> Tensor:
    records = []
    for source in sources:
        path = folder.find(source)
        if path is None:
            raise DatasetError(f"{folder.folder} holds no image of {source.name}")
        records.append(FaceRecord(path.name, source.identity, path))
    read = aligned_faces(records)
    for sentence in read.failures.values():
        raise DatasetError(f"{folder.folder} cannot be shown: {sentence}")
    return read.faces
