"""The photos of a selection in memory, and the protected images that belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.image_sets import ImageSet
from veilface.evaluation.protocol import Selection
from veilface.evaluation.results import Pictures
from veilface.jobs.cache import CHUNK
from veilface.jobs.sets import Request, fetch
from veilface.recognizers.embedding import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """The aligned faces that are protected, and those that they are compared with.

    Attributes:
        probes: (N, 3, 112, 112) in [0, 1].
        others: (K, 3, 112, 112), the other photo of each person who has one.
        paired: (N,) which people those are.
        sources: (M, 3, 112, 112), the probes first.
    """

    probes: Tensor = field(repr=False)
    others: Tensor = field(repr=False)
    paired: Tensor
    sources: Tensor = field(repr=False)

    @property
    def pictured(self) -> Tensor:
        """The first probes, for people to look at: one chunk, so that it is protected once."""
        return self.probes[:CHUNK]

    def spread(self, vectors: Vectors) -> Vectors:
        """(K, D) of the other photos as (N, D), NaN for people without one."""
        rows = np.full((len(self.probes), vectors.shape[1]), np.nan, dtype=np.float32)
        rows[self.paired.numpy()] = vectors
        return rows


def read_photos(chosen: Selection) -> Photos:
    """Read the photos of a selection, all of which can be read."""
    probes = aligned_faces(chosen.probes).faces
    strangers = aligned_faces(chosen.sources[len(chosen.probes) :]).faces
    return Photos(
        probes=probes,
        others=aligned_faces([other for other in chosen.others if other is not None]).faces,
        paired=torch.tensor([other is not None for other in chosen.others]),
        sources=torch.cat([probes, strangers]),
    )


def requests(
    sets: Sequence[ImageSet], photos: Photos, *, adr: bool, draws: int
) -> Iterator[Request]:
    """Everything that has to be optimised, in the order in which it is needed."""
    for images in sets:
        if images.job is not None:
            yield Request(images.job, photos.probes)
            if adr and len(photos.others):
                yield Request(images.job, photos.others)
    for images in _first_of_each(sets):
        if images.job is not None:
            yield from (Request(images.job, photos.pictured, draw) for draw in range(1, draws))


def images_of(images: ImageSet, faces: Tensor, *, seed: int, cache: Path) -> Tensor:
    """The protected faces of a set: found if they were optimised, else made now."""
    if images.job is None:
        return images.transformed(faces, seed=seed)
    return fetch(Request(images.job, faces), seed=seed, cache=cache)


def pictures(
    sets: Sequence[ImageSet], photos: Photos, *, draws: int, seed: int, cache: Path
) -> tuple[Pictures, ...]:
    """A few faces of every protector under test."""
    found = []
    for images in _first_of_each(sets):
        versions = [images_of(images, photos.pictured, seed=seed, cache=cache)]
        if images.job is not None:
            versions += [
                fetch(Request(images.job, photos.pictured, draw), seed=seed, cache=cache)
                for draw in range(1, draws)
            ]
        title = f"{images.name} ({', '.join(images.surrogates) or 'no surrogates'})"
        stack = torch.stack(versions) if len(versions) > 1 else None
        found.append(Pictures(title, photos.pictured, versions[0], stack))
    return tuple(found)


def _first_of_each(sets: Sequence[ImageSet]) -> list[ImageSet]:
    """One set of every protector under test."""
    chosen = {images.name: images for images in reversed(sets) if images.kind == "preset"}
    return [images for images in sets if chosen.get(images.name) is images]
