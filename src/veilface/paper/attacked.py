"""Attacks behind the experiments: each network is trained once, whatever the number of sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from veilface.attacks.base import Setting
from veilface.attacks.means import Means
from veilface.attacks.registry import get_attack
from veilface.attacks.run import Outcome, run_attack
from veilface.attacks.victim import Victim
from veilface.datasets.base import FaceSet
from veilface.errors import AttackError, UntrainedError
from veilface.evaluation.attacking import JUDGE, Bench, make_bench
from veilface.evaluation.evaluator import Progress
from veilface.evaluation.image_sets import default_surrogates
from veilface.jobs.cache import Job
from veilface.paper.comparison import NOT_TRAINED
from veilface.protectors.veil.presets import Preset
from veilface.training.images import TrainingImages

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Attackers:
    """What every attack of an experiment shares.

    Attributes:
        sets: The data sets that are here, by registry name.
        recognizers: Names. Presets are protected against those of them that they are protected
            against by default, as `veilface attack` does, or against all; never against the judge.
        faces: Photos of other people.
        cache: Folder of networks, protected images and embeddings.
        means: Of each training.
        pairs: Most photos to use; all of them by default.
        limit: Most people of each set.
        preset_limit: Most people for presets, which take longest; by default ``limit``.
        seed: Of everything random.
        jobs: Processes on a CPU.
        progress: See `veilface.evaluation.evaluator.Progress`.
        judge: Name of the recogniser that decides about identity.
    """

    sets: Mapping[str, FaceSet]
    recognizers: tuple[str, ...]
    faces: TrainingImages = field(repr=False)
    cache: Path
    means: Means
    pairs: int | None = None
    limit: int | None = None
    preset_limit: int | None = None
    seed: int = 0
    jobs: int | None = None
    progress: Progress | None = None
    judge: str = JUDGE
    _benches: dict[tuple[str, int | None], Bench] = field(
        default_factory=dict, init=False, repr=False
    )
    _found: dict[tuple[str, str, str], Outcome | str] = field(
        default_factory=dict, init=False, repr=False
    )

    def __call__(self, name: str, protector: str | Preset, dataset: str) -> Outcome | str:
        """An attack on a protector, on the people of a set; where it cannot be done, why."""
        setting = self._setting(protector)
        key = (name, setting.victim.name, dataset)
        if key not in self._found:
            bench = self._bench(dataset, setting.victim)
            self._found[key] = _or_reason(
                lambda: run_attack(
                    get_attack(name), setting, bench.faces, bench.judge, dataset=bench.name
                )
            )
        return self._found[key]

    def pictures(self, name: str, protector: str | Preset, photos: Tensor) -> Tensor | str:
        """What an attack recovers of a few photos, not scored; where it cannot be done, why."""
        setting = self._setting(protector)
        return _or_reason(
            lambda: get_attack(name).fit(setting).recover(setting.victim.protect(photos))
        )

    def _bench(self, dataset: str, victim: Victim) -> Bench:
        """The people of a set, prepared once; fewer of them for protectors that take long."""
        costly = not victim.is_cheap and self.preset_limit is not None
        limit = self.preset_limit if costly else self.limit
        if (dataset, limit) not in self._benches:
            self._benches[dataset, limit] = make_bench(
                self.sets[dataset],
                cache=self.cache,
                judge=self.judge,
                limit=limit,
                seed=self.seed,
                device=self.means.device,
                progress=self.progress,
            )
        return self._benches[dataset, limit]

    def _setting(self, protector: str | Preset) -> Setting:
        job = Job(protector)
        if not job.is_transform:
            others = [name for name in self.recognizers if name != self.judge]
            job = Job(protector, default_surrogates(others))
        place = self.means.device
        return Setting(
            victim=Victim(job, self.cache, seed=self.seed, jobs=self.jobs, device=place),
            folder=self.cache / "networks",
            faces=self.faces,
            pairs=self.pairs,
            minutes=self.means.minutes,
            pair_minutes=self.means.pair_minutes,
            width=self.means.width,
            seed=self.seed,
            device=place,
            progress=self.progress or (lambda stage, done, total: None),
        )


def _or_reason(attempt: Callable[[], T]) -> T | str:
    try:
        return attempt()
    except UntrainedError:
        return NOT_TRAINED
    except AttackError as error:
        return str(error)
