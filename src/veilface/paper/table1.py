"""Table 1: how similar X' is to X, by method and set."""

from __future__ import annotations

from veilface.evaluation.results import Evaluation
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Comparison, Line, Value
from veilface.paper.published import METHODS, OURS, SETS, TABLE_1
from veilface.paper.study import Study
from veilface.protectors.controls import CONTROLS

NOTES = (
    "Images made against all recognisers but one. A low SSIM is not privacy: read it beside 'a "
    "stranger', photos of two different people, and beside 'noisy', which hides nobody.",
)


def table1(study: Study) -> Comparison:
    """Measure SSIM on every set that is here."""
    found = [
        study.one_ensemble(name, study.protectors) if name in study.sets else None
        for name in SETS.values()
    ]

    def published(method: str) -> Line:
        return Line(method, "published", tuple(TABLE_1[method][title] for title in SETS))

    def measured(label: str, protector: str | None) -> Line:
        return Line(label, "measured", tuple(_ssim(each, protector) for each in found))

    lines = []
    for method in METHODS:
        lines += [published(method), measured(method, study.compared.get(method))]
    lines.append(published(OURS))
    lines += [measured(name, name) for name in (*study.names, *CONTROLS)]
    strangers = (NO_DATA if each is None else each.stranger["ssim"] for each in found)
    lines.append(Line("a stranger", "measured", tuple(strangers)))
    title = "Table 1: SSIM of the protected image and its original"
    return Comparison("table1", title, tuple(SETS), tuple(lines), notes=NOTES)


def _ssim(found: Evaluation | None, protector: str | None) -> Value:
    if protector is None:
        return NOT_TRAINED
    if found is None:
        return NO_DATA
    return next(row.measures["ssim"] for row in found.rows if row.protector == protector)
