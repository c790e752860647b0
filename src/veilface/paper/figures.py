"""Figures 3 and 4: what people see of protected faces, by method and by set."""

from __future__ import annotations

from torch import Tensor

from veilface.evaluation.report.sheets import Sheet, Strip
from veilface.jobs.cache import Job
from veilface.paper.compared import compared_methods
from veilface.paper.comparison import NOT_TRAINED
from veilface.paper.published import SETS
from veilface.paper.study import Study
from veilface.protectors.veil.presets import Preset


def figure3(study: Study) -> Sheet:
    """A few people of LFW, and what every method makes of their photos."""
    faces = study.some_faces("lfw")
    strips = [Strip("original", faces, private=True)]
    for each in compared_methods():
        made = _protect(study, each.name, faces) if each.ready else None
        strips.append(Strip(each.title, made, absent=NOT_TRAINED))
    strips += [Strip(preset.name, _protect(study, preset, faces)) for preset in study.presets]
    return Sheet("Figure 3: the methods side by side, LFW", tuple(strips))


def figure4(study: Study) -> Sheet:
    """A few people of every set that is here, and what every preset makes of their photos."""
    strips = []
    for title, name in SETS.items():
        if name in study.sets:
            faces = study.some_faces(name)
            strips.append(Strip(title, faces, private=True))
            for preset in study.presets:
                strips.append(Strip(f"{preset.name} {title}", _protect(study, preset, faces)))
    return Sheet("Figure 4: originals and protected images by set", tuple(strips))


def _protect(study: Study, protector: str | Preset, faces: Tensor) -> Tensor:
    return study.protect(Job(protector, study.recognizers), faces)
