"""Faces to train on, decoded once into memory.

Such sets are research data: photographs of real people that are neither shipped nor shown. What is
trained on them is named after them in its record.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Generator, Tensor

from veilface.core.template import SIDE
from veilface.datasets.files import images_in, person_folders
from veilface.errors import DatasetError
from veilface.imaging.decode import load_photo

INDEX = "index.csv"
"""Beside images that were aligned beyond their source's border: a line for each file, in whose
columns ``m00`` to ``m12`` is the matrix from source pixels to crop pixels."""

_SOURCE_SIDE = 200  # of UTKFace's "aligned & cropped" images, the only set with such an index


@dataclass(frozen=True, slots=True)
class Batch:
    """Faces of one step.

    Attributes:
        faces: (N, 3, 112, 112) float RGB in [0, 1].
        inside: (N, 1, 112, 112), 1 where the source photo shows something and 0 where the crop
            was filled: what a loss over pixels is multiplied by.
        people: (N,) class numbers; zeros where nobody is named.
        indices: (N,) places of the images in their set.
    """

    faces: Tensor
    inside: Tensor
    people: Tensor
    indices: Tensor


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """A set of aligned faces.

    Attributes:
        name: Of its folder.
        pixels: (N, 3, 112, 112) uint8 RGB.
        inside: (N, 112, 112) bool, as in `Batch`; None where every pixel counts.
        people: (N,) class numbers from 0; None where nobody is named.
    """

    name: str
    pixels: Tensor = field(repr=False)
    inside: Tensor | None = field(repr=False, default=None)
    people: Tensor | None = field(repr=False, default=None)

    def __len__(self) -> int:
        return len(self.pixels)

    def part(self, indices: Tensor | slice) -> TrainingImages:
        """Some of the images."""
        inside, people = self.inside, self.people
        return TrainingImages(
            self.name,
            self.pixels[indices],
            None if inside is None else inside[indices],
            None if people is None else people[indices],
        )

    def digest(self) -> str:
        """SHA-256 of the pixels."""
        return hashlib.sha256(self.pixels.contiguous().numpy().data).hexdigest()

    def split(self, validation: int) -> tuple[TrainingImages, TrainingImages]:
        """All but the last ``validation`` images, and those.

        Raises:
            DatasetError: Nothing would be left to train on.
        """
        if not 0 < validation < len(self):
            raise DatasetError(
                f"{self.name} has {len(self)} images, so {validation} cannot be kept for validation"
            )
        return self.part(slice(None, -validation)), self.part(slice(-validation, None))

    def batch(
        self,
        indices: Tensor,
        *,
        flipped: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> Batch:
        """The images at (N,) indices; those where (N,) ``flipped`` is true are mirrored."""
        faces = self.pixels[indices].to(device).float() / 255
        inside = torch.ones(len(indices), 1, SIDE, SIDE, device=device)
        if self.inside is not None:
            inside = self.inside[indices, None].to(device).float()
        if flipped is not None:
            mirror = flipped.to(device)[:, None, None, None]
            faces = torch.where(mirror, faces.flip(-1), faces)
            inside = torch.where(mirror, inside.flip(-1), inside)
        people = torch.zeros(len(indices), dtype=torch.int64)
        if self.people is not None:
            people = self.people[indices]
        return Batch(faces, inside, people.to(device), indices)

    def draw(
        self, count: int, generator: Generator, *, device: torch.device | str = "cpu"
    ) -> Batch:
        """``count`` random images, drawn with replacement, half of them mirrored."""
        indices = torch.randint(len(self), (count,), generator=generator)
        flipped = torch.rand(count, generator=generator) < 0.5
        return self.batch(indices, flipped=flipped, device=device)


def load_images(folder: Path, *, limit: int | None = None) -> TrainingImages:
    """Read a folder of aligned faces: images directly in it, or one folder a person.

    Args:
        folder: 112x112 images.
        limit: Only the first so many.

    Raises:
        DatasetError: There is no image, one has another size, or the index is damaged.
        ImageError: A file is no image.
    """
    files: list[tuple[Path, str | None]] = [(image, None) for image in images_in(folder)]
    files = files or [
        (image, person) for person, images in person_folders(folder) for image in images
    ]
    files = files[:limit]
    if not files:
        raise DatasetError(f"there is no image in {folder}")
    pixels = torch.empty((len(files), 3, SIDE, SIDE), dtype=torch.uint8)
    for row, (path, _) in zip(pixels, files, strict=True):
        face = load_photo(path).pixels
        if face.shape != (SIDE, SIDE, 3):
            raise DatasetError(f"{path} is not an aligned face of {SIDE}x{SIDE} pixels")
        row.copy_(torch.from_numpy(np.array(face)).movedim(-1, 0))
    people = None
    if files[0][1] is not None:
        numbers = {name: k for k, name in enumerate(dict.fromkeys(name for _, name in files))}
        people = torch.tensor([numbers[name] for _, name in files])
    index = folder / INDEX
    inside = _inside(index, [path.name for path, _ in files]) if index.is_file() else None
    return TrainingImages(folder.resolve().name, pixels, inside, people)


def _inside(index: Path, names: list[str]) -> Tensor:
    """(N, 112, 112) bool: which pixels of the crops come from the source."""
    ones = np.ones((_SOURCE_SIDE, _SOURCE_SIDE), np.uint8)
    masks = torch.empty((len(names), SIDE, SIDE), dtype=torch.bool)
    try:
        with index.open(newline="", encoding="utf-8") as stream:
            lines = {line["file"]: line for line in csv.DictReader(stream)}
        for row, name in zip(masks, names, strict=True):
            numbers = [float(lines[name][f"m{i}{j}"]) for i in range(2) for j in range(3)]
            matrix = np.array(numbers).reshape(2, 3)
            warped = cv2.warpAffine(ones, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
            row.copy_(torch.from_numpy(warped > 0))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{index} does not say where {name} comes from: {error}") from error
    return masks
