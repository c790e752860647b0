"""`veilface verify`: do two photos still match?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veilface.cli.common import USAGE, print_json, sentences, table

if TYPE_CHECKING:
    from veilface.types import Verification


def verify(  # noqa: PLR0917 - typer passes by keyword
    a: Annotated[str, typer.Argument(metavar="A", help="A photo.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another photo.")],
    recognizer: Annotated[
        str, typer.Option(help="Name of a recogniser, or all that are present.")
    ] = "all",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="Both are aligned 112x112 crops already.")
    ] = False,
    fmr: Annotated[float, typer.Option(help="False match rate of the threshold.")] = 1e-3,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """Compare the faces of two photos; of several faces the best pair counts.

    Exit status: 0 match, 1 no match, 2 error. With several recognisers 0 means that every one of
    them matches. A recogniser without thresholds gives a similarity and no decision; when no other
    one decides, the status is 2.

    A 112x112 output of veilface is taken as the aligned crop that it is.
    """
    with sentences(status=USAGE, json_output=json_output):
        from veilface.pipeline.verify import ALL, verify_all

        names = None if recognizer == ALL else [recognizer]
        results = verify_all(a, b, recognizers=names, aligned=aligned, fmr=fmr, device=device)
    decisions = [result.match for result in results if result.match is not None]
    match = all(decisions) if decisions else None
    if json_output:
        print_json(
            {"a": a, "b": b, "match": match, "results": [result.to_dict() for result in results]}
        )
    else:
        typer.echo("\n".join(_lines(a, b, results)))
    for result in results:
        if result.match is None:
            typer.echo(_uncalibrated(result, asked=recognizer), err=True)
    if match is None:
        raise typer.Exit(USAGE)
    raise typer.Exit(0 if match else 1)


def _lines(a: str, b: str, results: list[Verification]) -> list[str]:
    rows = [("recogniser", "similarity", "threshold", "FMR", "decision", "")]
    for result in results:
        rows.append(
            (
                result.recognizer,
                f"{result.score:.4f}",
                "-" if result.threshold is None else f"{result.threshold:.4f}",
                "-" if result.threshold is None else f"{result.fmr:g}",
                result.decision,
                _pair(result),
            )
        )
    return [f"{a} and {b}", table(rows)]


def _uncalibrated(result: Verification, *, asked: str) -> str:
    from veilface.recognizers.spec import how_to_calibrate

    return (
        f"{result.recognizer} has no thresholds, so its similarity decides nothing; "
        f"run: {how_to_calibrate(asked if asked.startswith('onnx:') else result.recognizer)}"
    )


def _pair(result: Verification) -> str:
    if result.faces == (1, 1):
        return ""
    first, second = result.faces
    return (
        f"best of {first * second} pairs: face {result.pair[0] + 1} of {first} in A, "
        f"face {result.pair[1] + 1} of {second} in B (largest first)"
    )
