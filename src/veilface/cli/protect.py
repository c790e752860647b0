"""`veilface protect`: photos in, protected photos out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface._version import __version__
from veilface.cli.common import (
    USAGE,
    can_ask,
    interrupted_status,
    print_json,
    sentences,
    split_names,
)
from veilface.cli.options import Device, JsonOutput
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.cli.progress import LineReporter
    from veilface.imaging.provenance import Mark
    from veilface.pipeline.cover import Coverer
    from veilface.pipeline.making import Way
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
        str, typer.Option(help="What people will see: persona or paper.")
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
    cover: Annotated[
        str | None,
        typer.Option(
            metavar="box|blur|pixelate",
            help="Cover the faces of the whole photo instead; no recogniser is to match.",
        ),
    ] = None,
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
    device: Device = "auto",
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
    names: Annotated[
        str,
        typer.Option(help="source: outputs are called like their photos; neutral: like nothing."),
    ] = "source",
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Record of the run, which tells on people [default: beside the output folder].",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="What is passed over in folders counts as failed."),
    ] = False,
    accept_doubt: Annotated[
        bool,
        typer.Option(
            "--accept-doubt",
            help="Take damaged photos, and faces that may be elsewhere, for what they seem.",
        ),
    ] = False,
    engine: Annotated[
        str, typer.Option(help="process: this one; ray: workers on a Ray cluster.")
    ] = "process",
    address: Annotated[
        str | None,
        typer.Option(
            help="Of the Ray cluster; auto: this machine's [default: auto, or a new one]."
        ),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(min=1, help="Workers on the Ray cluster [default: as many as fit]."),
    ] = None,
    gpus_per_actor: Annotated[
        float, typer.Option(min=0.0, help="GPUs of a worker on the Ray cluster; may be 0.5.")
    ] = 0.0,
    json_output: JsonOutput = False,
) -> None:
    """Rewrite the faces of photos: people no longer see who it is, recognisers still match.

    Run the same command again to continue: what the manifest lists as done is skipped. It lies
    beside the output folder, since it holds the names and hashes of the photos.

    Exit status: 0 all done, 1 something failed, 2 wrong usage, 130 interrupted, 143 terminated.
    """
    if aligned and (paste or cover):
        option = "--paste" if paste else "--cover"
        typer.echo(
            f"error: {option} needs whole photos and --aligned says crops: use one", err=True
        )
        raise typer.Exit(USAGE)
    if key is not None and seed is not None:
        typer.echo(
            "error: --key keeps the randomness secret and --seed does not: use one", err=True
        )
        raise typer.Exit(USAGE)
    if engine == "process" and (address or actors or gpus_per_actor):
        typer.echo(
            "error: --address, --actors and --gpus-per-actor are about a Ray cluster: "
            "add --engine ray",
            err=True,
        )
        raise typer.Exit(USAGE)
    with sentences(json_output=json_output):
        from veilface.cli.progress import make_reporter
        from veilface.cli.ways import Place, a_way
        from veilface.pipeline.ensemble import coverage_note
        from veilface.pipeline.outputs import check_format, check_names
        from veilface.pipeline.run import Options, run_by

        place = Place(engine, address, actors, gpus_per_actor)
        check_format(form)
        check_names(names)
        options = Options(
            aligned=aligned,
            largest=largest,
            paste=paste or cover is not None,
            format=form,
            overwrite=overwrite,
            seed=seed,
            names=names,
            strict=strict,
        )
        make: Callable[[], Protector | Coverer]
        if cover is None:
            from veilface.core.keys import load_key
            from veilface.pipeline.protector import Protector

            make = partial(
                Protector,
                preset=preset,
                recognizers=split_names(recognizer),
                device=device,
                batch_size=batch_size,
                # Read here: workers elsewhere would each make a key of their own.
                key=None if key is None else load_key(key),
                accept_doubt=accept_doubt,
            )
        else:
            from veilface.pipeline.cover import Coverer

            make = partial(Coverer, cover, accept_doubt=accept_doubt)
        with a_way(make, place) as way:
            for note in (
                SEED_WARNING if seed is not None and cover is None else None,
                coverage_note(way.recognizers) if cover is None else None,
            ):
                if note:
                    typer.echo(note, err=True)
            with make_reporter(err=json_output) as reporter:
                summary = run_by(
                    way,
                    inputs,
                    output,
                    options,
                    manifest=manifest,
                    reporter=reporter,
                    again=_asker(reporter, yes=again),
                )
            _conclude(summary, output, json_output=json_output)
            if json_output:
                print_json(document(way, options, output, summary))
    if summary.interrupted:
        raise typer.Exit(interrupted_status())
    if not summary.ok:
        raise typer.Exit(1)


def _asker(reporter: LineReporter, *, yes: bool) -> Callable[[Path, Mark], bool]:
    def ask(path: Path, mark: Mark) -> bool:
        if yes or not can_ask():
            return yes
        reporter.pause()
        try:
            return typer.confirm(
                f"{printable(str(path))} was made by veilface already (preset {mark.preset}). "
                "Protect it again?",
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
    if summary.passed_over:
        counts += f", {len(summary.passed_over)} passed over"
    typer.echo(
        printable(f"{counts or 'nothing done'}; outputs in {output}, record in {summary.manifest}"),
        err=json_output,
    )
    if summary.interrupted:
        typer.echo("interrupted: run the same command again to continue", err=True)
    if summary.stopped:
        typer.echo(
            printable(f"stopped: {summary.stopped}; what is done is kept, ")
            + "run the same command again to continue",
            err=True,
        )


def document(way: Way, options: Options, output: Path, summary: Summary) -> dict[str, Any]:
    """What ``--json`` prints."""
    counts = {status: summary.count(status) for status in ("done", "skipped", "failed")}
    return {
        "version": __version__,
        "preset": way.method,
        "recognizers": list(way.recognizers),
        "device": way.device,
        "reproducible": options.seed is not None,
        "keyed": way.keyed,
        "output": str(output),
        "manifest": str(summary.manifest),
        "counts": {**counts, "passed_over": len(summary.passed_over)},
        "interrupted": summary.interrupted,
        "stopped": summary.stopped,
        "passed_over": [asdict(one) for one in summary.passed_over],
        "files": [record.to_dict() for record in summary.records],
    }
