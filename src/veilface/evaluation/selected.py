"""The photos of a selection in memory, and the protected images that belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from veilface.core.template import SIDE
from veilface.evaluation.image_sets import ImageSet
from veilface.evaluation.protocol import Selection
from veilface.evaluation.results import Pictures
from veilface.jobs.cache import CHUNK
from veilface.jobs.sets import Request, read_set
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
        """The first probes, for people to look at."""
        return self.probes[:CHUNK]

    def spread(self, vectors: Vectors) -> Vectors:
        """(K, D) of the other photos as (N, D), NaN for people without one."""
        rows = np.full((len(self.probes), vectors.shape[1]), np.nan, dtype=np.float32)
        rows[self.paired.numpy()] = vectors
        return rows


def wanted(chosen: Selection) -> frozenset[str]:
    """Names of the records whose faces `photos_of` needs."""
    others = (other for other in chosen.others if other is not None)
    return frozenset(record.name for record in (*chosen.probes, *others, *chosen.sources))


def photos_of(chosen: Selection, faces: Mapping[str, Tensor]) -> Photos:
    """The photos of a selection from the faces of its records by name."""
    others = [faces[other.name] for other in chosen.others if other is not None]
    return Photos(
        probes=torch.stack([faces[probe.name] for probe in chosen.probes]),
        others=torch.stack(others) if others else torch.empty(0, 3, SIDE, SIDE),
        paired=torch.tensor([other is not None for other in chosen.others]),
        sources=torch.stack([faces[source.name] for source in chosen.sources]),
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


def images_of(
    images: ImageSet, faces: Tensor, *, seed: int, cache: Path, device: torch.device | str
) -> Tensor:
    """The protected faces of a set: found if they were optimised, else made now."""
    if images.job is None:
        return images.transformed(faces, seed=seed)
    return read_set(Request(images.job, faces), seed=seed, cache=cache, device=device)


def pictures(
    sets: Sequence[ImageSet],
    photos: Photos,
    shown: Mapping[str, Tensor],
    *,
    draws: int,
    seed: int,
    cache: Path,
    device: torch.device | str,
) -> tuple[Pictures, ...]:
    """A few faces of every protector under test.

    Args:
        sets: What the evaluation made.
        photos: Of what.
        shown: By name of the protector what its first set made of the pictured faces.
        draws: Independent versions.
        seed: Of the evaluation, like the others.
        cache: As in `requests`, where the other draws were asked for.
        device: Where they were made.
    """
    found = []
    for images in _first_of_each(sets):
        versions = [shown[images.name]]
        if images.job is not None:
            versions += [
                read_set(
                    Request(images.job, photos.pictured, draw),
                    seed=seed,
                    cache=cache,
                    device=device,
                )
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
