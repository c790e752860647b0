"""What the attacks of an experiment are made on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.attacks.test_reconstruction import photos
from veilface.attacks.means import Means
from veilface.attacks.victim import Victim
from veilface.jobs.cache import Job
from veilface.paper.attacked import Attackers
from veilface.protectors.veil.presets import PRESETS


@pytest.mark.parametrize(
    ("recognizers", "ensemble"),
    [
        (
            ("sface", "faceres", "dlib", "judge", "mobilefacenet"),
            ("dlib", "sface", "mobilefacenet"),
        ),
        (("sface", "judge", "dlib"), ("dlib", "sface")),
        (("faceres", "judge", "mobileface"), ("faceres", "mobileface")),
    ],
)
def test_presets_are_attacked_as_they_are_protected_by_default(
    tmp_path: Path, recognizers: tuple[str, ...], ensemble: tuple[str, ...]
) -> None:
    """And so as by `veilface attack`, whose networks and images then serve the tables."""
    means = Means.of(torch.device("cpu"))
    attackers = Attackers({}, recognizers, photos(20), tmp_path, means, judge="judge")
    found = attackers._setting(PRESETS["persona"]).victim.describe()
    assert found == Victim(Job("persona", ensemble), tmp_path).describe()
