"""What every experiment gets: the sets that are here, who takes part, and the evaluator.

The protocol is that of `veilface.evaluation.evaluator`; an experiment only chooses what to run, and
reads its table off the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from veilface.datasets.base import FaceSet
from veilface.errors import WeightsError
from veilface.evaluation import evaluator
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import choose
from veilface.evaluation.results import Evaluation
from veilface.jobs.cache import CHUNK, Job
from veilface.paper.published import METHODS
from veilface.protectors.registry import PROTECTORS
from veilface.protectors.veil.presets import Preset

Protector = str | Preset


@dataclass(frozen=True, slots=True)
class Study:
    """The means of an experiment.

    Attributes:
        sets: The data sets that are here, by registry name.
        recognizers: Names of at least two: each is a target of images made against the others.
        presets: Versions of our method.
        cache: Folder of protected images and embeddings.
        limit: Most people of each set.
        seed: As in `evaluator.evaluate`, like the others.
        jobs: As in `evaluator.evaluate`.
        device: As in `evaluator.evaluate`.
        progress: As in `evaluator.evaluate`.

    Raises:
        WeightsError: Fewer than two recognisers.
    """

    sets: Mapping[str, FaceSet]
    recognizers: tuple[str, ...]
    presets: tuple[Preset, ...]
    cache: Path
    limit: int | None = None
    seed: int = 0
    jobs: int | None = None
    device: torch.device | str = "cpu"
    progress: evaluator.Progress | None = None

    def __post_init__(self) -> None:
        if len(self.recognizers) < 2:
            raise WeightsError(
                f"{', '.join(self.recognizers) or 'no recogniser'} alone leaves no surrogate: name "
                "two or more recognisers"
            )

    def evaluate(
        self,
        faces: FaceSet,
        protectors: Sequence[Protector],
        targets: Sequence[str],
        surrogates: Sequence[str],
        *,
        controls: bool = True,
        ten_fold: bool = True,
    ) -> Evaluation:
        """Measure protectors; a target is never a surrogate of its own images.

        The ten-fold protocol sets the threshold of the highest accuracy, and takes its time.
        """
        return evaluator.evaluate(
            faces,
            protectors,
            targets,
            surrogates,
            cache=self.cache,
            limit=self.limit,
            seed=self.seed,
            adr=False,  # no table of the paper has it
            controls=controls,
            ten_fold=ten_fold,
            jobs=self.jobs,
            device=self.device,
            progress=self.progress,
        )

    def protect(self, job: Job, faces: Tensor) -> Tensor:
        """Protect (N, 3, 112, 112) faces."""
        tell = None if self.progress is None else partial(self.progress, "protecting")
        return evaluator.protect_set(
            job,
            faces,
            seed=self.seed,
            cache=self.cache,
            jobs=self.jobs,
            progress=tell,
            device=self.device,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the presets."""
        return tuple(preset.name for preset in self.presets)

    @property
    def compared(self) -> dict[str, str]:
        """Those methods of the paper's comparison that exist here, by the paper's name."""
        return {title: name for title, name in METHODS.items() if name in PROTECTORS}

    @property
    def protectors(self) -> list[Protector]:
        """Everything under test: the compared methods that exist here, and the presets."""
        return [*self.compared.values(), *self.presets]

    def leave_one_out(self, dataset: str) -> Evaluation | None:
        """All methods, presets and controls on a set; None when the set is not here.

        Every recogniser is the target of images that were made against all the others.
        """
        if dataset not in self.sets:
            return None
        everyone = self.recognizers
        return self.evaluate(self.sets[dataset], self.protectors, everyone, everyone)

    def one_ensemble(self, dataset: str, protectors: Sequence[Protector]) -> Evaluation:
        """Protectors and controls on a set with the first recogniser as the only target.

        What is measured on images alone needs no more, and its images are those of the same
        ensemble in `leave_one_out`.
        """
        faces, everyone = self.sets[dataset], self.recognizers
        return self.evaluate(faces, protectors, everyone[:1], everyone, ten_fold=False)

    def some_faces(self, dataset: str) -> Tensor:
        """(N, 3, 112, 112) photos of a few people, the first that an evaluation protects.

        Raises:
            DatasetError: The set names too few people.
        """
        return aligned_faces(choose(self.sets[dataset], CHUNK, seed=self.seed).probes).faces
