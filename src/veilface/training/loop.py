"""The training loop: seeded, resumable, within a budget, and a curve of what it did.

Step k draws everything from a generator of (seed, k), so that a run which was ended and resumed
does the same steps as one that was not: beside the weights and the optimiser only their number and
the usual norm of the gradient are remembered. Gradients far above it are cut, in every training.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from veilface.core.files import write_atomic
from veilface.errors import WeightsError
from veilface.training.checkpoint import (
    device_of,
    read_checkpoint,
    read_tensors,
    write_checkpoint,
    write_tensors,
)
from veilface.training.memory import keep_memory

CHECKPOINT = "checkpoint.safetensors"
CURVE = "losses.jsonl"
BEST = "best.safetensors"

_DECAY = 0.3  # of the budget, at its end, in which the rate falls linearly to 0
_SPIKE = 3.0  # times the usual norm of the gradient, at which it is cut
_USUAL = 0.98  # of the usual norm that a step leaves as it was


class Task(Protocol):
    """What is trained. Losses are scalars by name; ``loss`` is the one that is minimised."""

    @property
    def module(self) -> nn.Module:
        """Everything that is trained; its state is what is kept."""

    @property
    def optimizer(self) -> Optimizer:
        """Over its parameters, with the rates to start from."""

    def losses(self, generator: Generator) -> Mapping[str, Tensor]:
        """The losses of one batch that the CPU generator draws; the module is in training mode."""

    def validate(self, generator: Generator) -> Mapping[str, float]:
        """The same on images that are not trained on, in evaluation mode and without gradients."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop.

    Attributes:
        minutes: Of training and validation, over all calls of a resumed run.
        steps: At most so many.
        every: Steps between two validations; each writes a checkpoint and a line of the curve.
        patience: Validations without a better loss after which the run has reached its plateau.
    """

    minutes: float
    steps: int | None = None
    every: int = 100
    patience: int = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        steps: Of the optimiser.
        seconds: Of training and validation.
        reason: Why it stopped.
        losses: The line of the curve where the weights are those that are left in the module.
    """

    steps: int
    seconds: float
    reason: Literal["minutes", "steps", "plateau"]
    losses: Mapping[str, Any]


@dataclass(slots=True)
class _State:
    recipe: dict[str, Any]
    step: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    stale: int = 0
    norm: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)


def generator_of(seed: int, *words: object) -> Generator:
    """A CPU generator for one purpose of a seeded run."""
    digest = hashlib.sha256(repr((seed, *words)).encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:4], "little"))


def train(
    task: Task,
    *,
    folder: Path,
    recipe: Mapping[str, Any],
    seed: int,
    budget: Budget,
    progress: Callable[[Mapping[str, Any]], None] | None = None,
    begin: Callable[[], None] | None = None,
    best: bool = False,
) -> Outcome:
    """Train, or continue a run that was ended.

    Args:
        task: Freshly built from the same seed, also when the run is resumed.
        folder: Keeps the checkpoint and the curve (JSON lines); made when it is not there.
        recipe: JSON-ready values that a run must share to be continued.
        seed: Of the batches and of everything random in the networks.
        budget: When to stop; the rates fall to 0 over the last 30 % of it.
        progress: Told each line of the curve.
        begin: Called before the first step of a run that is not continued; takes none of the time.
        best: Whether the weights of the best validation are left in the module, and not the last:
            for whom learns few images by heart.

    Raises:
        WeightsError: The folder holds a run of another recipe, or a damaged one.
        ImageError: The folder cannot be written.
    """
    keep_memory()
    folder.mkdir(parents=True, exist_ok=True)
    rates = [group["lr"] for group in task.optimizer.param_groups]
    if begin is not None and not (folder / CHECKPOINT).is_file():
        begin()
    state = _resumed(task, folder / CHECKPOINT, dict(recipe))
    began = time.perf_counter() - state.seconds
    sums: dict[str, float] = {}
    reason = _reason(state, budget)
    while reason is None:
        left = 1 - _spent(state, budget)
        for group, rate in zip(task.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, left / _DECAY)
        for name, value in _step(task, generator_of(seed, "step", state.step), state).items():
            sums[name] = sums.get(name, 0.0) + value
        state.step += 1
        state.seconds = time.perf_counter() - began
        reason = _reason(state, budget)
        if state.step % budget.every == 0 or reason is not None:
            since = state.step - (state.curve[-1]["step"] if state.curve else 0)
            means = {name: value / since for name, value in sums.items()}
            sums = {}
            found = _validate(task, generator_of(seed, "validation"))
            _note(state, means, found, rate=task.optimizer.param_groups[0]["lr"])
            state.seconds = time.perf_counter() - began
            if best and state.stale == 0:  # before the checkpoint that says so
                write_tensors(folder / BEST, task.module.state_dict(), {})
            _keep(task, state, folder)
            reason = _reason(state, budget)
            if progress is not None:
                progress(state.curve[-1])
    left_at = state.curve[-1] if state.curve else {}
    if best and (folder / BEST).is_file():
        task.module.load_state_dict(read_tensors(folder / BEST)[0])
        left_at = min(state.curve, key=lambda line: line["validation"]["loss"])
    return Outcome(state.step, state.seconds, reason, left_at)


def _step(task: Task, generator: Generator, state: _State) -> dict[str, float]:
    task.module.train()
    with _own_randomness(task, generator):
        task.optimizer.zero_grad(set_to_none=True)
        losses = task.losses(generator)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        _cut_spike(task.module, state)
        task.optimizer.step()
    values = {name: float(value.detach()) for name, value in losses.items()}
    if not all(torch.isfinite(torch.tensor(list(values.values())))):
        raise WeightsError(f"the training has diverged, its losses are {values}; lower the rate")
    return values


def _cut_spike(module: nn.Module, state: _State) -> None:
    """Limit the norm of the gradient to a multiple of what it usually is.

    Adam divides by what gradients were lately: one that is far larger moves the weights so far that
    a network does not find back, above all where a run that had come to rest is given more time.
    The first is not cut: it says what is usual.

    Raises:
        WeightsError: It is not finite.
    """
    most = _SPIKE * state.norm if state.norm else float("inf")
    norm = float(nn.utils.clip_grad_norm_(module.parameters(), most))
    if not math.isfinite(norm):
        raise WeightsError(f"the training has diverged, its gradient is {norm}; lower the rate")
    norm = min(norm, most)
    state.norm = _USUAL * state.norm + (1 - _USUAL) * norm if state.norm else norm


def _validate(task: Task, generator: Generator) -> dict[str, float]:
    task.module.eval()
    with torch.no_grad(), _own_randomness(task, generator):
        return dict(task.validate(generator))


@contextlib.contextmanager
def _own_randomness(task: Task, generator: Generator) -> Iterator[None]:
    """Layers such as dropout draw from the global generator: seed it here, and put it back."""
    device = device_of(task.module)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        yield


def _spent(state: _State, budget: Budget) -> float:
    """The share of the budget that is spent, 0 to 1."""
    steps = state.step / budget.steps if budget.steps is not None else 0.0
    return min(1.0, max(steps, state.seconds / (60 * budget.minutes)))


def _reason(state: _State, budget: Budget) -> Literal["minutes", "steps", "plateau"] | None:
    if state.stale >= budget.patience:
        return "plateau"
    if budget.steps is not None and state.step >= budget.steps:
        return "steps"
    return "minutes" if state.seconds >= 60 * budget.minutes else None


def _note(
    state: _State, means: Mapping[str, float], found: Mapping[str, float], *, rate: float
) -> None:
    """Add a line to the curve, and see whether the loss still falls."""
    better = found["loss"] < state.best
    state.best = min(state.best, found["loss"])
    state.stale = 0 if better else state.stale + 1
    line = {"step": state.step, "seconds": round(state.seconds, 1), "rate": rate}
    state.curve.append(line | {"train": dict(means), "validation": dict(found)})


def _keep(task: Task, state: _State, folder: Path) -> None:
    write_checkpoint(folder / CHECKPOINT, task.module, task.optimizer, asdict(state))
    lines = "".join(f"{json.dumps(line)}\n" for line in state.curve)
    write_atomic(folder / CURVE, lines.encode(), overwrite=True)


def _resumed(task: Task, path: Path, recipe: dict[str, Any]) -> _State:
    if not path.is_file():
        return _State(recipe)
    state = _State(**read_checkpoint(path, task.module, task.optimizer))
    if state.recipe != recipe:
        raise WeightsError(
            f"{path} is of another run, {state.recipe} and not {recipe}; remove it to start again"
        )
    return state
