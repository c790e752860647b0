"""Reconstruction: what it learns from, and the planted cheat that it must find out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from torch import Generator

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import keep_drawn_weights
from veilface.attacks.base import Attack, Fitted, Setting, observed
from veilface.attacks.learning import apply, recipe_of
from veilface.attacks.nulls import average_face, mean_face
from veilface.attacks.pairs import FreshPairs, KeptPairs, make_pairs
from veilface.attacks.planted import CHEATS, LIMIT, FoldedPattern, pattern
from veilface.attacks.reconstruction import (
    ReconstructionTask,
    Reconstructor,
    reconstruct,
)
from veilface.attacks.run import run_attack
from veilface.attacks.scores import Judge
from veilface.attacks.victim import Victim, averaged, seen
from veilface.errors import DatasetError
from veilface.imaging.tensors import to_uint8
from veilface.jobs.cache import Job
from veilface.measures.intervals import Estimate, wilson
from veilface.measures.metrics import ssim
from veilface.recognizers.registry import get_spec
from veilface.training.images import TrainingImages
from veilface.training.loop import Budget, train
from veilface.types import Protected
from veilface.weights.store import hashes


def photos(count: int, *, seed: int = 0) -> TrainingImages:
    pixels = torch.from_numpy(to_uint8(synthetic_faces(count, seed=seed))).movedim(-1, 1)
    return TrainingImages("drawn", pixels)


def victim(name: str, folder: Path) -> Victim:
    return Victim(Job(name), folder)


def test_a_victim_keeps_its_secret(tmp_path: Path) -> None:
    faces = synthetic_faces(3)
    sent = victim("partialface", tmp_path).protect(faces)
    assert sent.data is not None
    assert observed(sent).shape == (3, 27, 112, 112)
    assert not sent.secret
    assert sent.picture is None
    again = victim("partialface", tmp_path).protect(faces)
    other = victim("partialface", tmp_path).protect(faces, draw=1)
    assert torch.equal(sent.data, observed(again))
    assert not torch.equal(sent.data, observed(other))


def test_what_was_learnt_of_other_weights_is_not_taken_for_a_victims_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    for seed in (0, 0, 1):
        monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / f"{len(found)}"))
        keep_drawn_weights(seed=seed)
        found.append(victim("minusface", tmp_path).describe())
    assert found[0] == found[1] != found[2]
    recognizer = hashes(get_spec("sface"))[0]
    assert recognizer is not None
    assert recognizer in Victim(Job("persona", ("sface",)), tmp_path).describe()


def test_only_persona_hides_behind_strangers(tmp_path: Path) -> None:
    hidden = {
        name: Victim(Job(name, surrogates), tmp_path).hides_behind_strangers
        for name, surrogates in (("persona", ("dlib",)), ("paper", ("dlib",)), ("blur", ()))
    }
    assert hidden == {"persona": True, "paper": False, "blur": False}


def test_maps_beside_the_data_are_channels_too() -> None:
    hint = torch.rand(2, 7, 7, generator=Generator().manual_seed(0))
    protected = Protected(
        torch.zeros(2, 3, 112, 112), {}, data=torch.zeros(2, 5, 112, 112), hints=(hint,)
    )
    assert observed(seen(protected)).shape == (2, 6, 112, 112)


def test_averages_of_versions_lose_what_is_random(tmp_path: Path) -> None:
    faces = synthetic_faces(2)
    noisy = victim("noisy", tmp_path)
    one, mean = noisy.protect(faces), averaged([noisy.protect(faces, draw=k) for k in range(16)])
    off = [(each.images - faces).square().mean() for each in (one, mean)]
    assert float(off[1]) < 0.2 * float(off[0])


def test_an_attack_sees_the_mean_of_versions_unless_it_knows_better(tmp_path: Path) -> None:
    noisy, faces = victim("noisy", tmp_path), synthetic_faces(2)
    versions = [noisy.protect(faces, draw=draw) for draw in range(3)]
    plain = Fitted(lambda protected: protected.images)
    assert torch.equal(plain.attack(versions[1:2]), versions[1].images)
    mean = torch.stack([each.images for each in versions]).mean(dim=0)
    torch.testing.assert_close(plain.attack(versions), mean)
    last = replace(plain, recover_several=lambda each: each[-1].images)
    assert torch.equal(last.attack(versions), versions[-1].images)
    assert torch.equal(last.attack(versions[:1]), versions[0].images)


def test_a_recipe_names_the_photos_that_were_used(tmp_path: Path) -> None:
    setting = Setting(victim("blur", tmp_path), tmp_path, photos(20))
    few = recipe_of("unet", setting, photos=8)
    assert few == recipe_of("unet", replace(setting, pairs=8))
    assert few != recipe_of("unet", setting)
    assert few != recipe_of("unet", replace(setting, faces=photos(20, seed=1)), photos=8)
    assert few != recipe_of("unet", replace(setting, steps=5), photos=8)


def test_controls_get_as_many_steps(tmp_path: Path) -> None:
    setting = Setting(victim("blur", tmp_path), tmp_path, photos(20), minutes=5, width=1 / 16)
    spent: dict[str, Setting] = {}

    def fit(asked: Setting) -> Fitted:
        spent[asked.victim.name] = asked
        return Fitted(lambda protected: protected.images, {"training": {"steps": 7}, "photos": 12})

    attack = Attack("x", "", "trainer", fit, control="planted")
    judge = cast("Judge", Nobody())
    found = run_attack(attack, setting, synthetic_faces(2), judge, dataset="drawn")
    assert [each.name for each in CHEATS] == list(spent)[1:]
    assert all((spent[each.name].steps, spent[each.name].pairs) == (7, 12) for each in CHEATS)
    assert found.about["control"] == {"steps": 7}


class Nobody:
    """A judge who matches nothing."""

    recognizer = SimpleNamespace(name="nobody")

    def measure(self, images: torch.Tensor) -> dict[str, Estimate]:
        return {"ssim": wilson(0, len(images))}


def test_a_control_gets_its_steps_however_long_they_take(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    setting = Setting(
        victim("blur", tmp_path),
        tmp_path,
        photos(20),
        minutes=1e-9,
        steps=2,
        width=1 / 16,
        progress=lambda *line: told.append(line),
    )
    assert reconstruct(setting).about["training"]["steps"] == 2
    assert told[-1] == ("training a control, steps", 2, 2)


def test_pairs_are_protected_anew_and_validated_on_others(tmp_path: Path) -> None:
    source = make_pairs(Setting(victim("noisy", tmp_path), tmp_path, photos(20)))
    assert isinstance(source, FreshPairs)
    assert (source.photos, source.count) == (20, 18)
    first = source.draw(4, Generator().manual_seed(1))
    again = source.draw(4, Generator().manual_seed(1))
    assert torch.equal(first.sent, again.sent)
    assert 0.05 < float((first.sent - first.faces).abs().mean()) < 0.3
    kept = source.validation()
    assert len(kept.faces) == 2
    assert torch.equal(kept.sent, source.validation().sent)
    mixed = FreshPairs(victim("clean", tmp_path), photos(20), shuffled=True).validation()
    assert torch.equal(mixed.sent[0], mixed.faces[1])


def test_kept_pairs_are_mirrored_together() -> None:
    faces = photos(20)
    source = KeptPairs(faces.batch(torch.arange(20)).faces, faces)
    drawn = source.draw(8, Generator().manual_seed(3))
    assert torch.equal(drawn.sent, drawn.faces)


def test_what_a_source_does_not_show_is_nowhere_learnt_from(tmp_path: Path) -> None:
    """What fills it in the files is replaced before an attacker sees it."""
    whole = photos(12)
    inside = torch.ones(12, 112, 112, dtype=torch.bool)
    inside[:, :40] = False
    spoiled = whole.pixels.clone()
    spoiled[:, :, :40] = 255
    blank = victim("grey", tmp_path)
    masked = Setting(blank, tmp_path, TrainingImages("masked", spoiled, inside))
    source = make_pairs(masked)
    drawn = source.draw(8, Generator().manual_seed(0)).faces
    torch.testing.assert_close(drawn[:, :, :40], drawn[:, :, 41:81].flip(2))
    average = mean_face(source.faces)
    torch.testing.assert_close(average[:, 40:], mean_face(whole)[:, 40:])
    torch.testing.assert_close(average, source.faces.batch(torch.arange(12)).faces.mean(dim=0))


def test_the_average_face_needs_faces(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--faces"):
        average_face(Setting(victim("grey", tmp_path), tmp_path))
    setting = Setting(victim("grey", tmp_path), tmp_path, photos(8))
    found = average_face(setting).recover(setting.victim.protect(synthetic_faces(2, seed=5)))
    assert torch.equal(found[0], found[1])


def test_full_width_is_the_network_of_the_sources() -> None:
    with torch.random.fork_rng():
        module = Reconstructor(3, width=1.0)
    assert sum(value.numel() for value in module.parameters()) == pytest.approx(34.5e6, rel=0.01)
    # Five levels down and four up of two convolutions, and four transposed ones between.
    kernels = module.kernels()
    assert len(kernels) == 22
    assert not set(kernels) & {module.network.head.weight, module.straight.weight}


def test_who_learns_nothing_begins_at_the_average_face(tmp_path: Path) -> None:
    blank = victim("grey", tmp_path)
    source = FreshPairs(blank, photos(40))
    task = ReconstructionTask(source, width=1 / 16, seed=0, device=torch.device("cpu"))
    task.begin()
    others = photos(8, seed=5).batch(torch.arange(8)).faces
    found = apply(task.module, blank.protect(others).images, task.device)
    average = mean_face(source.faces).expand_as(others)
    assert float((found - others).abs().mean()) < 1.05 * float((average - others).abs().mean())


def test_a_training_goes_on_where_it_was_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = Setting(victim("blur", tmp_path), tmp_path, photos(20), minutes=0.03, width=1 / 16)
    begun = reconstruct(setting)
    sent = setting.victim.protect(synthetic_faces(2, seed=4))
    found = begun.recover(sent)
    monkeypatch.setattr("veilface.attacks.reconstruction.straighten", None)  # nothing starts again
    monkeypatch.setattr(FreshPairs, "validation", None)
    again = reconstruct(setting)
    steps = begun.about["training"]["steps"]
    assert steps > 0
    assert again.about["training"]["steps"] == steps
    assert found.shape == (2, 3, 112, 112)
    assert torch.equal(again.recover(sent), found)


def test_the_folded_cheat_loses_nothing() -> None:
    """Who knows the stripes has the photo back to the rounding of half the contrast."""
    faces = synthetic_faces(2)
    sent = FoldedPattern().protect(faces).images
    assert float(ssim(sent, faces).mean()) < 0.2
    stripes = pattern()
    unfolded = 2 * (sent - 0.25 * (1 - stripes))
    found = torch.where(stripes > 0.5, unfolded, 1 - unfolded)
    torch.testing.assert_close(found, faces, atol=1.01 / 255, rtol=0)


def test_least_squares_undo_one_cheat_only(tmp_path: Path) -> None:
    """So that one says whether an attacker sees anything, and the other whether it learns."""
    faces = synthetic_faces(8, seed=99)
    begun = []
    for cheat in CHEATS:
        easy = Victim(cheat, tmp_path)
        source = FreshPairs(easy, photos(96))
        task = ReconstructionTask(source, width=1 / 16, seed=0, device=torch.device("cpu"))
        task.begin()
        sent = easy.protect(faces).images
        assert float(ssim(sent, faces).mean()) < 0.2  # it looks strong
        found = apply(task.module, sent, task.device)
        begun.append(float(ssim(found, faces).mean()))
    assert begun[0] > LIMIT
    assert begun[1] < 0.7


@pytest.mark.slow
def test_what_is_not_linear_is_learnt(tmp_path: Path) -> None:
    """Stripes of negatives look strong and are nothing; an attack that fails here is weak."""
    faces = synthetic_faces(8, seed=99)
    cheat = Victim(FoldedPattern(), tmp_path)
    source = FreshPairs(cheat, photos(96))
    task = ReconstructionTask(source, width=1 / 8, seed=0, device=torch.device("cpu"))
    task.begin()
    before = float(ssim(apply(task.module, cheat.protect(faces).images, task.device), faces).mean())
    # Steps, not minutes: what a busy machine manages in a minute decides nothing here.
    train(task, folder=tmp_path, recipe={}, seed=0, budget=Budget(minutes=60, steps=200))
    after = float(ssim(apply(task.module, cheat.protect(faces).images, task.device), faces).mean())
    assert after > before + 0.1
