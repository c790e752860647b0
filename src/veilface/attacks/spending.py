"""How many pairs of a preset an attacker can pay for: each one costs an optimisation."""

from __future__ import annotations

import json
import time

import torch

from veilface.attacks.base import Setting
from veilface.core.files import write_atomic
from veilface.jobs.cache import chunk_size
from veilface.training.images import TrainingImages


def protect_affordable(setting: Setting, faces: TrainingImages) -> int:
    """Protect photos until the budget is spent, and say how many that were.

    What was reached after how many seconds is remembered: whoever asks again with the same budget
    gets the same pairs, also where a larger one was spent since, so that one network is trained on
    them and not another one each time.

    Images that an earlier run of anything has kept cost nothing.

    Args:
        setting: Whom it asks for pairs keeps them.
        faces: The first of the photos of the setting, as many as may be used.
    """
    victim, everybody = setting.pair_victim, setting.faces or faces
    about = {
        "attack": "protected",
        "victim": victim.describe(),
        "seed": victim.seed,
        "faces": everybody.digest(),
    }
    path = setting.place_of(about).with_suffix(".json")
    setting.folder.mkdir(parents=True, exist_ok=True)
    reached: list[tuple[int, float]] = [(0, 0.0)]  # photos, seconds
    if path.is_file():
        reached = json.loads(path.read_text(encoding="utf-8"))
    chunk, budget = chunk_size(victim.device), 60 * setting.pair_minutes

    def enough() -> int | None:
        found = (count for count, spent in reached if count >= len(faces) or spent >= budget)
        return next(found, None)

    def tell() -> None:
        # Either all photos are protected first, or the time is over first.
        share = min(1.0, max(reached[-1][0] / len(faces), reached[-1][1] / budget))
        setting.progress("protecting pairs, seconds", round(budget * share), round(budget))

    if enough() is None:
        tell()
    while (done := enough()) is None:
        began = time.monotonic()
        photos, seconds = reached[-1]
        start = photos // chunk * chunk  # kept images are found by whole chunks
        part = faces.part(slice(start, start + chunk * (victim.jobs or 2)))
        victim.protect(part.batch(torch.arange(len(part))).faces)
        reached.append((start + len(part), seconds + time.monotonic() - began))
        write_atomic(path, json.dumps(reached).encode(), overwrite=True)
        tell()
    return min(done, len(faces))
