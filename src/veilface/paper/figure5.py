"""Figure 5: what attackers recover of a few people, beside their photos."""

from __future__ import annotations

from veilface.attacks.channels import CANDIDATES
from veilface.attacks.run import Outcome
from veilface.errors import DatasetError
from veilface.evaluation.report.sheets import Sheet, Strip
from veilface.jobs.cache import CHUNK
from veilface.paper.comparison import NOT_TRAINED
from veilface.paper.published import METHODS, SETS
from veilface.paper.study import Study
from veilface.paper.table3 import attackers
from veilface.protectors.veil.presets import Preset


def figure5(study: Study) -> Sheet:
    """The people of the first set that is here.

    Raises:
        DatasetError: There are no photos of other people to learn from, or no set is here.
    """
    attack = attackers(study)
    dataset = next((name for name in SETS.values() if name in study.sets), None)
    if dataset is None:
        raise DatasetError("figure 5 shows people of a set of the paper, and none is here")

    def strip(title: str, name: str, protector: str | Preset | None) -> Strip:
        if protector is None:
            return Strip(f"{title} {name}", None, private=True, absent=NOT_TRAINED)
        found = attack(name, protector, dataset)
        if isinstance(found, Outcome):
            return Strip(f"{title} {name}", found.images[:CHUNK], private=name != "look")
        return Strip(f"{title} {name}", None, private=True, absent=_short(found))

    strips = [Strip("original", attack.bench(dataset).faces[:CHUNK], private=True)]
    for method in METHODS:
        protector = study.compared.get(method)
        strips.append(strip(method, "unet", protector))
        if protector in CANDIDATES:
            strips.append(strip(method, "linear", protector))
    for preset in study.presets:
        strips += [
            strip(preset.name, name, preset) for name in ("look", "unet", "portrait", "embedding")
        ]
    strips.append(strip("everybody", "average", "grey"))
    return Sheet(f"Figure 5: what attackers recover, {attack.bench(dataset).name}", tuple(strips))


def _short(reason: str) -> str:
    """Why a row is empty, in a word that fits on a tile."""
    return reason if reason == NOT_TRAINED else "cannot"
