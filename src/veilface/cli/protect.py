"""`veilface protect`: photos in, protected photos out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface._version import __version__
from veilface.cli.common import INTERRUPTED, USAGE, can_ask, print_json, sentences, split_names

if TYPE_CHECKING:
    from veilface.cli.progress import LineReporter
    from veilface.imaging.provenance import Mark
    from veilface.pipeline.protector import Protector
    from veilface.pipeline.run import Options, Summary

SEED_WARNING = (
    "warning: --seed makes the output reproducible and therefore weaker: who has the photo and "
    "the seed can make it again. Leave it out except for tests."
)


def protect(  # noqa: PLR0917 - typer passes by keyword
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, folders (recursive), globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the outputs.")],
    preset: Annotated[
        str, typer.Option(help="What people will see: persona, hidden or paper.")
    ] = "persona",
    recognizer: Annotated[
        list[str] | None,
        typer.Option(
            help="Recogniser that has to match; repeat it for more [default: all present]."
        ),
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="Inputs are aligned 112x112 crops already.")
    ] = False,
    largest: Annotated[
        bool,
        typer.Option("--largest", help="Only the largest face; others stay visible in --paste."),
    ] = False,
    paste: Annotated[
        bool, typer.Option("--paste", help="Write the whole photo with its faces replaced.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help="png or jpeg.")] = "png",
    seed: Annotated[
        int | None, typer.Option(help="For tests: makes the output reproducible, and weaker.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Secret key, made on first use: the same photo gives the same output.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="Most faces at once.")] = 8,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace outputs that exist (what is done already is still skipped).",
        ),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Protect outputs of veilface again without asking.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """Rewrite the faces of photos: people no longer see who it is, recognisers still match.

    Run the same command again to continue: what the manifest in the output folder lists as done
    is skipped. Exit status: 0 all done, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    if aligned and paste:
        typer.echo("error: --paste needs whole photos and --aligned says crops: use one", err=True)
        raise typer.Exit(USAGE)
    if key is not None and seed is not None:
        typer.echo(
            "error: --key keeps the randomness secret and --seed does not: use one", err=True
        )
        raise typer.Exit(USAGE)
    with sentences(json_output=json_output):
        from veilface.cli.progress import make_reporter
        from veilface.pipeline.ensemble import coverage_note
        from veilface.pipeline.outputs import check_format
        from veilface.pipeline.protector import Protector
        from veilface.pipeline.run import Options, run

        check_format(form)
        options = Options(
            aligned=aligned,
            largest=largest,
            paste=paste,
            format=form,
            overwrite=overwrite,
            seed=seed,
        )
        protector = Protector(
            preset=preset,
            recognizers=split_names(recognizer),
            device=device,
            batch_size=batch_size,
            key=key,
        )
        for note in (
            SEED_WARNING if seed is not None else None,
            coverage_note(protector.recognizers),
        ):
            if note:
                typer.echo(note, err=True)
        with make_reporter(err=json_output) as reporter:
            summary = run(
                protector,
                inputs,
                output,
                options,
                reporter=reporter,
                again=_asker(reporter, yes=again),
            )
        _conclude(summary, output, json_output=json_output)
        if json_output:
            print_json(document(protector, options, output, summary))
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not summary.ok:
        raise typer.Exit(1)


def _asker(reporter: LineReporter, *, yes: bool) -> Callable[[Path, Mark], bool]:
    def ask(path: Path, mark: Mark) -> bool:
        if yes or not can_ask():
            return yes
        reporter.pause()
        try:
            return typer.confirm(
                f"{path} was made by veilface already (preset {mark.preset}). Protect it again?",
                err=True,
            )
        finally:
            reporter.resume()

    return ask


def _conclude(summary: Summary, output: Path, *, json_output: bool) -> None:
    counts = ", ".join(
        f"{number} {status}"
        for status in ("done", "skipped", "failed")
        if (number := summary.count(status))
    )
    typer.echo(f"{counts or 'nothing done'}; outputs in {output}", err=json_output)
    if summary.interrupted:
        typer.echo("interrupted: run the same command again to continue", err=True)
    if summary.stopped:
        typer.echo(
            f"stopped: {summary.stopped}; what is done is kept, "
            "run the same command again to continue",
            err=True,
        )


def document(
    protector: Protector, options: Options, output: Path, summary: Summary
) -> dict[str, Any]:
    """What ``--json`` prints."""
    from veilface.pipeline.manifest import NAME

    return {
        "version": __version__,
        "preset": protector.preset.name,
        "recognizers": list(protector.recognizers),
        "device": str(protector.engine.device),
        "reproducible": options.seed is not None,
        "keyed": protector.keyed,
        "output": str(output),
        "manifest": str(output / NAME),
        "counts": {status: summary.count(status) for status in ("done", "skipped", "failed")},
        "interrupted": summary.interrupted,
        "stopped": summary.stopped,
        "files": [record.to_dict() for record in summary.records],
    }
