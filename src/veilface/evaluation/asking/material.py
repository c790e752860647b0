"""The photos of line-ups: whom to ask about, and who stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from veilface.datasets.base import FaceRecord, FaceSet
from veilface.errors import DatasetError, ImageError, NoFaceError
from veilface.evaluation.aligned import FaceReader, aligned_faces
from veilface.evaluation.asking.conditions import ImageFolder
from veilface.evaluation.asking.key import Task
from veilface.evaluation.protocol import choose
from veilface.measures.lineup import lineups
from veilface.measures.visibility import attributes, likeness

SIZE = 10
_GALLERY = 512  # people to choose the others from, as in an evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Photos that viewers are asked about.

    Attributes:
        dataset: Name of the set.
        task: What viewers are asked.
        sources: The N records that the shown images are made from, one a person.
        faces: (N, 3, 112, 112) their aligned faces in [0, 1].
        gallery: The M records of `photos`.
        photos: (M, 3, 112, 112); the first N are the sources.
        chosen: (N, 10) numbers of photos that stand in each line-up, (N, 0) without line-ups.
    """

    dataset: str
    task: Task
    sources: tuple[FaceRecord, ...]
    faces: Tensor = field(repr=False)
    gallery: tuple[FaceRecord, ...]
    photos: Tensor = field(repr=False)
    chosen: Tensor = field(repr=False)


def choose_material(
    faces: FaceSet,
    people: int,
    *,
    task: Task = "pick",
    folders: Sequence[ImageFolder] = (),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Material:
    """Choose people and the others of their line-ups.

    People come in the order of `veilface.evaluation.protocol.choose`, so that with equal seeds
    those of an evaluation are asked about; where they are to be named, those with the most photos
    come first, since in sets of public figures these are the famous ones.

    Args:
        faces: A set that names people.
        people: How many to ask about.
        task: What viewers are asked.
        folders: Images made elsewhere: of a person the first photo counts that all of them have.
        seed: Of the order of the people and of the candidates.
        progress: Told the number of photos read and of all.

    Raises:
        DatasetError: Too few people, or people without names.
        WeightsError: What estimates age and sex is not here.
    """
    order = list(choose(faces, seed=seed).probes)
    if task == "name":
        if not all(any(letter.isalpha() for letter in record.identity or "") for record in order):
            raise DatasetError(f"{faces.name} numbers its people: nobody in it can be named")
        order.sort(key=lambda record: -len(faces.identities[record.identity or ""]))
    sources, images = _readable(_with_images(faces, order, folders), people)
    if len(sources) < people:
        everywhere = "".join(f" and an image in {each.folder}" for each in folders)
        raise DatasetError(
            f"{len(sources)} people of {faces.name} have a photo that can be read{everywhere}, "
            f"{people} are to be asked about"
        )
    if task == "name":
        return Material(
            faces.name, task, sources, images, sources, images, torch.empty(people, 0).long()
        )
    shown = {record.identity for record in sources}
    rest = [record for record in order if record.identity not in shown]
    others = aligned_faces(rest[: max(0, _GALLERY - people)], progress=progress)
    photos = torch.cat([images, others.faces])
    if len(photos) < SIZE:
        raise DatasetError(
            f"a line-up needs {SIZE} people, {faces.name} has {len(photos)} with a photo to be read"
        )
    chosen = lineups(
        likeness(photos, attributes(photos)), torch.arange(people), size=SIZE, seed=seed
    )
    return Material(faces.name, task, sources, images, (*sources, *others.records), photos, chosen)


def _with_images(
    faces: FaceSet, order: Sequence[FaceRecord], folders: Sequence[ImageFolder]
) -> Iterator[FaceRecord]:
    """The first photo of each person of which every folder has an image."""
    for first in order:
        for record in faces.identities[first.identity or ""] if folders else (first,):
            if all(folder.find(record) for folder in folders):
                yield record
                break


def _readable(records: Iterator[FaceRecord], count: int) -> tuple[tuple[FaceRecord, ...], Tensor]:
    """The first photos in which there is a face, and their faces."""
    reader, kept, faces = FaceReader(), [], [torch.empty(0, 3, 112, 112)]
    for record in records:
        try:
            faces.append(reader.read(record)[None])
        except (ImageError, NoFaceError):
            continue
        kept.append(record)
        if len(kept) == count:
            break
    return tuple(kept), torch.cat(faces)
