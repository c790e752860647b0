"""`veilface recognizers calibrate`: thresholds of a recogniser from labelled faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from veilface.cli.common import print_json, sentences, table
from veilface.cli.options import Device, JsonOutput
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.recognizers.spec import Calibration, RecognizerSpec


def calibrate(  # noqa: PLR0917 - typer passes by keyword
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A recogniser, or onnx:path.onnx[,size=112,...].")
    ],
    root: Annotated[
        Path, typer.Option("--root", help="Folder of the data set: photos, or 112x112 crops.")
    ],
    dataset: Annotated[
        str, typer.Option(help="Data set of the pairs, see docs/datasets.md.")
    ] = "lfw",
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only about so many pairs, equally many of every fold."),
    ] = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Of the confidence intervals.")] = 0,
    json_output: JsonOutput = False,
) -> None:
    """Measure the thresholds of a recogniser on clean faces, and keep them.

    They are written to the cache folder (VEILFACE_CACHE) and used for recognisers that ship none,
    as long as weights and preprocessing stay the same. Thresholds at an FMR of 0.01 come from the
    pairs of the data set, lower rates from all pairs of different people, one image a person.
    """
    with sentences(json_output=json_output):
        from veilface.core.devices import resolve_device
        from veilface.datasets import load_pairs
        from veilface.evaluation.calibrate import calibrate as measure
        from veilface.evaluation.calibrate import embed_images, weak_rates
        from veilface.recognizers import calibrations
        from veilface.recognizers.registry import load_recognizer

        place = resolve_device(device)
        pairs = load_pairs(dataset, root)
        if limit is not None:
            pairs = pairs.limited(limit)
        recognizer = load_recognizer(name, device=str(place), differentiable=False)
        embeddings = embed_images(recognizer, pairs, progress=_tenths(), failed=_left_out)
        result = measure(embeddings, pairs, seed=seed)
        spec = recognizer.spec
        path = calibrations.save(spec, result, weights=_hashes(spec))
        weak = weak_rates(result)
    if json_output:
        print_json(
            {"recognizer": spec.name, "file": str(path), "calibration": result.to_dict()}
            | {"weak": {f"{rate:g}": matches for rate, matches in weak.items()}}
        )
        return
    typer.echo(_report(spec, result))
    for rate, matches in weak.items():
        typer.echo(
            f"note: FMR {rate:g} of {result.impostors[rate]:,} impostor pairs is {matches} "
            "matches, fewer than 30: its threshold is coarse",
            err=True,
        )
    typer.echo(f"written to {path}")
    if not calibrations.is_used(spec):
        typer.echo(f"{spec.name} ships its own calibration, which stays in use")


def _report(spec: RecognizerSpec, found: Calibration) -> str:
    rows = [("at", "threshold", "95 % interval", "impostor pairs")]
    for rate in sorted(found.thresholds, reverse=True):
        low, high = found.intervals[f"{rate:g}"]
        rows.append(
            (
                f"FMR {rate:g}",
                f"{found.thresholds[rate]:.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{found.impostors[rate]:,}",
            )
        )
    low, high = found.intervals["best"]
    rows.append(("best accuracy", f"{found.best:.4f}", f"{low:.4f} to {high:.4f}", ""))
    low, high = found.intervals["accuracy"]
    return "\n".join(
        [
            f"{spec.name} on {found.data}",
            f"  accuracy   {found.accuracy:.4f} ± {found.accuracy_std:.4f} over the folds "
            f"(95 % interval {low:.4f} to {high:.4f})",
            f"  impostors  {found.impostor_mean:.4f} ± {found.impostor_std:.4f}; "
            f"genuine pairs {found.genuine_mean:.4f}",
            table(rows),
        ]
    )


def _hashes(spec: RecognizerSpec) -> list[str]:
    from veilface.weights import store
    from veilface.weights.packages import sha256_of

    known = [file.sha256 for file in spec.source.files]
    if None not in known:
        return [sha256 for sha256 in known if sha256 is not None]
    return [sha256_of(path) for path in store.paths(spec)]


def _left_out(sentence: str) -> None:
    typer.echo(printable(f"note: an image is left out: {sentence}"), err=True)


def _tenths() -> Callable[[int, int], None]:
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // total
        if tenth > told:
            told = tenth
            typer.echo(f"{done:,} of {total:,} faces", err=True)

    return tell
