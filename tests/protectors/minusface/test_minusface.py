"""MinusFace: generator, shuffle, losses, and the mistakes of the original."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import TinyRecognizer, keep_drawn_weights, write_faces
from veilface.core.randomness import Draws, entropic_generator
from veilface.protectors.dct.front_end import CHANNELS, decode, encode
from veilface.protectors.minusface.network import Generator
from veilface.protectors.minusface.protector import MinusFace
from veilface.protectors.minusface.train import MinusFaceTask
from veilface.protectors.minusface.transform import permutations, shuffled
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import load_images
from veilface.training.loop import Budget, train
from veilface.training.reader import reader

WIDTH = 1 / 16


@pytest.fixture(autouse=True)
def _seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("veilface.protectors.minusface.train._CHECKED", 4)
    monkeypatch.setattr("veilface.protectors.minusface.train._MEASURED", 2)
    monkeypatch.setattr("veilface.training.straight._STRIDE", 49)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def task(folder: Path) -> MinusFaceTask:
    def load() -> Recognizer:
        return cast("Recognizer", TinyRecognizer())

    reading, images, rest = reader(CHANNELS, load_images(folder), None, load, width=WIDTH)
    generator = Generator(width=WIDTH)
    return MinusFaceTask(generator, reading, images, rest, batch=2, device=torch.device("cpu"))


def test_parameter_count_of_the_source() -> None:
    assert sum(p.numel() for p in Generator().parameters()) == 34_634_624


def test_orders_are_permutations_of_all_channels_across_planes() -> None:
    order = permutations(Draws(64, generator=[entropic_generator(b"%d" % k) for k in range(64)]))
    assert torch.equal(order.sort(dim=1).values, torch.arange(192).expand(64, -1))
    assert len({tuple(row.tolist()) for row in order}) == 64
    planes = order[:, :64] // 64  # what comes to the first plane
    assert all(len(row.unique()) == 3 for row in planes)


def test_orders_favour_no_channel() -> None:
    # each channel comes first in 1/192 of the orders: chi-squared of 191 degrees, 5 sigma
    order = permutations(Draws(6000, generator=torch.Generator().manual_seed(0)))
    counts = torch.bincount(order[:, 0], minlength=192).double()
    expected = 6000 / 192
    assert float(((counts - expected) ** 2 / expected).sum()) < 191 + 5 * (2 * 191) ** 0.5


def test_without_a_generator_the_order_is_the_operating_systems(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The original draws from PyTorch's global generator, which a seed of 32 bits fixes.
    asked = []
    real = torch.frombuffer

    def watched(buffer: bytearray, *, dtype: torch.dtype) -> torch.Tensor:
        asked.append(len(buffer))
        return real(buffer, dtype=dtype)

    monkeypatch.setattr(torch, "frombuffer", watched)
    permutations(Draws(2))
    assert sum(asked) >= 2 * 2 * 192 * 4  # bytes of fresh randomness


def test_shuffled_puts_channels_where_the_order_says() -> None:
    residue = torch.randn(2, 192, 16, 16)
    order = torch.stack([torch.arange(192), torch.arange(191, -1, -1)])
    made = shuffled(residue, order)
    assert torch.allclose(made[0], decode(residue[:1])[0], atol=1e-4)
    assert torch.allclose(made[1], decode(residue[1:].flip(1))[0], atol=1e-4)


def test_an_untrained_generator_regenerates_what_it_is_given_nearly() -> None:
    x = synthetic_faces(2)
    generator = Generator(width=WIDTH)
    generator.measure(x)
    with torch.no_grad():
        generator.unet.head.weight.zero_()
        generator.get_parameter("unet.head.bias").zero_()
        assert torch.equal(generator(encode(x)), encode(x))


def test_the_generator_sees_channels_of_one_scale() -> None:
    # Raw coefficients reach 1024 beside others of 3e-4; a [0, 1] image would ruin it silently.
    x = synthetic_faces(8)
    generator = Generator(width=WIDTH)
    generator.measure(x)
    seen = (encode(x) - generator.mean) / generator.scale
    assert float(seen.mean(dim=(0, 2, 3)).abs().max()) < 1e-2
    assert float(seen.std(dim=(0, 2, 3)).max()) < 1.1


def test_stage_one_learns_both_and_moves_generator_and_recogniser(tmp_path: Path) -> None:
    trained = task(write_faces(tmp_path / "faces", 24))
    trained.module.eval()
    with torch.no_grad():
        before = trained.validate(torch.Generator().manual_seed(0))
    start = {name: value.clone() for name, value in trained.module.state_dict().items()}
    budget = Budget(minutes=5, steps=4, every=4)
    train(trained, folder=tmp_path / "run", recipe={}, seed=0, budget=budget)
    trained.module.eval()
    with torch.no_grad():
        after = trained.validate(torch.Generator().manual_seed(0))
    assert after["look"] < before["look"]
    assert after["loss"] == pytest.approx(5 * after["look"] + after["identity"], rel=1e-5)
    moved = {
        name.split(".")[0]
        for name, value in trained.module.state_dict().items()
        if not torch.equal(value, start[name])
    }
    assert moved == {"generator", "reading"}


def test_generator_and_known_weights_have_rates_of_their_own(tmp_path: Path) -> None:
    # In the original a misspelt name keeps the generator from its rate, and a hook overwrites all.
    trained = task(write_faces(tmp_path / "faces", 24))
    generator = {id(p) for p in trained.generator.parameters()}
    groups = trained.optimizer.param_groups
    assert {id(p) for p in groups[0]["params"]} == generator
    assert [group["lr"] / groups[0]["lr"] for group in groups] == pytest.approx([1, 1, 0.1])
    budget = Budget(minutes=5, steps=1, every=1)
    train(trained, folder=tmp_path / "run", recipe={}, seed=0, budget=budget)
    assert [group["lr"] / groups[0]["lr"] for group in groups] == pytest.approx([1, 1, 0.1])


def test_the_generator_is_frozen_after_the_first_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the original it stays in the optimiser, whose weight decay goes on.
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    keep_drawn_weights()
    method = MinusFace.trained()
    assert not any(p.requires_grad for p in method.generator.parameters())
    assert not method.generator.training
    made = method.protect(synthetic_faces(1), generator=torch.Generator().manual_seed(0))
    assert not made.images.requires_grad
    assert made.info["weights"] == MinusFace.trained().info["weights"]
    assert sorted(made.secret["order"][0].tolist()) == list(range(192))
