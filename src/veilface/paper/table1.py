"""Table 1: how similar X' is to X, by method and set."""

from __future__ import annotations

from veilface.evaluation.results import Evaluation
from veilface.paper.compared import lines_of_methods, other_rules
from veilface.paper.comparison import NO_DATA, Comparison, Line, Value
from veilface.paper.people import people_of
from veilface.paper.published import OURS, SETS, TABLE_1
from veilface.paper.study import Study
from veilface.protectors.controls import CONTROLS

NOTES = (
    "Images made against all recognisers but one. A low SSIM is not privacy: read it beside 'a "
    "stranger', photos of two different people, and beside 'noisy', which hides nobody.",
    "What is not an image when it is sent is shown stretched to the whole range, per image and "
    "over all channels, and rounded to 8 bits; the other lines clamp only. 'Unstretched' and "
    "'stretched' lines show the other rule.",
)


def table1(study: Study) -> Comparison:
    """Measure SSIM on every set that is here."""
    others = other_rules()
    protectors = [*study.protectors, *others]
    found = [
        study.one_ensemble(name, protectors) if name in study.sets else None
        for name in SETS.values()
    ]

    def published(method: str) -> Line:
        return Line(method, "published", tuple(TABLE_1[method][title] for title in SETS))

    def measured(label: str, protector: str) -> Line:
        return Line(label, "measured", tuple(_ssim(each, protector) for each in found))

    def of_method(title: str, name: str) -> list[Line]:
        mine = [each.name for each in others if each.name.startswith(f"{name}, ")]
        return [
            measured(title, name),
            *(measured(each.replace(name, title), each) for each in mine),
        ]

    lines = [*lines_of_methods(published, of_method), published(OURS)]
    lines += [measured(name, name) for name in (*study.names, *CONTROLS)]
    strangers = (NO_DATA if each is None else each.stranger["ssim"] for each in found)
    lines.append(Line("a stranger", "measured", tuple(strangers)))
    title = "Table 1: SSIM of the protected image and its original"
    notes = (*NOTES, *people_of(found))
    return Comparison("table1", title, tuple(SETS), tuple(lines), notes=notes)


def _ssim(found: Evaluation | None, protector: str) -> Value:
    if found is None:
        return NO_DATA
    return next(row.measures["ssim"] for row in found.rows if row.protector == protector)
