"""Figure 5: what attackers recover of a few people, beside their photos."""

from __future__ import annotations

from veilface.attacks.channels import CANDIDATES
from veilface.errors import DatasetError
from veilface.evaluation.report.sheets import Sheet, Strip
from veilface.paper.compared import compared_methods
from veilface.paper.comparison import NOT_TRAINED
from veilface.paper.published import SETS
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
    photos = study.some_faces(dataset)

    def strip(title: str, name: str, protector: str | Preset) -> Strip:
        found = attack.pictures(name, protector, photos)
        label, private = f"{title} {name}", name != "look"
        if isinstance(found, str):
            absent = found if found == NOT_TRAINED else "cannot"
            return Strip(label, None, private=private, absent=absent)
        return Strip(label, found, private=private)

    strips = [Strip("original", photos, private=True)]
    for method in compared_methods():
        strips.append(strip(method.title, "unet", method.name))
        if method.name in CANDIDATES:
            strips.append(strip(method.title, "linear", method.name))
    for preset in study.presets:
        strips += [
            strip(preset.name, name, preset) for name in ("look", "unet", "portrait", "embedding")
        ]
    strips += [strip("everybody", "average", "grey"), strip("no protection", "embedding", "clean")]
    return Sheet(f"Figure 5: what attackers recover, {study.sets[dataset].name}", tuple(strips))
