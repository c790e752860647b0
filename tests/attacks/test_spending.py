"""How many pairs a budget pays for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.attacks.test_reconstruction import photos
from veilface.attacks.base import Setting
from veilface.attacks.pairs import make_pairs
from veilface.attacks.reconstruction import reconstruct
from veilface.attacks.victim import Victim
from veilface.errors import AttackError
from veilface.jobs.cache import Job
from veilface.types import Protected


class Slow(Victim):
    """An optimising protector, as far as a budget can tell: each call takes half a minute."""

    is_cheap = False
    asked: list[int]
    clock: list[float]
    seconds: float

    def __init__(self, folder: Path, clock: list[float], *, seconds: float = 30) -> None:
        super().__init__(Job("clean"), folder, jobs=1)
        self.__dict__ |= {"asked": [], "clock": clock, "seconds": seconds}

    def hastened(self, steps: int) -> Victim:
        return Slow(self.cache, self.clock, seconds=steps)

    def describe(self) -> str:
        return f"slow, {self.seconds}"

    def protect(self, faces: torch.Tensor, *, draw: int = 0, progress: object = None) -> Protected:
        self.asked.append(len(faces))
        self.clock[0] += self.seconds
        return Protected(faces, {})


def test_a_budget_of_pairs_is_spent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks again gets the same pairs: another number would be another network."""
    clock = [0.0]
    monkeypatch.setattr("veilface.attacks.spending.time.monotonic", lambda: clock[0])
    slow, faces = Slow(tmp_path, clock), photos(60)
    told: list[tuple[str, int, int]] = []
    few = Setting(slow, tmp_path, faces, pair_minutes=1, progress=lambda *line: told.append(line))
    assert make_pairs(few).photos == 16
    stage = "protecting pairs, seconds"
    assert told[:3] == [(stage, 0, 60), (stage, 30, 60), (stage, 60, 60)]
    assert slow.asked == [8, 8, 16]  # the last call reads what is kept
    slow.asked.clear()
    assert make_pairs(few).photos == 16
    assert slow.asked == [16]
    slow.asked.clear()
    assert make_pairs(replace(few, pair_minutes=2, pairs=30)).photos == 30
    assert slow.asked == [8, 6, 30]
    slow.asked.clear()
    assert make_pairs(replace(few, pair_minutes=2.5)).photos == 32  # whole chunks, from 24
    assert slow.asked == [8, 32]
    assert make_pairs(replace(few, pairs=20)).photos == 16
    assert make_pairs(few).photos == 16  # more was spent since
    told.clear()
    assert make_pairs(replace(few, pair_minutes=60)).photos == 60
    assert [done for *_, done, total in told if total == 3600][-1] == 3600  # no photo is left


def test_faster_pairs_are_more_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("veilface.attacks.spending.time.monotonic", lambda: clock[0])
    slow = Slow(tmp_path, clock)
    setting = Setting(slow, tmp_path, photos(80), pair_minutes=1, steps=1, width=1 / 16)
    own, faster = reconstruct(setting).about, reconstruct(replace(setting, pair_steps=10)).about
    assert (own["photos"], own["pair_steps"]) == (16, None)
    assert (faster["photos"], faster["pair_steps"]) == (48, 10)
    assert faster["victim"] == "slow, 10"
    assert slow.asked == [8, 8, 16]


def test_a_hastened_victim_takes_fewer_and_longer_steps(tmp_path: Path) -> None:
    own = Victim(Job("persona", ("sface",)), tmp_path)
    hasty = own.hastened(5)
    assert isinstance(own.protector, Job)
    assert isinstance(hasty.protector, Job)
    before, after = own.protector.preset, hasty.protector.preset
    assert before is not None
    assert after is not None
    assert after.steps == 5
    assert after.steps * after.step_size == pytest.approx(before.steps * before.step_size)
    assert replace(after, steps=before.steps, step_size=before.step_size) == before
    assert hasty.surrogates == own.surrogates
    assert Setting(own, tmp_path, pair_steps=5).pair_victim.describe() == hasty.describe()
    assert hasty.describe() != own.describe()
    with pytest.raises(AttackError, match="at least one"):
        own.hastened(0)
    with pytest.raises(AttackError, match="blur optimises nothing"):
        Victim(Job("blur"), tmp_path).hastened(5)
