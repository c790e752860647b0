"""Table 1: how similar X' is to X, by method and set, and whether the person is still seen."""

from __future__ import annotations

from collections.abc import Callable

from veilface.evaluation.results import Evaluation
from veilface.paper.beside import SEEN_NOTE, SENT, SENT_NOTE, seen, sent
from veilface.paper.compared import lines_of_methods, other_rules
from veilface.paper.comparison import NO_DATA, Comparison, Line, Value
from veilface.paper.people import people_of
from veilface.paper.published import OURS, SETS, TABLE_1
from veilface.paper.study import Study
from veilface.paper.trained import of_methods, trained_notes
from veilface.protectors.controls import CONTROLS

NOTES = (
    "Images made against all recognisers but one. A low SSIM is not privacy: read it beside 'a "
    "stranger', photos of two different people, and beside 'noisy', which hides nobody.",
    "What is not an image when it is sent is shown stretched to the whole range, per image and "
    "over all channels, and rounded to 8 bits; the other lines clamp only. 'Unstretched' and "
    "'stretched' lines show the other rule.",
)

_LINEUP = "line-up"


def table1(study: Study) -> Comparison:
    """Measure SSIM and the line-up on every set that is here, and count what is sent."""
    others = other_rules()
    protectors = [*study.protectors, *others]
    here = {
        title: study.one_ensemble(name, protectors)
        for title, name in SETS.items()
        if name in study.sets
    }

    def cells(ssim: Callable[[str], Value], lineup: Callable[[str], Value]) -> list[Value]:
        """A set that is here has two columns, SSIM and the line-up."""
        found: list[Value] = []
        for title in SETS:
            found += [ssim(title), lineup(title)] if title in here else [ssim(title)]
        return found

    def published(method: str) -> Line:
        values = cells(TABLE_1[method].__getitem__, lambda title: None)
        return Line(method, "published", (*values, None))

    def measured(label: str, protector: str) -> Line:
        values = cells(
            lambda title: _ssim(here.get(title), protector),
            lambda title: seen(here[title], protector),
        )
        return Line(label, "measured", (*values, sent(protector.partition(",")[0])))

    def of_method(title: str, name: str) -> list[Line]:
        mine = [each.name for each in others if each.name.startswith(f"{name}, ")]
        return [
            measured(title, name),
            *(measured(each.replace(name, title), each) for each in mine),
        ]

    lines = [*lines_of_methods(published, of_method), published(OURS)]
    lines += [measured(name, name) for name in (*study.names, *CONTROLS)]
    strangers = cells(
        lambda title: here[title].stranger["ssim"] if title in here else NO_DATA, lambda title: None
    )
    lines.append(Line("a stranger", "measured", (*strangers, None)))
    headings = cells(lambda title: title, lambda title: f"{title} {_LINEUP}")
    return Comparison(
        name="table1",
        title="Table 1: SSIM of the protected image and its original",
        columns=(*map(str, headings), SENT),
        lines=tuple(lines),
        notes=(
            *NOTES,
            SEEN_NOTE,
            SENT_NOTE,
            *people_of(list(here.values())),
            *trained_notes(of_methods()),
        ),
    )


def _ssim(found: Evaluation | None, protector: str) -> Value:
    if found is None:
        return NO_DATA
    return next(row.measures["ssim"] for row in found.rows if row.protector == protector)
