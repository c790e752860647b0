"""What attacks that learn share: settings of a training, first weights, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from veilface.attacks.base import Fitted, Setting
from veilface.training.loop import Budget, Task, generator_of, train
from veilface.types import Protected

BATCH, SMALL_BATCH = 64, 8
"""Photos a step on an accelerator and on a CPU."""

EVERY = 50  # steps between two validations
PATIENCE = 12  # validations without progress

Built = TypeVar("Built")


def batch_size(device: torch.device) -> int:
    """Photos of a step."""
    return BATCH if device.type == "cuda" else SMALL_BATCH


def seeded(build: Callable[[], Built], *, seed: int, purpose: str = "weights") -> Built:
    """What draws from the global generator, from a seed for a purpose; the generator stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator_of(seed, purpose).initial_seed()))
        return build()


def recipe_of(
    attack: str, setting: Setting, *, photos: int | None = None, **more: object
) -> dict[str, Any]:
    """What the weights of an attack depend on.

    Args:
        attack: Its name.
        setting: With photos of other people.
        photos: How many of the first of them it learns from; by default all that it may.
        more: What they depend on beside photos, steps, width and seed.

    Raises:
        DatasetError: There are no photos.
    """
    faces = setting.training_faces().part(slice(photos))
    return {
        "attack": attack,
        "faces": faces.name,
        "photos": len(faces),
        "pixels": faces.digest(),
        "batch": batch_size(setting.device),
        "steps": setting.steps,
        "width": setting.width,
        "seed": setting.seed,
        **more,
    }


def learn(
    task: Task,
    recipe: Mapping[str, Any],
    setting: Setting,
    see: Callable[[Protected], Tensor],
    *,
    begin: Callable[[], None] | None = None,
) -> Fitted:
    """Train within the budget, or continue a training that was ended.

    Args:
        task: The training.
        recipe: Of `recipe_of`.
        setting: Says where it is kept, and for how long, or how many steps, it is trained.
        see: What the network is shown of what was protected.
        begin: Prepares the task where no training is continued.
    """
    # A control gets its steps however long they take: short of some it would look weaker than the
    # attack was.
    minutes = setting.minutes if setting.steps is None else math.inf
    outcome = train(
        task,
        folder=setting.place_of(recipe),
        recipe=dict(recipe),
        seed=setting.seed,
        budget=Budget(minutes, steps=setting.steps, every=EVERY, patience=PATIENCE),
        progress=setting.train_progress,
        begin=begin,
        best=True,
    )

    def recover(protected: Protected) -> Tensor:
        return apply(task.module, see(protected), setting.device)

    return Fitted(recover, {**recipe, "training": asdict(outcome)})


def apply(module: nn.Module, sent: Tensor, device: torch.device) -> Tensor:
    """A network on (N, C, H, W) inputs in small batches: images in [0, 1] on the CPU."""
    module.eval()
    with torch.inference_mode():
        parts = [
            module(part.to(device)).clamp(0, 1).cpu() for part in torch.split(sent, SMALL_BATCH)
        ]
    return torch.cat(parts)
