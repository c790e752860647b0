"""`veilface doctor`: what works on this machine, and what does not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from veilface.cli.common import print_json, sentences
from veilface.cli.options import JsonOutput


def doctor(
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Protect a drawn face as well, which takes longer.")
    ] = False,
    json_output: JsonOutput = False,
) -> None:
    """Check versions, devices, recognisers and tools.

    Exit status: 0 all that is needed works, 1 something failed. What is optional may be absent.
    """
    with sentences(json_output=json_output):
        from veilface.pipeline.selftest import examine

        checks = []
        group = ""
        for check in examine(self_test=self_test):
            checks.append(check)
            if json_output:
                continue
            if check.group != group:
                group = check.group
                typer.echo(group)
            typer.echo(f"  {check.status:7} {check.name}: {check.detail}")
    ok = all(check.status != "failed" for check in checks)
    if json_output:
        print_json({"ok": ok, "checks": [asdict(check) for check in checks]})
    else:
        typer.echo("everything needed works" if ok else "something needed does not work, see above")
    raise typer.Exit(0 if ok else 1)
