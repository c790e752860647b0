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
    """What each training of an attacker may spend.

    Attributes:
        minutes: Of training, and at most as many of protecting its pairs.
        width: Multiplies the channels of networks.
        device: Where it is trained.
    """

    minutes: float
    width: float
    device: torch.device

    @classmethod
    def of(
        cls,
        device: torch.device,
        *,
        full: bool = False,
        minutes: float | None = None,
        width: float | None = None,
    ) -> Means:
        """Those of the large run or of the small one, but for what is named.

        Without the large run, networks are narrow on a CPU only.
        """
        wide = full or device.type == "cuda"
        return cls(
            minutes or (FULL_MINUTES if full else MINUTES),
            width or (FULL if wide else NARROW),
            device,
        )

    def duration(self, trainings: int) -> str:
        """How long so many trainings, or protections of their pairs, take about."""
        hours = trainings * self.minutes / 60
        return (
            f"{trainings} trainings and protections of pairs of {self.minutes:g} minutes on "
            f"{self.device.type}, about {hours:.1f} hours; kept ones take no time"
        )
