"""Table 2: which unseen recognisers accept X' against X on LFW, by method."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

from veilface.errors import UntrainedError
from veilface.paper.accuracy import THRESHOLDS, accuracy
from veilface.paper.beside import SEEN, SEEN_NOTE, seen
from veilface.paper.compared import lines_of_methods
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Comparison, Line, Value
from veilface.paper.native import PUBLISHED, NativeRow, Natives
from veilface.paper.people import people_of
from veilface.paper.published import METHODS, OURS, TABLE_2
from veilface.paper.study import Study
from veilface.paper.targets import arrange
from veilface.paper.trained import of_methods, of_readers, trained_notes
from veilface.protectors.controls import CONTROLS
from veilface.protectors.registry import METHODS as REGISTRY

NOTES = (
    "Share of X' that the target accepts against its own source; it took no part in making it. The "
    "clean image scores 100 %: without Table 1 and the controls this says nothing.",
    "In brackets the recogniser of that family that is here, with other weights than the paper's.",
)
NATIVE = "native recogniser"
NATIVE_NOTE = (
    "Native recogniser: ten-fold accuracy on LFW's pairs, protected against protected, by what was "
    "trained to read what the method sends, for ProFace by what its embedder was trained for; "
    "chance is 50 %. The other columns only say whether others can read it. Published: IR-50 on "
    "MS1Mv2."
)
RESIDUE_NOTE = (
    "MinusFace, r and d(r): the recogniser of its first stage on the residue, and on the picture "
    "of the residue, which is to show nobody. The authors report 98.27 % and 53.85 % on CFP-FP."
)


def table2(study: Study) -> Comparison:
    """Measure source match of every method on LFW, leave-one-out, and its native recogniser."""
    columns = arrange(study.recognizers)
    found = study.leave_one_out("lfw")
    native = _native_rows(study.natives)

    def published(method: str) -> Line:
        cells = (column.value(TABLE_2[method]) for column in columns)
        reads = PUBLISHED.get(METHODS.get(method, ""))
        return Line(method, "published", (*cells, reads, None))

    def measured(label: str, protector: str) -> list[Line]:
        row = native.get(protector)
        reads = row.accuracy if isinstance(row, NativeRow) else row
        return [
            Line(
                f"{label}, {title}",
                "measured",
                (
                    *(
                        accuracy(found, protector, column.here, threshold, seed=study.seed)
                        for column in columns
                    ),
                    reads,
                    seen(found, protector),
                ),
            )
            for threshold, title in THRESHOLDS.items()
        ]

    def of_method(title: str, name: str) -> list[Line]:
        empty = (None,) * len(columns)
        checks = [
            Line(row.method.replace(name, title), "measured", (*empty, row.accuracy, None))
            for row in native.values()
            if isinstance(row, NativeRow) and row.method.startswith(f"{name}: ")
        ]
        return [*measured(title, name), *checks]

    lines = lines_of_methods(published, of_method)
    lines.append(published(OURS))
    for name in (*study.names, *CONTROLS):
        lines += measured(name, name)
    return Comparison(
        name="table2",
        title="Table 2: accuracy on LFW against unseen recognisers",
        columns=(*(column.title for column in columns), NATIVE, SEEN),
        lines=tuple(lines),
        percent=True,
        notes=(
            *NOTES,
            NATIVE_NOTE,
            RESIDUE_NOTE,
            SEEN_NOTE,
            *([] if study.natives is None else [f"Pairs: {study.natives.pairs.name}."]),
            *people_of([found]),
            *trained_notes([*of_methods(), *of_readers()]),
        ),
        details=tuple(asdict(row) for row in native.values() if isinstance(row, NativeRow)),
    )


def _native_rows(natives: Natives | None) -> dict[str, NativeRow | Value]:
    """By method its row or why there is none, and by what is checked MinusFace's own checks."""
    if natives is None:
        return dict.fromkeys(REGISTRY, NO_DATA)
    rows: dict[str, NativeRow | Value] = {}
    for name in REGISTRY:
        try:
            rows[name] = natives.row(name)
        except UntrainedError:
            rows[name] = NOT_TRAINED
    with contextlib.suppress(UntrainedError):  # the line of the method says so
        rows |= {row.method: row for row in natives.residue()}
    return rows
