"""`veilface reproduce`: a table or figure of the paper, the published values beside ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface.cli.common import print_json, sentences, split_names, table
from veilface.cli.options import Device, Full, Jobs, JsonOutput, PairMinutes

if TYPE_CHECKING:
    from veilface.evaluation.report.sheets import Sheet
    from veilface.paper.comparison import Comparison
    from veilface.protectors.veil.presets import Preset


def reproduce(  # noqa: PLR0917 - typer passes by keyword
    experiments: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="table1 to table6, figure3, figure4 and figure5."),
    ],
    dataset_root: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=DIR",
            help="A data set and its folder, such as lfw=LFW; repeat it for more.",
        ),
    ],
    preset: Annotated[
        list[str] | None,
        typer.Option(help="Version of our method; repeat it for more [default: all that apply]."),
    ] = None,
    recognizer: Annotated[
        list[str] | None,
        typer.Option(
            help="Recognisers, with commas: each is a target of images made against the others; "
            "attackers get those made against the default ones among them but the judge "
            "[default: all verified ones that are present]."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Most people of each set.")] = None,
    preset_limit: Annotated[
        int | None,
        typer.Option(help="Most people for our presets, which take longest [default: --limit]."),
    ] = None,
    faces: Annotated[
        Path | None,
        typer.Option(
            help="table3, figure5, table6: folder of aligned photos that attackers learn from."
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(min=20, help="Most of those photos to use [default: all]."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="table3, figure5, table6: minutes of each training [default: 10]."),
    ] = None,
    pair_minutes: PairMinutes = None,
    full: Full = False,
    native_pairs: Annotated[
        int,
        typer.Option(
            min=20, help="table2: about so many of LFW's pairs for the methods' own recognisers."
        ),
    ] = 1000,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the results and of the cache.")
    ] = Path("veilface-evaluation"),
    seed: Annotated[int, typer.Option(help="Equal seeds give equal figures.")] = 0,
    jobs: Jobs = None,
    device: Device = "auto",
    json_output: JsonOutput = False,
) -> None:
    """Make tables and figures of the paper from our measurements.

    A table is printed and written as JSON, CSV and Markdown; a figure as NAME.png, with
    photographs, and NAME-protected.png, without. A method that has to be trained first stands in
    its place as "not trained" until `veilface train` has run. Protected images are kept in the
    output folder, so that a run that was ended continues, and that other tables find them.
    """
    with sentences(json_output=json_output):
        from veilface.attacks.means import Means
        from veilface.cli.stages import make_stages
        from veilface.core.devices import resolve_device
        from veilface.datasets import load_faces
        from veilface.evaluation.image_sets import default_recognizers
        from veilface.evaluation.report.sheets import Sheet
        from veilface.paper.conduct import make_study
        from veilface.paper.registry import get_experiment
        from veilface.training.completion import completed
        from veilface.training.images import load_images

        roots = _roots(dataset_root)
        chosen = {name: get_experiment(name, roots) for name in experiments}
        sets = {name: load_faces(name, root) for name, root in roots.items()}
        # Once, and not for the setting of every method.
        others = None if faces is None else completed(load_images(faces))
        place = resolve_device(device)
        means = Means.of(place, full=full, minutes=budget, pair_minutes=pair_minutes)
        documents: list[dict[str, Any]] = []
        for name, experiment in chosen.items():
            with make_stages() as stages:
                study = make_study(
                    sets,
                    split_names(recognizer) or default_recognizers(),
                    _presets(split_names(preset) or experiment.presets),
                    cache=output / "cache",
                    limit=limit,
                    preset_limit=preset_limit,
                    seed=seed,
                    jobs=jobs,
                    device=place,
                    progress=stages,
                    learn_from=others,
                    pairs=pairs,
                    means=means,
                    native_pairs=native_pairs,
                )
                if full:
                    typer.echo(
                        f"{name} --full: {means.duration(study.trainings, len(study.presets))}",
                        err=True,
                    )
                made = experiment.run(study)
            if isinstance(made, Sheet):
                files, document = _write_figure(name, made, output), {"experiment": name}
            else:
                files, document = _write_table(name, made, output), made.to_dict()
            documents.append(document | {"files": [str(path) for path in files]})
            if not json_output:
                if not isinstance(made, Sheet):
                    typer.echo("\n".join([made.title, table(made.cells()), *made.notes]))
                typer.echo(f"written: {', '.join(str(path) for path in files)}")
    if json_output:
        print_json(documents[0] if len(documents) == 1 else {"experiments": documents})


def _roots(values: Sequence[str]) -> Mapping[str, Path]:
    named = [value.partition("=") for value in values]
    for name, equals, root in named:
        if not (name and equals and root):
            raise typer.BadParameter(
                f"'{name}' is not NAME=DIR, such as lfw=LFW", param_hint="--dataset-root"
            )
    return {name: Path(root) for name, _, root in named}


def _presets(names: Sequence[str]) -> list[Preset]:
    from veilface.errors import UnknownNameError
    from veilface.protectors.veil.presets import PRESETS

    for name in names:
        if name not in PRESETS:
            raise UnknownNameError("preset", name, PRESETS)
    return [PRESETS[name] for name in names]


def _write_table(name: str, made: Comparison, folder: Path) -> list[Path]:
    text = {
        "json": json.dumps(made.to_dict(), ensure_ascii=False, allow_nan=False),
        "csv": made.to_csv(),
        "md": made.to_markdown(),
    }
    return _write({f"{name}.{suffix}": part.encode() for suffix, part in text.items()}, folder)


def _write_figure(name: str, made: Sheet, folder: Path) -> list[Path]:
    from veilface.evaluation.report.sheets import draw_sheet
    from veilface.imaging.encode import encode

    sheets = {f"{name}.png": made, f"{name}-protected.png": made.publishable}
    return _write(
        {file: encode(draw_sheet(sheet), format="png") for file, sheet in sheets.items()}, folder
    )


def _write(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    from veilface.core.files import write_atomic

    for name, data in files.items():
        write_atomic(folder / name, data, overwrite=True)
    return [folder / name for name in files]
