"""Table 4: which unseen recognisers accept X' against X, by recogniser and set."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from veilface.paper.accuracy import THRESHOLDS, accuracy
from veilface.paper.comparison import Comparison, Line
from veilface.paper.published import SETS, TABLE_4
from veilface.paper.study import Study
from veilface.paper.table2 import NOTES
from veilface.paper.targets import arrange
from veilface.protectors.controls import CONTROLS


def table4(study: Study) -> Comparison:
    """Measure source match of our method on every set that is here, leave-one-out."""
    found = [study.leave_one_out(name) for name in SETS.values()]

    def measured(label: str, protector: str, targets: Sequence[str]) -> list[Line]:
        return [
            Line(
                f"{label}, {protector}, {title}",
                "measured",
                tuple(
                    accuracy(each, protector, targets, threshold, seed=study.seed) for each in found
                ),
            )
            for threshold, title in THRESHOLDS.items()
        ]

    lines = []
    for target in arrange(study.recognizers):
        if target.published is not None:
            values = tuple(TABLE_4[target.published].values())
            lines.append(Line(target.title, "published", values))
        for name in study.names if target.here else ():
            lines += measured(target.title, name, target.here)
    means = tuple(fmean(TABLE_4[family][title] for family in TABLE_4) for title in SETS)
    lines.append(Line("mean", "published", means))
    for name in (*study.names, *CONTROLS):
        lines += measured("mean", name, study.recognizers)
    return Comparison(
        name="table4",
        title="Table 4: accuracy of our method against unseen recognisers",
        columns=tuple(SETS),
        lines=tuple(lines),
        percent=True,
        notes=NOTES,
    )
