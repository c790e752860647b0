"""The loop on a regression whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn

from veilface.errors import WeightsError
from veilface.training.loop import CHECKPOINT, CURVE, Budget, train

TRUTH = torch.tensor([[1.0, -2.0, 3.0]])
BUDGET = Budget(minutes=60, steps=40, every=10)


class Regression:
    """Finds `TRUTH` from noisy products; dropout makes it depend on the global generator."""

    def __init__(self, *, rate: float = 0.05) -> None:
        self.linear = nn.Linear(3, 1)
        with torch.no_grad():
            self.linear.weight.zero_()
            self.linear.bias.zero_()
        self.module = nn.Sequential(nn.Dropout(0.1), nn.BatchNorm1d(3), self.linear)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=rate)

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        x = torch.randn(64, 3, generator=generator)
        error = self.module(x) - x @ TRUTH.T
        return {"loss": error.square().mean(), "bias": error.mean()}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        assert not self.module.training
        return {"loss": float(self.losses(generator)["loss"])}


def regression(*, rate: float = 0.05) -> Regression:
    with torch.random.fork_rng():  # the first weights are drawn, and set to zero
        return Regression(rate=rate)


def tensors_of(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / CHECKPOINT)


def run(folder: Path, budget: Budget, *, recipe: str = "a", rate: float = 0.05) -> Regression:
    task = regression(rate=rate)
    train(task, folder=folder, recipe={"name": recipe}, seed=3, budget=budget)
    return task


def test_the_loss_falls_and_the_curve_says_so(tmp_path: Path) -> None:
    run(tmp_path, Budget(minutes=60, steps=300, every=50))
    lines = [json.loads(line) for line in (tmp_path / CURVE).read_text().splitlines()]
    assert [line["step"] for line in lines] == [50, 100, 150, 200, 250, 300]
    assert lines[-1]["validation"]["loss"] < 0.1 * lines[0]["train"]["loss"]
    assert set(lines[0]["train"]) == {"loss", "bias"}
    assert lines[-1]["rate"] < 0.1 * lines[0]["rate"]  # it has decayed


class Spiked(Regression):
    """One batch weighs ten thousand times what the others do."""

    steps = 0

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        found = dict(super().losses(generator))
        self.steps += self.module.training
        spiked = self.module.training and self.steps == 100
        return found | {"loss": found["loss"] * (1e4 if spiked else 1)}


@pytest.mark.parametrize("most", [3.0, 1e9])
def test_one_gradient_does_not_undo_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: float
) -> None:
    monkeypatch.setattr("veilface.training.loop._SPIKE", most)
    with torch.random.fork_rng():
        task = Spiked()
    budget = Budget(minutes=60, steps=300, every=50)
    outcome = train(task, folder=tmp_path, recipe={}, seed=3, budget=budget)
    run(tmp_path / "calm", budget)
    calm = json.loads((tmp_path / "calm" / CURVE).read_text().splitlines()[-1])["validation"]
    undone = outcome.losses["validation"]["loss"] > 2 * calm["loss"]
    assert undone == (most > 3)


@pytest.mark.parametrize("ended", [10, 20, 30])
def test_a_resumed_run_gives_the_bytes_of_one_that_was_not_ended(
    tmp_path: Path, ended: int
) -> None:
    run(tmp_path / "whole", BUDGET)

    def killed(line: Mapping[str, object]) -> None:
        if line["step"] == ended:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            regression(), folder=tmp_path / "ended", recipe={"name": "a"}, seed=3, budget=BUDGET,
            progress=killed,
        )  # fmt: skip
    resumed = run(tmp_path / "ended", BUDGET)
    whole = tensors_of(tmp_path / "whole")
    assert len(whole) > 5
    for name, value in tensors_of(tmp_path / "ended").items():
        assert torch.equal(value, whole[name]), name
    assert torch.equal(resumed.linear.weight, whole["module.2.weight"])


def test_minutes_are_respected_also_over_two_calls(tmp_path: Path) -> None:
    first = train(regression(), folder=tmp_path, recipe={}, seed=0, budget=Budget(minutes=0.005))
    assert first.reason == "minutes"
    assert 0.3 <= first.seconds < 3
    again = train(regression(), folder=tmp_path, recipe={}, seed=0, budget=Budget(minutes=0.005))
    assert again.steps == first.steps  # nothing of the budget is left


def test_a_plateau_ends_the_run(tmp_path: Path) -> None:
    budget = Budget(minutes=60, every=5, patience=3)
    task = regression()
    for group in task.optimizer.param_groups:
        group["lr"] = 0.0
    found = train(task, folder=tmp_path, recipe={}, seed=0, budget=budget)
    assert found.reason == "plateau"
    assert found.steps <= 40


def test_the_best_weights_are_left_where_the_last_are_worse(tmp_path: Path) -> None:
    """Also of a run that is over already; what goes on goes on from the last ones."""
    budget = Budget(minutes=60, steps=40, every=10)
    found = []
    for _ in range(2):
        task = Rising()
        outcome = train(task, folder=tmp_path, recipe={}, seed=3, budget=budget, best=True)
        assert (outcome.steps, outcome.losses["step"]) == (40, 10)
        found.append(task.validate(Generator())["loss"])
    assert found == [outcome.losses["validation"]["loss"]] * 2
    last = Rising()
    train(last, folder=tmp_path, recipe={}, seed=3, budget=budget)
    assert last.validate(Generator())["loss"] > found[0]


class Rising(Regression):
    """Gets worse the longer it learns."""

    def __init__(self) -> None:
        with torch.random.fork_rng():
            super().__init__()

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        return {"loss": -self.linear.weight.square().sum() - self.linear.bias.sum()}

    def validate(self, generator: Generator) -> Mapping[str, float]:
        return {"loss": -self.losses(generator)["loss"].item()}


def test_another_recipe_is_not_continued(tmp_path: Path) -> None:
    run(tmp_path, BUDGET)
    with pytest.raises(WeightsError, match="remove it to start again"):
        run(tmp_path, BUDGET, recipe="b")


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run(tmp_path, BUDGET)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match="checkpoint"):
        run(tmp_path, BUDGET)


def test_a_divergence_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="diverged"):
        run(tmp_path, BUDGET, rate=1e30)
