"""The `veilface` command."""

from __future__ import annotations

from typing import Annotated

import typer

from veilface._version import __version__
from veilface.cli import (
    attack,
    calibrate,
    doctor,
    evaluate,
    gallery,
    inspect,
    lineup,
    protect,
    recognizers,
    reproduce,
    serve,
    train,
    verify,
)
from veilface.cli.common import log_shown, prepare_process

app = typer.Typer(
    name="veilface",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "People no longer see who it is, unmodified face recognisers still match. "
        "Protects against human viewing and pixel recovery, not against recognisers: the result "
        "stays linkable to its person by anyone who has a recogniser and another photo."
    ),
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"veilface {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="Tell on stderr what is computed where, cached and downloaded."
        ),
    ] = False,
) -> None:
    if verbose:
        context.with_resource(log_shown())


app.command("protect")(protect.protect)
app.command("verify")(verify.verify)
recognizers.app.command("calibrate")(calibrate.calibrate)
app.add_typer(recognizers.app, name="recognizers")
app.add_typer(gallery.app, name="gallery")
app.command("evaluate")(evaluate.evaluate)
app.command("attack")(attack.attack)
app.add_typer(lineup.app, name="lineup")
app.command("reproduce")(reproduce.reproduce)
app.command("train")(train.train)
app.command("inspect")(inspect.inspect)
app.add_typer(serve.app, name="serve")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command of this process."""
    prepare_process()
    app()
