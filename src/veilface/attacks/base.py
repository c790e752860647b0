"""What an attack is: fitted on what its threat level allows, then protected data in, images out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from veilface.attacks.victim import Victim, averaged
from veilface.errors import DatasetError
from veilface.training.completion import completed
from veilface.training.images import TrainingImages
from veilface.types import Protected

Level = Literal["null", "viewer", "bystander", "trainer", "insider", "embedding holder"]
"""Who can do it: see docs/attacks.md."""

Recover = Callable[[Protected], Tensor]
"""Maps what was protected to (N, 3, 112, 112) images in [0, 1]."""


Control = Literal["planted", "clean"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What an attacker may be fitted on, and how much of it.

    Attributes:
        victim: The protector, as a black box.
        folder: Keeps checkpoints and protected pairs, so that an ended run continues.
        faces: Photos of other people, made `completed`; None where there are none.
        pairs: Most of those photos to use; all of them by default.
        pair_steps: Gradient evaluations of each pair of a preset; its own by default.
        minutes: Of training.
        pair_minutes: Of protecting, where pairs cost an optimisation.
        steps: Of a control: most steps of its training, in place of the minutes.
        width: Multiplies the channels of networks.
        recognizer: Name of the recogniser that an embedding is inverted of.
        seed: Of everything random.
        device: Where to compute.
        progress: Told a stage, what is done and how much there is.
    """

    victim: Victim
    folder: Path
    faces: TrainingImages | None = None
    pairs: int | None = None
    pair_steps: int | None = None
    minutes: float = 10.0
    pair_minutes: float = 10.0
    steps: int | None = None
    width: float = 0.25
    recognizer: str = "sface"
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    progress: Callable[[str, int, int], None] = field(default=lambda stage, done, total: None)

    def __post_init__(self) -> None:
        if self.faces is not None:
            object.__setattr__(self, "faces", completed(self.faces))

    @property
    def pair_victim(self) -> Victim:
        """Whom an attacker asks for pairs: the victim, in ``pair_steps``.

        Raises:
            AttackError: There is no such victim.
        """
        return self.victim if self.pair_steps is None else self.victim.hastened(self.pair_steps)

    def training_faces(self) -> TrainingImages:
        """The photos of other people, limited to ``pairs``.

        Raises:
            DatasetError: There are none.
        """
        if self.faces is None:
            raise DatasetError(
                "this attack is fitted on photos of other people: name a folder of aligned faces "
                "with --faces DIR"
            )
        return self.faces if self.pairs is None else self.faces.part(slice(self.pairs))

    def train_progress(self, line: Mapping[str, Any]) -> None:
        """Told the lines of the curve of a training; tells how much of it is done."""
        if self.steps is not None:
            self.progress("training a control, steps", line["step"], self.steps)
            return
        seconds = min(60 * self.minutes, line["seconds"])
        self.progress("training", round(seconds), round(60 * self.minutes))

    def place_of(self, recipe: Mapping[str, Any]) -> Path:
        """Where in ``folder`` that is kept which a recipe made; its ``attack`` begins the name."""
        text = json.dumps(recipe, sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self.folder / f"{recipe['attack']}-{digest}"


@dataclass(frozen=True, slots=True)
class Fitted:
    """An attack that is ready.

    Attributes:
        recover: What it does.
        about: What it was fitted on, as JSON-ready values.
        recover_several: What it does with independent protections of the same faces, where it knows
            better than to look at their mean.
    """

    recover: Recover
    about: Mapping[str, Any] = field(default_factory=dict)
    recover_several: Callable[[Sequence[Protected]], Tensor] | None = None

    def attack(self, versions: Sequence[Protected]) -> Tensor:
        """Images from one or more independent protections of the same faces."""
        if len(versions) == 1:
            return self.recover(versions[0])
        if self.recover_several is not None:
            return self.recover_several(versions)
        return self.recover(averaged(versions))


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack of the registry.

    Attributes:
        name: Registry name.
        summary: One line about it.
        level: Who can do it.
        fit: Makes it ready for a setting; raises `veilface.errors.AttackError` where it cannot be
            done to this protector.
        control: What tells how strong an attack is that learns: a planted cheat for one that is
            trained on pairs, unprotected photos for one that sees embeddings only.
        needs_faces: Whether it needs photos of other people.
    """

    name: str
    summary: str
    level: Level
    fit: Callable[[Setting], Fitted]
    control: Control | None = None
    needs_faces: bool = False


def observed(protected: Protected) -> Tensor:
    """Everything that is transmitted, as the channels of one image.

    Returns:
        (N, C, 112, 112): ``data`` at full precision, or the images where they are what is sent;
        hints that are maps are enlarged and follow.
    """
    sent = protected.images if protected.data is None else protected.data
    side = list(sent.shape[-2:])
    hints = [_map(hint, side) for hint in protected.hints]
    return torch.cat([sent, *hints], dim=1) if hints else sent


def _map(hint: Tensor, side: list[int]) -> Tensor:
    maps = hint if hint.ndim == 4 else hint[:, None]
    return torch.nn.functional.interpolate(
        maps.to(torch.float32), size=side, mode="bilinear", align_corners=False
    )
