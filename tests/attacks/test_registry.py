"""The table of attacks: every one keeps the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from veilface.attacks.base import Setting
from veilface.attacks.registry import ATTACKS, get_attack
from veilface.attacks.victim import Victim
from veilface.errors import AttackError, DatasetError, UnknownNameError
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import Job
from veilface.training.images import TrainingImages

VICTIMS = {"linear": "duetface"}  # all others attack anything


@pytest.fixture(scope="module")
def photos() -> TrainingImages:
    pixels = torch.from_numpy(to_uint8(synthetic_faces(20, seed=7))).movedim(-1, 1)
    return TrainingImages("drawn", pixels)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_makes_images_of_what_is_sent(
    name: str, photos: TrainingImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What batches of different sizes round differently grows with every step of a descent.
    monkeypatch.setattr("veilface.attacks.inversion.STEPS", 5)
    victim = Victim(Job(VICTIMS.get(name, "noisy")), tmp_path)
    setting = Setting(victim, tmp_path, photos, minutes=0.01, width=1 / 16, recognizer="sface")
    sent = victim.protect(synthetic_faces(2))
    fitted = get_attack(name).fit(setting)
    found = fitted.recover(sent)
    alone = fitted.recover(
        replace(sent, images=sent.images[:1], data=None if sent.data is None else sent.data[:1])
    )
    torch.testing.assert_close(alone, found[:1], atol=2 / 255, rtol=0)  # nor by its neighbours
    assert found.shape == (2, 3, 112, 112)
    assert bool(found.isfinite().all())
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.needs_faces])
def test_what_learns_says_when_there_is_nothing_to_learn_from(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--faces"):
        get_attack(name).fit(Setting(Victim(Job("blur"), tmp_path), tmp_path))


def test_linear_inversion_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(AttackError, match="duetface, partialface"):
        get_attack("linear").fit(Setting(Victim(Job("blur"), tmp_path), tmp_path))


def test_unknown_attacks_are_listed() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'unet'"):
        get_attack("u-net")


def test_the_page_names_every_attack() -> None:
    page = Path(__file__).parents[2] / "docs" / "attacks.md"
    text = page.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in ATTACKS)
