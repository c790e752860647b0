"""What every experiment gets: the sets that are here, who takes part, and the evaluator.

The protocol is that of `veilface.evaluation.evaluator`; an experiment only chooses what to run, and
reads its table off the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from veilface.attacks.planted import CHEATS
from veilface.datasets.base import FaceSet
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import choose
from veilface.evaluation.results import Evaluation
from veilface.jobs.cache import CHUNK, Job
from veilface.paper.attacked import Attackers
from veilface.paper.compared import compared_methods
from veilface.paper.native import Natives
from veilface.paper.published import METHODS
from veilface.protectors.base import FaceProtector
from veilface.protectors.veil.presets import Preset

Protector = str | Preset | FaceProtector


class Evaluate(Protocol):
    """`veilface.evaluation.evaluator.evaluate` with everything else decided."""

    def __call__(
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
        ...


class Protect(Protocol):
    """`veilface.evaluation.evaluator.protect_set` with everything else decided."""

    def __call__(self, job: Job, faces: Tensor) -> Tensor:
        """Protect (N, 3, 112, 112) faces."""
        ...


@dataclass(frozen=True, slots=True)
class Study:
    """The means of an experiment.

    Attributes:
        sets: The data sets that are here, by registry name.
        recognizers: Names of the recognisers: targets, and surrogates of one another.
        presets: Versions of our method.
        evaluate: Measures.
        protect: Makes images only.
        seed: Of bootstraps and of the choice of people.
        attack: Attacks; None where there are no photos of other people to learn from.
        natives: Methods under recognisers of their own; None where LFW is not here.
    """

    sets: Mapping[str, FaceSet]
    recognizers: tuple[str, ...]
    presets: tuple[Preset, ...]
    evaluate: Evaluate = field(repr=False)
    protect: Protect = field(repr=False)
    seed: int = 0
    attack: Attackers | None = field(default=None, repr=False)
    natives: Natives | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the presets."""
        return tuple(preset.name for preset in self.presets)

    @property
    def compared(self) -> dict[str, str]:
        """Those methods of the paper's comparison that can protect here, by the paper's name."""
        ready = {each.name for each in compared_methods() if each.ready}
        return {title: name for title, name in METHODS.items() if name in ready}

    @property
    def protectors(self) -> list[Protector]:
        """Everything under test: the methods of others that can protect here, and the presets."""
        return [*(each.name for each in compared_methods() if each.ready), *self.presets]

    @property
    def trainings(self) -> int:
        """Most trainings that an experiment on attacks takes.

        For each method and preset its network and the controls with as many steps; and the null.
        """
        ready = sum(each.ready for each in compared_methods())
        return (1 + len(CHEATS)) * (ready + len(self.presets)) + 1

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
