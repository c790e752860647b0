"""`veilface train`: train a compared method, or the recogniser that reads what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from veilface.cli.common import print_json, sentences, table


def train(  # noqa: PLR0917 - typer passes by keyword
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="What to train; without it, a list.")
    ] = None,
    faces: Annotated[
        Path | None, typer.Option(help="Folder of aligned 112x112 faces of anybody.")
    ] = None,
    identities: Annotated[
        Path | None, typer.Option(help="Folder with one folder of aligned faces a person.")
    ] = None,
    native: Annotated[
        bool, typer.Option("--native", help="Train the recogniser of what NAME sends instead.")
    ] = False,
    minutes: Annotated[
        float, typer.Option(min=0.0, help="Budget over all calls: a run that was ended goes on.")
    ] = 60.0,
    width: Annotated[
        float | None, typer.Option(help="Multiplier of the networks' channels [default: 1].")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="Images of a step [default: the authors' number].")
    ] = None,
    every: Annotated[
        int, typer.Option(min=1, help="Steps between two validations and checkpoints.")
    ] = 100,
    seed: Annotated[int, typer.Option(help="Equal seeds and steps give equal weights.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """Train a method of others that needs it, or a recogniser that reads what a method sends.

    Weights, checkpoint and curve of losses are kept in the cache folder (VEILFACE_CACHE), below
    "trained". Training sets are photographs of real people: see docs/training.md.
    """
    with sentences(json_output=json_output):
        from veilface.core.devices import resolve_device
        from veilface.protectors.native import native_name
        from veilface.protectors.trainers import TRAINERS, conduct
        from veilface.training.loop import Budget

        if name is None:
            typer.echo(table([("NAME", "what"), *((n, t.summary) for n, t in TRAINERS.items())]))
            return
        outcome, path = conduct(
            native_name(name) if native else name,
            faces=faces,
            identities=identities,
            width=width,
            batch=batch,
            seed=seed,
            budget=Budget(minutes, every=every),
            device=resolve_device(device),
            progress=_line,
        )
    if json_output:
        print_json({"name": name, "weights": str(path), "outcome": dict(outcome.losses)})
        return
    typer.echo(
        f"{outcome.steps} steps in {outcome.seconds / 60:.1f} minutes, ended by {outcome.reason}; "
        f"written: {path}"
    )


def _line(found: Mapping[str, Any]) -> None:
    losses = " ".join(f"{name} {value:.4f}" for name, value in found["validation"].items())
    typer.echo(
        f"step {found['step']}, {found['seconds'] / 60:.1f} min: training "
        f"{found['train']['loss']:.4f}, validation {losses}",
        err=True,
    )
