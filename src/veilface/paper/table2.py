"""Table 2: which unseen recognisers accept X' against X on LFW, by method."""

from __future__ import annotations

from veilface.paper.accuracy import THRESHOLDS, accuracy
from veilface.paper.compared import lines_of_methods
from veilface.paper.comparison import Comparison, Line
from veilface.paper.people import people_of
from veilface.paper.published import OURS, TABLE_2
from veilface.paper.study import Study
from veilface.paper.targets import arrange
from veilface.protectors.controls import CONTROLS

NOTES = (
    "Share of X' that the target accepts against its own source; it took no part in making it. The "
    "clean image scores 100 %: without Table 1 and the controls this says nothing.",
    "In brackets the recogniser of that family that is here, with other weights than the paper's.",
)


def table2(study: Study) -> Comparison:
    """Measure source match of every method on LFW, leave-one-out."""
    columns = arrange(study.recognizers)
    found = study.leave_one_out("lfw")

    def published(method: str) -> Line:
        return Line(method, "published", tuple(column.value(TABLE_2[method]) for column in columns))

    def measured(label: str, protector: str) -> list[Line]:
        return [
            Line(
                f"{label}, {title}",
                "measured",
                tuple(
                    accuracy(found, protector, column.here, threshold, seed=study.seed)
                    for column in columns
                ),
            )
            for threshold, title in THRESHOLDS.items()
        ]

    lines = lines_of_methods(published, measured)
    lines.append(published(OURS))
    for name in (*study.names, *CONTROLS):
        lines += measured(name, name)
    return Comparison(
        name="table2",
        title="Table 2: accuracy on LFW against unseen recognisers",
        columns=tuple(column.title for column in columns),
        lines=tuple(lines),
        percent=True,
        notes=(*NOTES, *people_of([found])),
    )
