"""`veilface inspect`: where does an image come from?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from veilface.cli.common import print_json, sentences
from veilface.cli.options import JsonOutput
from veilface.text import printable


def inspect(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An image.")],
    json_output: JsonOutput = False,
) -> None:
    """Print the provenance mark of an output: tool, version and preset.

    Exit status: 0 there is one, 1 there is none, 2 error. The mark is metadata: whoever wants to
    can remove it, so a missing one proves nothing.
    """
    with sentences(status=2, json_output=json_output):
        from veilface.imaging.decode import load_photo

        mark = load_photo(file).mark
    if json_output:
        print_json({"file": file, "mark": None if mark is None else asdict(mark)})
    elif mark is None:
        typer.echo(f"{printable(file)}: no mark of veilface")
    else:
        made = f"made by {mark.tool} {mark.version}, preset {mark.preset}"
        against = f", against {', '.join(mark.recognizers)}" if mark.recognizers else ""
        typer.echo(f"{printable(file)}: {made}{against}")
    raise typer.Exit(0 if mark is not None else 1)
