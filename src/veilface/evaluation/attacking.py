"""The people of a data set as victims of an attack: their photos, and who decides about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from veilface.attacks.scores import Judge
from veilface.datasets.base import FaceRecord, FaceSet
from veilface.evaluation.embeddings import embed_photos
from veilface.evaluation.protocol import choose
from veilface.evaluation.selected import photos_of, wanted
from veilface.evaluation.target import Target
from veilface.jobs.sets import make_folder
from veilface.measures.appearance import Appearance
from veilface.recognizers.registry import load_recognizer

JUDGE = "mobilefacenet"
"""Decides about identity unless another recogniser is named; no surrogate of what it judges."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Whom an attack is tried on.

    Attributes:
        name: Of the data set.
        records: The N photos.
        faces: (N, 3, 112, 112) photos, one a person.
        judge: Compares what is recovered with them.
    """

    name: str
    records: tuple[FaceRecord, ...]
    faces: Tensor = field(repr=False)
    judge: Judge = field(repr=False)


def make_bench(
    faces: FaceSet,
    *,
    cache: Path,
    judge: str = JUDGE,
    limit: int | None = None,
    gallery: int = 512,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> Bench:
    """Choose people as `veilface.evaluation.evaluator.evaluate` does, and prepare their judge.

    Args:
        faces: A set that names people.
        cache: Folder of embeddings.
        judge: Name of the recogniser that decides.
        limit: Most people; everybody by default.
        gallery: Most people of the gallery.
        seed: Of the order of people.
        device: Of the recogniser.
        progress: Told a stage, what is done and how much there is.

    Raises:
        UnknownNameError: There is no such recogniser.
        WeightsError: Its weights are not here.
        DatasetError: The set names too few people.
    """
    tell = progress or (lambda stage, done, total: None)
    make_folder(cache)
    recognizer = load_recognizer(judge, device=device, differentiable=False)
    chosen = choose(faces, limit, gallery=gallery, seed=seed)
    table = embed_photos(
        [recognizer],
        list(chosen.records),
        folder=cache,
        keep=wanted(chosen),
        progress=partial(tell, "embedding"),
    )
    chosen = chosen.without(table.failures)
    clean = Target.of(judge, table, chosen, None, seed=seed).clean
    photos = photos_of(chosen, table.faces)
    appearance = Appearance(photos.probes, photos.sources, seed=seed)
    return Bench(faces.name, chosen.probes, photos.probes, Judge(appearance, clean, recognizer))
