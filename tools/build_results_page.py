"""Writes docs/results.md and its plots out of finished evaluations.

    python tools/build_results_page.py RUN/evaluation.json ... benchmarks/documents/table2.json ...

Evaluations are those of `veilface evaluate`, tables those of `veilface reproduce`; the tables of
the present page are kept in benchmarks/documents. Beside an evaluation the sheets
``protected-*.png`` are copied; photographs are never read. What stands on the page between the two
marks of the reading is written by hand and kept.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from veilface.core.files import write_atomic
from veilface.evaluation.report import plots
from veilface.evaluation.report.sheets import PUBLISHED
from veilface.evaluation.report.tables import (
    Table,
    recognition_table,
    targets,
    visibility_table,
)
from veilface.evaluation.results import Evaluation, Row
from veilface.evaluation.table import ABSENT, RECOGNITION, VISIBILITY, Measure, number
from veilface.measures.intervals import Estimate
from veilface.paper.comparison import Comparison

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- reading: written by hand -->", "<!-- end of the reading -->"

_INTRODUCTION = f"""\
# Results

Written by `tools/build_results_page.py`; edit that, or the reading between the two marks below, not
this page. Brackets hold 95 % intervals: Wilson's for a share, otherwise the bootstrap over people.
A target is never a surrogate of the images it decides about, and its thresholds come from clean
photos of the same set. Matches are counted at a false match rate of 1e-3. What the measures are:
[below](#measures).

{BEGIN}
{{reading}}
{END}
"""

_SUMMARY = ("source", "xdr", "fmr_pc", "fmr_pp")
_FOLDERS = ("--root", "--output", "-o", "--face-model")
_WIDE = 7  # columns
_SEEN = ("ssim", "yunet", "lineup_mean", "link_ncc", "link_hog", "link_lbp")


def main(paths: Sequence[str], *, docs: Path = DOCS) -> None:
    """Write the page and its images, replacing those of an earlier build."""
    loaded = [(Path(path), json.loads(Path(path).read_text(encoding="utf-8"))) for path in paths]
    page, images = docs / "results.md", docs / "images" / "results"
    images.mkdir(parents=True, exist_ok=True)
    for old in images.iterdir():
        old.unlink()
    parts = [_INTRODUCTION.format(reading=_kept_reading(page))]
    evaluations = [(path, document) for path, document in loaded if "rows" in document]
    for part, (path, document) in enumerate(evaluations, start=1):
        parts += _evaluation(Evaluation.from_dict(document), path.parent, images, part=part)
    tables = [Comparison.from_dict(document) for _, document in loaded if "lines" in document]
    if tables:
        parts += ["## The paper's tables", *(each.to_markdown() for each in tables)]
    parts += ["## Measures", *_measures()]
    write_atomic(
        page, ("\n\n".join(part.strip() for part in parts) + "\n").encode(), overwrite=True
    )
    print(f"{page.name}: {len(loaded)} documents, {len(list(images.iterdir()))} images")


def _kept_reading(page: Path) -> str:
    if not page.is_file():
        return ""
    _, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    return rest.partition(END)[0].strip()


def _evaluation(found: Evaluation, folder: Path, images: Path, *, part: int) -> Iterator[str]:
    about = found.dataset
    slug = f"{part}-{_slug(str(about['name']))}"
    by_target = targets(found)
    yield f"## {part}. {about['name']}"
    yield _protocol(found)
    yield _summary(found, by_target)
    yield from _flags(found)
    for sheet in sorted(folder.glob(f"{PUBLISHED}*.png")):
        name = f"{slug}-{sheet.name}"
        write_atomic(images / name, sheet.read_bytes())
        title = sheet.stem.removeprefix(PUBLISHED)
        yield f"{title}: protected images\n\n![{title}, protected images](images/results/{name})"
    yield f"### {part}. {about['name']}: what is seen"
    yield from _markdown(visibility_table(found))
    for target, rows in by_target.items():
        yield f"### {part}. {about['name']}: {target}"
        yield from _markdown(recognition_table(target, rows))
        for kind, figure in (
            ("det", plots.det_curves(rows)),
            ("scores", plots.threshold_strips(rows)),
        ):
            name = f"{slug}-{_slug(target)}-{kind}.svg"
            write_atomic(images / name, plots.to_svg(figure))
            yield f"![{target}, {kind}](images/results/{name})"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _protocol(found: Evaluation) -> str:
    about, done = found.dataset, found.protecting
    command = _without_folders(found.command)
    lines = [
        f"{about['people']} people, one image each of {about['images']}; gallery of "
        f"{about['gallery']}; seed {found.seed}; veilface {found.version}.",
        f"{found.seconds / 60:.0f} min on {found.device} with {found.cores} cores, "
        f"of which {done['seconds'] / 60:.0f} min protected {done['protected']} images; "
        f"{done['found']} were kept from an earlier run.",
    ]
    return "\n".join(lines) + (f"\n\n```\n{command}\n```" if command else "")


def _without_folders(command: str) -> str:
    """The command with DIR in place of the folders of the machine that it ran on."""
    words = shlex.split(command)
    for place, word in enumerate(words):
        option, equals, _ = word.partition("=")
        if option in _FOLDERS and equals:
            words[place] = f"{option}=DIR"
        elif word in _FOLDERS and place + 1 < len(words):
            words[place + 1] = "DIR"
    return shlex.join(words)


def _summary(found: Evaluation, by_target: Mapping[str, Sequence[Row]]) -> str:
    """A line a protector: the mean over its targets, or ensembles, and the lowest and highest."""
    every = {**VISIBILITY, **RECOGNITION}
    measures = {name: every[name] for name in (*_SEEN, *_SUMMARY)}
    rows = [row for each in by_target.values() for row in each]
    rows.sort(key=lambda row: row.kind != "preset")
    lines = [["", *(measure.title for measure in measures.values())]]
    for name in dict.fromkeys(row.protector for row in rows):
        mine = [row.figures for row in rows if row.protector == name]
        lines.append([name, *(_spread(mine, key, each) for key, each in measures.items())])
    level = found.stranger["ssim"].value
    return (
        "Mean over the targets, in round brackets the lowest and the highest. SSIM between photos "
        f"of two people is {number(level, 3)}.\n\n{_table(lines)}"
    )


def _flags(found: Evaluation) -> Iterator[str]:
    """What must not be overlooked about the presets, each sentence once with its targets."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in found.rows:
        for sentence in row.flags if row.kind == "preset" else ():
            said.setdefault((row.protector, sentence), []).append(row.target)
    if said:
        lines = (f"- **{who}** ({', '.join(at)}): {what}" for (who, what), at in said.items())
        yield "\n".join(["To be distrusted:\n", *lines])


def _spread(rows: Sequence[Mapping[str, Estimate]], name: str, measure: Measure) -> str:
    values = [row[name].value for row in rows if name in row]
    if not values:
        return ABSENT
    mean, low, high = (
        number(value, measure.digits) for value in (fmean(values), min(values), max(values))
    )
    return mean if low == high else f"{mean} ({low}–{high})"


def _markdown(table: Table) -> Iterator[str]:
    """The table in parts that fit on a page, and its notes."""
    for start in range(0, len(table.columns), _WIDE):
        part = slice(start, start + _WIDE)
        lines = [["", *(column.title for column in table.columns[part])]]
        for line in table.lines:
            cells = (f"{c.value} {c.interval} {c.chance}".strip() for c in line.cells[part])
            lines.append([f"**{line.label}**" if line.kind == "preset" else line.label, *cells])
        yield _table(lines)
    yield from table.notes


def _measures() -> Iterator[str]:
    every = {**RECOGNITION, **VISIBILITY}.values()
    yield "\n".join(f"- **{measure.title}**: {measure.meaning}" for measure in every)


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main(sys.argv[1:])
