"""Attacks behind the experiments: each network is trained once, whatever the number of sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from veilface.attacks.base import Setting
from veilface.attacks.registry import get_attack
from veilface.attacks.run import Outcome, run_attack
from veilface.attacks.victim import Victim
from veilface.datasets.base import FaceSet
from veilface.errors import AttackError, UntrainedError
from veilface.evaluation.attacking import JUDGE, Bench, make_bench
from veilface.evaluation.evaluator import Progress
from veilface.jobs.cache import Job
from veilface.paper.comparison import NOT_TRAINED
from veilface.protectors.veil.presets import Preset
from veilface.training.images import TrainingImages


@dataclass(frozen=True, slots=True, eq=False)
class Attackers:
    """What every attack of an experiment shares.

    Attributes:
        sets: The data sets that are here, by registry name.
        recognizers: Names; that of the judge is left out of every ensemble.
        faces: Photos of other people.
        cache: Folder of networks, protected images and embeddings.
        minutes: Of each training, and at most as many of protecting its pairs.
        pairs: Most photos to use; all of them by default.
        limit: Most people of each set.
        seed: Of everything random.
        jobs: Processes on a CPU.
        device: Where to compute.
        progress: See `veilface.evaluation.evaluator.Progress`.
        judge: Name of the recogniser that decides about identity.
    """

    sets: Mapping[str, FaceSet]
    recognizers: tuple[str, ...]
    faces: TrainingImages = field(repr=False)
    cache: Path
    minutes: float = 10.0
    pairs: int | None = None
    limit: int | None = None
    seed: int = 0
    jobs: int | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    progress: Progress | None = None
    judge: str = JUDGE
    _benches: dict[str, Bench] = field(default_factory=dict, init=False, repr=False)
    _found: dict[tuple[str, str, str], Outcome | str] = field(
        default_factory=dict, init=False, repr=False
    )

    def bench(self, dataset: str) -> Bench:
        """The people of a set that is here, prepared once."""
        if dataset not in self._benches:
            self._benches[dataset] = make_bench(
                self.sets[dataset],
                cache=self.cache,
                judge=self.judge,
                limit=self.limit,
                seed=self.seed,
                device=self.device,
                progress=self.progress,
            )
        return self._benches[dataset]

    def __call__(self, name: str, protector: str | Preset, dataset: str) -> Outcome | str:
        """An attack on a protector, on the people of a set; where it cannot be done, why."""
        job = Job(protector)
        if not job.is_transform:
            job = Job(protector, tuple(r for r in self.recognizers if r != self.judge))
        key = (name, job.name, dataset)
        if key not in self._found:
            self._found[key] = self._run(name, job, dataset)
        return self._found[key]

    def _run(self, name: str, job: Job, dataset: str) -> Outcome | str:
        bench = self.bench(dataset)
        setting = Setting(
            victim=Victim(job, self.cache, seed=self.seed, jobs=self.jobs, device=self.device),
            folder=self.cache / "networks",
            faces=self.faces,
            pairs=self.pairs,
            minutes=self.minutes,
            width=1.0 if self.device.type == "cuda" else 0.25,
            seed=self.seed,
            device=self.device,
            progress=self.progress or (lambda stage, done, total: None),
        )
        try:
            return run_attack(
                get_attack(name), setting, bench.faces, bench.judge, dataset=bench.name
            )
        except UntrainedError:
            return NOT_TRAINED
        except AttackError as error:
            return str(error)
