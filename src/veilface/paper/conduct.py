"""A study that runs on the evaluator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from veilface.attacks.means import Means
from veilface.datasets.base import FaceSet
from veilface.errors import WeightsError
from veilface.evaluation import evaluator
from veilface.evaluation.results import Evaluation
from veilface.jobs.cache import Job
from veilface.paper.attacked import Attackers
from veilface.paper.native import Natives
from veilface.paper.study import Protector, Study
from veilface.protectors.veil.presets import Preset
from veilface.training.images import TrainingImages


def make_study(
    sets: Mapping[str, FaceSet],
    recognizers: Sequence[str],
    presets: Sequence[Preset],
    *,
    cache: Path,
    limit: int | None = None,
    preset_limit: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
    device: torch.device | str = "cpu",
    progress: evaluator.Progress | None = None,
    learn_from: TrainingImages | None = None,
    pairs: int | None = None,
    means: Means | None = None,
    native_pairs: int = 1000,
) -> Study:
    """Bind the evaluator to sets, recognisers and presets.

    Args:
        sets: Data sets by registry name.
        recognizers: Names of at least two: each is a target of images made against the others.
        presets: Versions of our method.
        cache: Folder of protected images and embeddings.
        limit: Most people of each set.
        preset_limit: Most people for the presets, which take seconds a face where others take
            milliseconds; by default ``limit``.
        seed: As in `evaluator.evaluate`, like the others.
        jobs: As in `evaluator.evaluate`.
        device: As in `evaluator.evaluate`.
        progress: As in `evaluator.evaluate`.
        learn_from: Photos of other people for attacks; without them there are none.
        pairs: Most of those photos to use.
        means: Of each training of an attack; by default those of a small run.
        native_pairs: About so many of LFW's pairs for the methods' own recognisers.

    Raises:
        WeightsError: Fewer than two recognisers.
    """
    if len(recognizers) < 2:
        raise WeightsError(
            f"{', '.join(recognizers) or 'no recogniser'} alone leaves no surrogate: name two or "
            "more recognisers"
        )

    def evaluate(
        faces: FaceSet,
        protectors: Sequence[Protector],
        targets: Sequence[str],
        surrogates: Sequence[str],
        *,
        controls: bool = True,
        ten_fold: bool = True,
    ) -> Evaluation:
        run = partial(
            evaluator.evaluate,
            faces,
            targets=targets,
            surrogates=surrogates,
            cache=cache,
            seed=seed,
            adr=False,  # no table of the paper has it
            ten_fold=ten_fold,
            jobs=jobs,
            device=device,
            progress=progress,
        )
        costly = [each for each in protectors if isinstance(each, Preset)]
        cheap = [each for each in protectors if not isinstance(each, Preset)]
        if preset_limit in {None, limit} or not costly:
            return run(protectors=protectors, limit=limit, controls=controls)
        few = run(protectors=costly, limit=preset_limit, controls=False)
        if not cheap and not controls:
            return few
        many = run(protectors=cheap, limit=limit, controls=controls)
        return replace(many, rows=(*many.rows, *few.rows))

    def protect(job: Job, faces: Tensor) -> Tensor:
        tell = None if progress is None else partial(progress, "protecting")
        return evaluator.protect_set(
            job, faces, seed=seed, cache=cache, jobs=jobs, progress=tell, device=device
        )

    attack = None
    if learn_from is not None:
        attack = Attackers(
            sets,
            tuple(recognizers),
            learn_from,
            cache,
            means or Means.of(torch.device(device)),
            pairs=pairs,
            limit=limit,
            preset_limit=preset_limit,
            seed=seed,
            jobs=jobs,
            progress=progress,
        )
    natives = None
    official = sets["lfw"].pairs if "lfw" in sets else None
    if official is not None:
        few = official.limited(min(native_pairs, len(official.pairs)))
        natives = Natives(few, seed=seed, cache=cache / "native", progress=progress)
    return Study(sets, tuple(recognizers), tuple(presets), evaluate, protect, seed, attack, natives)
