"""`veilface evaluate`: who is matched and what is still to be seen, on a set of faces."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface.cli.common import interrupted_status, print_json, sentences, split_names, table
from veilface.cli.options import Dataset, Device, Jobs, JsonOutput, Root
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.evaluation.results import Evaluation

_SHOWN = (
    *("ssim", "lineup_mean", "link_ncc", "link_hog", "link_lbp", "yunet"),
    *("source", "xdr", "adr", "fmr_pc", "fmr_pp", "rank1"),
)


def evaluate(  # noqa: PLR0917 - typer passes by keyword
    dataset: Dataset,
    root: Root,
    preset: Annotated[
        list[str] | None,
        typer.Option(help="What to measure; repeat it for more (default: persona)."),
    ] = None,
    surrogates: Annotated[
        list[str] | None,
        typer.Option(
            help="Recognisers to optimise against, with commas; a target is left out of its own "
            "(default: those that `protect` takes)."
        ),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(help="Recognisers that decide (default: all that are present)."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Most people to protect.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the results and of the cache.")
    ] = Path("veilface-evaluation"),
    seed: Annotated[int, typer.Option(help="Equal seeds give equal figures.")] = 0,
    adr: Annotated[
        bool, typer.Option(help="Protect the second photos too, which doubles the work.")
    ] = True,
    controls: Annotated[
        bool, typer.Option(help="Clean, blurred, ... images beside the presets.")
    ] = True,
    ten_fold: Annotated[bool, typer.Option(help="The set's own pairs on its clean photos.")] = True,
    draws: Annotated[
        int,
        typer.Option(
            min=1, help="Versions of the pictured faces; from 2 on the report shows their mean."
        ),
    ] = 1,
    jobs: Jobs = None,
    device: Device = "auto",
    json_output: JsonOutput = False,
) -> None:
    """Measure presets on a set of faces, each target left out of the optimisation.

    The folder of the results gets evaluation.json, table.csv and report.html, which holds
    photographs: do not publish it. Protected images are kept there, so that a run that was ended
    continues when the same command is run again.
    """
    with sentences(json_output=json_output):
        from veilface.cli.stages import make_stages
        from veilface.core.devices import resolve_device
        from veilface.datasets import load_faces
        from veilface.evaluation.evaluator import evaluate as measured

        place = resolve_device(device)
        faces = load_faces(dataset, root)
        with _to_be_continued(), make_stages() as stages:
            found = measured(
                faces,
                split_names(preset) or ["persona"],
                split_names(targets),
                split_names(surrogates),
                cache=output / "cache",
                limit=limit,
                seed=seed,
                adr=adr,
                controls=controls,
                ten_fold=ten_fold,
                draws=draws,
                jobs=jobs,
                device=place,
                progress=stages,
            )
        found = replace(found, command=shlex.join(["veilface", *sys.argv[1:]]))
        document = found.to_dict()
        _write(found, document, output)
    for name, sentence in found.failures.items():
        typer.echo(printable(f"note: {name} is left out: {sentence}"), err=True)
    if json_output:
        print_json(document)
        return
    typer.echo(_summary(document))
    typer.echo(f"\nwritten to {output}")


@contextlib.contextmanager
def _to_be_continued() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted: run the same command again to continue", err=True)
        raise typer.Exit(interrupted_status()) from None


def _write(found: Evaluation, document: Mapping[str, Any], folder: Path) -> None:
    """Write the documents, and the report where its packages are installed."""
    from veilface.core.files import write_atomic
    from veilface.errors import MissingExtraError
    from veilface.evaluation.results import to_csv

    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    write_atomic(folder / "evaluation.json", text.encode(), overwrite=True)
    write_atomic(folder / "table.csv", to_csv(document).encode(), overwrite=True)
    try:
        from veilface.evaluation.report.page import write_report
        from veilface.evaluation.report.sheets import write_published
    except MissingExtraError as error:
        typer.echo(f"note: no report.html: {error}", err=True)
    else:
        write_report(found, folder / "report.html")
        write_published(found.pictures, folder)


def _summary(document: Mapping[str, Any]) -> str:
    """A table a target, and the flags of what is under test."""
    from veilface.evaluation.table import MEASURES
    from veilface.measures.intervals import ENOUGH

    measures = {name: MEASURES[name] for name in _SHOWN}
    about = document["dataset"]
    lines = [
        f"{about['name']}: {about['people']} people, a gallery of {about['gallery']}; "
        "thresholds at FMR 0.001 of clean photos"
    ]
    for target in dict.fromkeys(row["target"] for row in document["rows"]):
        rows = [row for row in document["rows"] if row["target"] == target]
        cells = [["", *(measure.heading for measure in measures.values())]]
        for row in rows:
            shown = (
                _figure(row["measures"].get(name), measure.digits, enough=ENOUGH)
                for name, measure in measures.items()
            )
            cells.append([row["protector"], *shown])
        lines += [f"\n{target}", table(cells)]
        lines += [
            f"  flag: {row['protector']}: {flag}"
            for row in rows
            if row["kind"] == "preset"
            for flag in row["flags"]
        ]
    return "\n".join(lines)


def _figure(estimate: Mapping[str, Any] | None, digits: int, *, enough: int) -> str:
    """The figure; with its interval and what it was measured on where that is too little."""
    if estimate is None:
        return "-"
    value, low, high = (f"{estimate[key]:.{digits}f}" for key in ("value", "low", "high"))
    return value if estimate["n"] >= enough else f"{value} [{low}, {high}] of {estimate['n']}"
