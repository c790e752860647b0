"""What an attacker may spend: what two cores manage in minutes, and the large run."""

from __future__ import annotations

from dataclasses import dataclass

import torch

MINUTES, FULL_MINUTES = 10.0, 240.0
"""Of each training; it ends before on a plateau."""

NARROW, FULL = 0.25, 1.0
"""Widths of the networks: 2.2 and 34.5 million parameters of the U-Net."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an attacker may spend.

    Attributes:
        minutes: Of each training.
        pair_minutes: Of protecting the pairs of a preset, of all its trainings together.
        width: Multiplies the channels of networks.
        device: Where it is trained.
    """

    minutes: float
    pair_minutes: float
    width: float
    device: torch.device

    @classmethod
    def of(
        cls,
        device: torch.device,
        *,
        full: bool = False,
        minutes: float | None = None,
        pair_minutes: float | None = None,
        width: float | None = None,
    ) -> Means:
        """Those of the large run or of the small one, but for what is named.

        Without the large run, networks are narrow on a CPU only. What is not named of pairs is as
        long as a training.
        """
        wide = full or device.type == "cuda"
        minutes = minutes or (FULL_MINUTES if full else MINUTES)
        return cls(
            minutes,
            pair_minutes or minutes,
            width or (FULL if wide else NARROW),
            device,
        )

    def duration(self, trainings: int, protections: int) -> str:
        """How long so many trainings, and the pairs of so many presets, take about."""
        hours = (trainings * self.minutes + protections * self.pair_minutes) / 60
        also = f" and {protections} x {self.pair_minutes:g} minutes of pairs" if protections else ""
        return (
            f"{trainings} trainings of {self.minutes:g} minutes{also} on {self.device.type}, "
            f"about {hours:.1f} hours; kept ones take no time"
        )
