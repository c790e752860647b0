"""Options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonOutput = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Dataset = Annotated[str, typer.Option(help="Data set, see docs/datasets.md.")]
Root = Annotated[Path, typer.Option("--root", help="Its folder, or file.")]
Full = Annotated[
    bool,
    typer.Option(
        "--full",
        help="Attackers of the large run: networks at full width, 240 minutes each, unless named. "
        "Meant for an accelerator.",
    ),
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes on a CPU (default: one a core).")]
PairMinutes = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        help="Most minutes of protecting the pairs that an attack on a preset learns from, however "
        "many trainings there are [default: as --budget].",
    ),
]
