"""Portrait subtraction finds the stranger under what was painted on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from veilface.attacks import portraits
from veilface.attacks.portraits import CUTOFF, find_stranger
from veilface.attacks.unmasking import stretched
from veilface.core.randomness import Draws
from veilface.imaging.frequency import high_pass
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.starts import Stranger
from veilface.protectors.veil.strangers import Bank, load_bank


def test_the_cut_off_is_that_of_persona() -> None:
    band = PRESETS["persona"].band
    assert band is not None
    assert band.cutoff == CUTOFF


def test_the_stranger_is_found_to_a_grey_level() -> None:
    generator = torch.Generator().manual_seed(3)
    start = Stranger().faces(Draws(2, generator=generator))
    painted = 0.05 * high_pass(torch.randn(start.shape, generator=generator), cutoff=CUTOFF)
    bank = load_bank()
    thumbnails = bank.thumbnails(torch.arange(len(bank)))
    for image, truth in zip((start + painted).clamp(0, 1), start, strict=True):
        found = find_stranger(image, bank, thumbnails)
        off = (found.face - truth).square().mean().sqrt()
        assert float(off) < 0.5 / 255
        assert found.error < 0.5 / 255


def test_strangers_are_searched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[float] = []

    def found(image: Tensor, bank: Bank, thumbnails: Tensor) -> portraits.Stranger:
        searched.append(float(image.mean()))
        return portraits.Stranger(image.flip(2), (0, 1), False, 0.0)

    monkeypatch.setattr(portraits, "find_stranger", found)
    images = torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    first = portraits.strangers(images, tmp_path / "networks")
    assert torch.equal(portraits.strangers(images.clone(), tmp_path / "networks"), first)
    assert len(searched) == 3
    assert torch.equal(portraits.painted(images, tmp_path / "networks"), images - images.flip(3))
    portraits.strangers(images.flip(0), tmp_path / "networks")
    assert len(searched) == 6


def test_a_photo_of_somebody_is_no_stranger_of_the_bank() -> None:
    """The error of the fit tells: it is the attacker's proof of having found the right one."""
    bank = load_bank()
    face = torch.rand(3, 14, 14, generator=torch.Generator().manual_seed(0))
    image = torch.nn.functional.interpolate(face[None], size=112, mode="bicubic")[0].clamp(0, 1)
    found = find_stranger(image, bank, bank.thumbnails(torch.arange(len(bank))))
    assert found.error > 4 / 255


def test_a_signal_is_stretched_around_mid_grey() -> None:
    signal = 0.01 * torch.sin(torch.arange(112.0)).expand(1, 3, 112, 112)
    image = stretched(signal)
    assert abs(float(image.mean()) - 0.5) < 0.02
    assert float(image.max()) == 1.0
    assert float(image.min()) == 0.0
    flat = stretched(torch.zeros(1, 3, 112, 112))
    assert torch.equal(flat, torch.full_like(flat, 128 / 255))
