"""`veilface verify`: do two photos still match?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veilface.cli.common import USAGE, print_json, sentences, split_names, table
from veilface.cli.options import Device, JsonOutput
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.types import Verification

NO_WITNESS = (
    "note: the image was made against every recogniser that was asked, so that their matches prove "
    "little; 'veilface recognizers fetch NAME' adds one that took no part"
)


def verify(  # noqa: PLR0917 - typer passes by keyword
    a: Annotated[str, typer.Argument(metavar="A", help="A photo.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another photo.")],
    recognizer: Annotated[
        str, typer.Option(help="Names of recognisers with commas, or all that are present.")
    ] = "all",
    rule: Annotated[
        str, typer.Option(help="Who has to match: majority, any or all of those that decide.")
    ] = "majority",
    aligned: Annotated[
        bool, typer.Option("--aligned", help="Both are aligned 112x112 crops already.")
    ] = False,
    fmr: Annotated[float, typer.Option(help="False match rate of the threshold.")] = 1e-3,
    device: Device = "auto",
    json_output: JsonOutput = False,
) -> None:
    """Compare the faces of two photos; of several faces the best pair counts.

    Exit status: 0 match, 1 no match, 2 error. Of several recognisers more than half have to match,
    or what --rule says. One without thresholds gives a similarity and no decision; when no other
    decides, the status is 2. One that took part in making an image says little about it and is
    marked, as far as the image tells.

    A 112x112 output of veilface is taken as the aligned crop that it is.
    """
    with sentences(status=USAGE, json_output=json_output):
        from veilface.errors import UnknownNameError
        from veilface.pipeline.verify import ALL, RULES, decide, surrogates_of, verify_all

        if rule not in RULES:
            raise UnknownNameError("rule", rule, RULES)
        names = None if recognizer == ALL else split_names([recognizer])
        results = verify_all(a, b, recognizers=names, aligned=aligned, fmr=fmr, device=device)
        match, made_with = decide(results, rule), surrogates_of(a, b)
    if json_output:
        listed = [result.to_dict() | _part(result, made_with) for result in results]
        print_json({"a": a, "b": b, "rule": rule, "match": match, "results": listed})
    else:
        typer.echo("\n".join(_lines(a, b, results, made_with)))
        if len(results) > 1:
            typer.echo(_together(results, rule, match=match))
        if made_with and all(result.recognizer in made_with for result in results):
            typer.echo(NO_WITNESS, err=True)
    for result in results:
        if result.match is None:
            typer.echo(_uncalibrated(result, asked=recognizer), err=True)
    if match is None:
        raise typer.Exit(USAGE)
    raise typer.Exit(0 if match else 1)


def _part(result: Verification, made_with: frozenset[str] | None) -> dict[str, bool | None]:
    return {"took_part": None if made_with is None else result.recognizer in made_with}


def _lines(
    a: str, b: str, results: list[Verification], made_with: frozenset[str] | None
) -> list[str]:
    rows = [("recogniser", "similarity", "threshold", "FMR", "decision", "", "")]
    for result in results:
        took_part = made_with is not None and result.recognizer in made_with
        rows.append(
            (
                result.recognizer,
                f"{result.score:.4f}",
                "-" if result.threshold is None else f"{result.threshold:.4f}",
                "-" if result.threshold is None else f"{result.fmr:g}",
                result.decision,
                "(the image was made against it)" if took_part else "",
                _pair(result),
            )
        )
    return [printable(f"{a} and {b}"), table(rows)]


def _together(results: list[Verification], rule: str, *, match: bool | None) -> str:
    votes = [result.match for result in results if result.match is not None]
    decision = "no decision" if match is None else "match" if match else "no match"
    return f"{sum(votes)} of {len(votes)} match; rule {rule}: {decision}"


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
