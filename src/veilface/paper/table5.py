"""Table 5: how many surrogates an unseen recogniser needs; every subset of every size is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations

from veilface.evaluation.results import Row
from veilface.paper.accuracy import THRESHOLDS, source_match
from veilface.paper.comparison import Comparison, Line, Value
from veilface.paper.published import TABLE_5
from veilface.paper.study import Study
from veilface.paper.targets import arrange
from veilface.protectors.controls import CONTROLS

NOTES = (
    "The paper shows one ensemble of each size; here every subset that leaves the target out was "
    "made. 'mean' is over subsets, with people drawn for the interval; 'worst' and 'best' are "
    "single subsets, chosen by looking at the result.",
    "Controls use no surrogate: they are the same for every size.",
)
_THRESHOLD = "0.001"
_SUMMARIES = ("mean", "worst", "best")


def table5(study: Study) -> Comparison:
    """Measure source match on LFW for every ensemble of one to four recognisers."""
    columns = arrange(study.recognizers)
    rows = list(_sweep(study))

    def measured(label: str, protector: str, size: int, summary: str) -> Line:
        of_size = [r for r in rows if r.protector == protector and len(r.surrogates) == size]
        cells = (
            _cell([row for row in of_size if row.target in column.here], summary, seed=study.seed)
            for column in columns
        )
        return Line(label, "measured", tuple(cells))

    lines = []
    for size, values in TABLE_5.items():
        lines.append(Line(str(size), "published", tuple(c.value(values) for c in columns)))
        for name in study.names:
            lines += [measured(f"{size}, {name}, {s}", name, size, s) for s in _SUMMARIES]
    lines += [measured(name, name, 0, "mean") for name in CONTROLS]
    return Comparison(
        name="table5",
        title=f"Table 5: accuracy on LFW by number of surrogates, at {THRESHOLDS[_THRESHOLD]}",
        columns=tuple(column.title for column in columns),
        lines=tuple(lines),
        percent=True,
        notes=NOTES,
        details=tuple(
            {
                "protector": row.protector,
                "surrogates": list(row.surrogates),
                "target": row.target,
                "source": asdict(row.measures["source"]),
            }
            for row in rows
        ),
    )


def _sweep(study: Study) -> Iterator[Row]:
    faces = study.sets["lfw"]
    for size in TABLE_5:
        for ensemble in combinations(study.recognizers, size):
            targets = [name for name in study.recognizers if name not in ensemble]
            if targets:
                found = study.evaluate(
                    faces, study.presets, targets, ensemble, controls=False, ten_fold=False
                )
                yield from found.rows
    everyone = study.recognizers
    yield from study.evaluate(faces, (), everyone, everyone, ten_fold=False).rows


def _cell(rows: Sequence[Row], summary: str, *, seed: int) -> Value:
    """One figure of the rows of a target, one row a subset; nothing where there is none."""
    if not rows:
        return None
    if summary == "mean":
        return source_match(rows, _THRESHOLD, seed=seed)
    pick = min if summary == "worst" else max
    return pick((row.measures["source"] for row in rows), key=lambda figure: figure.value)
