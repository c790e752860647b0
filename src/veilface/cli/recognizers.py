"""`veilface recognizers`: which there are, where they come from, and how to get them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface.cli.common import print_json, sentences, table

if TYPE_CHECKING:
    from veilface.recognizers.spec import RecognizerSpec
    from veilface.weights.downloads import Plan
    from veilface.weights.spec import Fetchable

app = typer.Typer(
    help="List, describe and fetch recognisers.",
    invoke_without_command=True,
    no_args_is_help=False,
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.callback()
def _without_command(context: typer.Context, json_output: JsonOption = False) -> None:
    """List, describe and fetch recognisers; without a command, list them."""
    if context.invoked_subcommand is None:
        list_recognizers(json_output=json_output)


@app.command("list")
def list_recognizers(json_output: JsonOption = False) -> None:
    """List the recognisers: present or not, accuracy, source and licence."""
    with sentences(json_output=json_output):
        from veilface.recognizers.registry import RECOGNIZERS, available, get_spec

        present = set(available())
        specs = [get_spec(name) for name in RECOGNIZERS]  # with the user's calibrations
    if json_output:
        entries = [_entry(spec, present=spec.name in present) for spec in specs]
        print_json({"recognizers": entries})
        return
    rows = [
        (
            "name", "family", "present", "verified", "LFW", "threshold", "size", "source",
            "licence as stated",
        )
    ]  # fmt: skip
    for spec in specs:
        rows.append(
            (
                spec.name,
                spec.family,
                "yes" if spec.name in present else "no",
                "yes" if spec.verified else "no",
                "-" if spec.calibration is None else f"{spec.calibration.accuracy:.4f}",
                "-" if spec.calibration is None else f"{spec.threshold(1e-3):.4f}",
                f"{spec.source.size / 1e6:.1f} MB",
                str(spec.source),
                spec.licence,
            )
        )
    typer.echo(table(rows, indent=""))
    typer.echo(
        "verified: compared with its reference runtime and scored on LFW\n"
        "threshold: cosine that a match must exceed at a false match rate of 0.001"
    )


@app.command("info")
def info(
    name: Annotated[str, typer.Argument(metavar="NAME")], json_output: JsonOption = False
) -> None:
    """Describe one recogniser: network, origin, licence, hashes, thresholds."""
    with sentences(json_output=json_output):
        from veilface.recognizers.registry import available, get_spec

        spec = get_spec(name)
        present = bool(available([name]))
    if json_output:
        print_json(_entry(spec, present=present))
    else:
        typer.echo(_description(spec, present=present))


@app.command("fetch")
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Accept the printed terms without a question.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be downloaded.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Take weights from where they are published, and check their sha256.

    Besides the recognisers there are facemesh and emotion, with which `veilface evaluate` measures
    how much of a face is still visible.

    The terms are printed first. On a terminal they have to be accepted (or --yes); without one
    the command goes on after printing them.
    """
    with sentences(json_output=json_output):
        from veilface.measures.human.catalogue import fetchable
        from veilface.weights import store
        from veilface.weights.downloads import plan

        fetched = []
        specs = [fetchable(name) for name in dict.fromkeys(names)]
        if dry_run:
            _show_plans([plan(spec) for spec in specs], json_output=json_output)
            return
        for spec in specs:
            if not store.present(spec):
                typer.echo(_terms(spec), err=True)
                if not (yes or _accepted(spec)):
                    typer.echo(f"{spec.name}: not fetched", err=True)
                    raise typer.Exit(1)
            # Also when it is present: the hash is checked, and a damaged file replaced.
            paths = store.fetch(spec)
            fetched.append({"name": spec.name, "files": [str(path) for path in paths]})
            typer.echo(f"{spec.name}: {_state(spec)}", err=json_output)
    if json_output:
        print_json({"fetched": fetched})


def _show_plans(plans: list[Plan], *, json_output: bool) -> None:
    needed = [one for one in plans if one.needed]
    total = sum(one.size for one in needed)
    if json_output:
        print_json({"plan": [one.to_dict() for one in plans], "bytes": total})
        return
    for one in plans:
        if not one.needed:
            typer.echo(f"{one.name}: nothing to download")
            continue
        typer.echo(f"{one.name}: about {one.size / 1e6:.1f} MB from {one.source} to {one.folder}")
        typer.echo("\n".join(f"  {file}" for file in one.files))
    typer.echo(f"together about {total / 1e6:.1f} MB; nothing was downloaded")


def on_terminal() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty()


def _state(spec: Fetchable) -> str:
    if spec.verified:
        return "present and verified"
    return "present, sha256 as recorded; this network was never run here with these weights"


def _accepted(spec: Fetchable) -> bool:
    if not on_terminal():
        return True
    return typer.confirm(f"Fetch {spec.name} under these terms?", err=True)


def _terms(spec: Fetchable) -> str:
    research = " The weights, or the images behind them, may be for research only." * (
        spec.research_only
    )
    return (
        f"{spec.name}: {spec.source.size / 1e6:.1f} MB from {spec.source}\n"
        f"  licence as stated: {spec.licence}.{research}\n"
        f"  training set: {spec.training_set}\n"
        "  veilface does not own these weights and cannot license them to you."
    )


def _entry(spec: RecognizerSpec, *, present: bool) -> dict[str, Any]:
    return {"present": present, **spec.to_dict()}


def _description(spec: RecognizerSpec, *, present: bool) -> str:
    lines = [
        spec.name,
        f"  present       {'yes' if present else 'no'}",
        f"  family        {spec.family}",
        f"  architecture  {spec.architecture}; {spec.parameters / 1e6:.1f} M parameters, "
        + (f"{spec.macs / 1e6:.0f} M multiply-adds, " if spec.macs else "")
        + f"{spec.dim} values",
        f"  trained on    {spec.training_set}; loss {spec.loss}",
        f"  source        {spec.source}",
        *(
            f"  file          {file.member} ({file.sha256 or 'hash recorded at the first fetch'})"
            for file in spec.source.files
        ),
        f"  licence       {spec.licence}"
        + ("; research only, or not stated otherwise" if spec.research_only else ""),
        f"  verified      {'yes' if spec.verified else 'no: never run with its public weights'}",
        *_calibration(spec),
    ]
    if spec.notes:
        lines.append(f"  notes         {spec.notes}")
    return "\n".join(lines)


def _calibration(spec: RecognizerSpec) -> list[str]:
    from veilface.recognizers.spec import how_to_calibrate

    found = spec.calibration
    if found is None:
        return [f"  calibration   none; run: {how_to_calibrate(spec.name)}"]
    thresholds = ", ".join(f"{spec.threshold(fmr):.4f} at FMR {fmr:g}" for fmr in spec.fmrs)
    return [
        f"  accuracy      {found.accuracy:.4f} ± {found.accuracy_std:.4f} on {found.data}"
        + (f", {found.date}" if found.date else ""),
        f"  thresholds    {thresholds}; {found.best:.4f} for the best accuracy",
        f"  impostors     {found.impostor_mean:.3f} ± {found.impostor_std:.3f}",
    ]
