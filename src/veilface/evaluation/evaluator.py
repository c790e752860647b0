"""Any protector, any set of faces, any targets: who is matched, and what is still to be seen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from veilface.datasets.base import FacePairs, FaceRecord, FaceSet
from veilface.evaluation.embeddings import embed_photos
from veilface.evaluation.flags import flags_of
from veilface.evaluation.image_sets import (
    AnyProtector,
    ImageSet,
    default_recognizers,
    default_surrogates,
    image_sets,
)
from veilface.evaluation.protocol import Selection, choose
from veilface.evaluation.results import Evaluation, Row
from veilface.evaluation.selected import Photos, images_of, photos_of, pictures, requests, wanted
from veilface.evaluation.target import Target
from veilface.jobs.cache import Job
from veilface.jobs.sets import make_folder, prepare, protect_set
from veilface.measures.appearance import Appearance
from veilface.measures.intervals import Estimate
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer

__all__ = ["Job", "Progress", "evaluate", "protect_set"]

Progress = Callable[[str, int, int], None]
"""Told a stage (``embedding``, ``protecting``, ``measuring``), and how much of it is done."""


def evaluate(
    faces: FaceSet,
    protectors: Sequence[AnyProtector],
    targets: Sequence[str] | None = None,
    surrogates: Sequence[str] | None = None,
    *,
    cache: Path,
    limit: int | None = None,
    gallery: int = 512,
    seed: int = 0,
    adr: bool = True,
    controls: bool = True,
    ten_fold: bool = True,
    draws: int = 1,
    jobs: int | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Evaluation:
    """Measure protectors on a set of faces, leave-one-out by default.

    Args:
        faces: A set that names people.
        protectors: Names, presets with parameters of one's own, or objects that protect.
        targets: Recognisers that decide; by default every verified one that is present.
        surrogates: Recognisers to optimise against, by default `SURROGATES`; a target is always
            left out of its own ensemble.
        cache: Folder of protected images and embeddings; what it holds is not computed again.
        limit: Most people to protect; everybody by default.
        gallery: Most people of the gallery.
        seed: Of the selection, the protectors and the bootstraps; equal seeds, equal figures.
        adr: Protect the other photos, too, which doubles the work.
        controls: Measure the controls beside them.
        ten_fold: Run the set's own pairs on the clean photos, where it has pairs.
        draws: Independent versions of the pictured faces; from 2 on the report shows their mean.
        jobs: Processes on a CPU, by default one a core. They are spawned: a script that calls
            this needs ``if __name__ == "__main__":``.
        device: Where to compute.
        progress: See `Progress`.

    Returns:
        A row for every protector and target, with flags.

    Raises:
        UnknownNameError: A name is in no registry.
        DatasetError: The set names too few people, or too few photos can be read.
        WeightsError: Weights are not here, or a target leaves no surrogate.
        ShapeError: Two protectors have the same name.
        ProtectionError: A protector failed.
        ImageError: The cache cannot be written.
    """
    began = time.monotonic()
    tell = progress or (lambda stage, done, total: None)
    names = list(dict.fromkeys(targets or default_recognizers()))
    ensemble = list(dict.fromkeys(surrogates or default_surrogates()))
    sets = image_sets(protectors, names, ensemble, controls=controls)
    chosen = choose(faces, limit, gallery=gallery, seed=seed)
    pairs = faces.pairs if ten_fold else None
    make_folder(cache)
    recognizers = {
        name: load_recognizer(name, device=device, differentiable=False) for name in names
    }
    table = embed_photos(
        list(recognizers.values()),
        _records(chosen, pairs),
        folder=cache,
        keep=wanted(chosen),
        progress=partial(tell, "embedding"),
    )
    chosen = chosen.without(table.failures)
    judges = [Target.of(name, table, chosen, pairs, seed=seed) for name in names]
    photos = photos_of(chosen, table.faces)
    started = time.monotonic()
    tally = prepare(
        list(requests(sets, photos, adr=adr, draws=draws)),
        seed=seed,
        cache=cache,
        jobs=jobs,
        progress=partial(tell, "protecting"),
        device=device,
    )
    protecting = time.monotonic() - started
    tell("measuring", 0, len(sets))
    appearance = Appearance(photos.probes, photos.sources, seed=seed)
    rows: list[Row] = []
    shown: dict[str, Tensor] = {}
    for done, images in enumerate(sets, start=1):
        make = partial(images_of, images, seed=seed, cache=cache, device=device)
        protected = make(photos.probes)
        second = make(photos.others) if adr and len(photos.others) else None
        rows += _rows(
            images, photos, judges, recognizers, appearance, protected=protected, second=second
        )
        shown.setdefault(images.name, protected[: len(photos.pictured)].clone())
        tell("measuring", done, len(sets))
    stranger = appearance.stranger()
    return Evaluation(
        dataset={
            "name": faces.name,
            "people": len(chosen.probes),
            "images": len(faces.records),
            "gallery": len(chosen.gallery),
        },
        rows=_flagged(rows, names, stranger),
        stranger=stranger,
        failures=table.failures,
        seed=seed,
        seconds=time.monotonic() - began,
        protecting={
            "seconds": round(protecting, 1),
            "protected": tally.protected,
            "found": tally.found,
        },
        device=_describe(torch.device(device)),
        cores=os.cpu_count() or 1,
        pictures=pictures(sets, photos, shown, draws=draws, seed=seed, cache=cache, device=device),
    )


def _records(chosen: Selection, pairs: FacePairs | None) -> list[FaceRecord]:
    """Every photo that a recogniser looks at, once."""
    known = {record.name: record for record in chosen.records}
    # Blocks of photos are kept together: those of the pairs come first, so that another choice of
    # people finds them again.
    return list((dict(pairs.records if pairs is not None else {}) | known).values())


def _rows(
    images: ImageSet,
    photos: Photos,
    judges: Sequence[Target],
    recognizers: Mapping[str, Recognizer],
    appearance: Appearance,
    *,
    protected: Tensor,
    second: Tensor | None,
) -> list[Row]:
    """A row for each target; ``second`` is what became of the other photos."""
    seen = appearance.measure(protected)
    rows = []
    for judge in judges:
        if judge.name in images.targets:
            recognizer = recognizers[judge.name]
            also = None if second is None else photos.spread(embed_faces(recognizer, second))
            vectors = embed_faces(recognizer, protected)
            rows.append(judge.row(images, vectors, also, seen, seed=appearance.seed))
    return rows


def _flagged(
    rows: Sequence[Row],
    targets: Sequence[str],
    stranger: Mapping[str, Estimate],
) -> tuple[Row, ...]:
    """The rows by target, with what must not be overlooked."""
    found = []
    for target in targets:
        mine = [row for row in rows if row.target == target]
        controls = [row for row in mine if row.kind == "control"]
        for row in mine:
            found.append(row.flagged(flags_of(row, controls, stranger)))
    return tuple(found)


def _describe(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
