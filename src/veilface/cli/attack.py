"""`veilface attack`: what somebody gets out of protected faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface.cli.common import print_json, sentences, table
from veilface.cli.options import Full, PairMinutes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from veilface.attacks.curves import LearningCurve
    from veilface.attacks.run import Outcome
    from veilface.evaluation.attacking import Bench
    from veilface.measures.intervals import Estimate


def attack(  # noqa: PLR0917 - typer passes by keyword
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of an attack, see docs/attacks.md.")],
    protector: Annotated[str, typer.Option(help="What is attacked: a preset, method or control.")],
    dataset: Annotated[str, typer.Option(help="Data set of the people that are attacked.")],
    root: Annotated[Path, typer.Option("--root", "--dataset-root", help="Its folder, or file.")],
    faces: Annotated[
        Path | None,
        typer.Option(help="Folder of aligned photos of other people, for attacks that learn."),
    ] = None,
    pairs: Annotated[
        list[int] | None,
        typer.Option(
            min=20, help="Most of those photos to use; repeat it for a curve [default: all]."
        ),
    ] = None,
    pair_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Gradient evaluations of each pair that an attack learns from: fewer, longer "
            "ones make more pairs in the same minutes [default: those of the preset].",
        ),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Minutes of each training [default: 10].")
    ] = None,
    pair_minutes: PairMinutes = None,
    full: Full = False,
    versions: Annotated[
        int,
        typer.Option(min=1, help="Protections of each photo that the attacker has, and averages."),
    ] = 1,
    limit: Annotated[int, typer.Option(min=2, help="Most people.")] = 200,
    width: Annotated[
        float | None,
        typer.Option(help="Multiplies the channels of networks [default: 0.25, on a GPU 1]."),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Recogniser that decides who it is [default: mobilefacenet].")
    ] = None,
    recognizer: Annotated[
        str, typer.Option(help="Of which the attack 'embedding' inverts the embeddings.")
    ] = "sface",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the results and of the cache.")
    ] = Path("veilface-attack"),
    seed: Annotated[int, typer.Option(help="Equal seeds give equal figures.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes on a CPU [default: one a core].")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """Attack a protector, and measure how much of the photo and of the person comes back.

    The folder of the results gets NAME-PROTECTOR.json, NAME-PROTECTOR.png, which holds
    photographs: do not publish it, with several --pairs the learning curve
    NAME-PROTECTOR-curve.svg, and a folder NAME-PROTECTOR of what was recovered, which
    `veilface lineup make` takes as a condition. Trained networks and protected images are kept
    there, so that a run that was ended continues when the same command is run again, and one with
    a larger budget goes on from there; its controls are then learnt anew, in as many steps.
    """
    with sentences(json_output=json_output):
        from dataclasses import replace

        from veilface.attacks.base import Setting
        from veilface.attacks.curves import LearningCurve
        from veilface.attacks.means import Means
        from veilface.attacks.planted import CHEATS
        from veilface.attacks.registry import get_attack
        from veilface.attacks.run import run_attack
        from veilface.attacks.victim import Victim
        from veilface.cli.stages import make_stages
        from veilface.core.devices import resolve_device
        from veilface.datasets import load_faces
        from veilface.evaluation.attacking import JUDGE, make_bench
        from veilface.evaluation.image_sets import default_surrogates
        from veilface.jobs.cache import Job
        from veilface.training.images import load_images

        chosen, place, decides = get_attack(name), resolve_device(device), judge or JUDGE
        means = Means.of(place, full=full, minutes=budget, pair_minutes=pair_minutes, width=width)
        job = Job(protector)
        if not job.is_transform:
            ensemble = tuple(each for each in default_surrogates() if each != decides)
            job = Job(protector, ensemble)
        people = load_faces(dataset, root)
        counts: list[int | None] = [*sorted(set(pairs or ()))] or [None]
        if len(counts) > 1:
            # Whether it can be drawn is known before hours of training.
            import veilface.evaluation.report.curves  # noqa: F401
        if full:
            makes_pairs = chosen.control == "planted"
            trainings = len(counts) * (1 + len(CHEATS) * makes_pairs)
            # Of a preset; where fewer pairs are asked for, too, they are among the most.
            protections = int(makes_pairs and not job.is_transform)
            typer.echo(f"--full: {means.duration(trainings, protections)}", err=True)
        with make_stages() as stages:
            bench = make_bench(
                people,
                cache=output / "cache",
                judge=decides,
                limit=limit,
                seed=seed,
                device=place,
                progress=stages,
            )
            setting = Setting(
                victim=Victim(job, output / "cache", seed=seed, jobs=jobs, device=place),
                folder=output / "cache" / "networks",
                faces=None if faces is None else load_images(faces),
                pair_steps=pair_steps,
                minutes=means.minutes,
                pair_minutes=means.pair_minutes,
                width=means.width,
                recognizer=recognizer,
                seed=seed,
                device=place,
                progress=stages,
            )
            outcomes = [
                run_attack(
                    chosen,
                    replace(setting, pairs=count),
                    bench.faces,
                    bench.judge,
                    dataset=bench.name,
                    versions=versions,
                )
                for count in counts
            ]
        curve = LearningCurve.of(outcomes) if len(outcomes) > 1 else None
        document = _document(outcomes, curve)
        files = _write(outcomes, document, bench, output)
        if curve is not None:
            files.append(_draw(curve, outcomes[-1], output))
    if json_output:
        print_json(document | {"files": [str(path) for path in files]})
        return
    typer.echo(_summary(outcomes))
    if curve is not None:
        typer.echo(f"  {curve}")
    typer.echo(f"\nwritten: {', '.join(str(path) for path in files)}")


def _document(outcomes: Sequence[Outcome], curve: LearningCurve | None) -> dict[str, Any]:
    """The attack with the most pairs, and under it those with fewer."""
    if curve is None:
        return outcomes[-1].to_dict()
    fewer = [outcome.to_dict() for outcome in outcomes[:-1]]
    return outcomes[-1].to_dict() | {"with_fewer_pairs": fewer, "curve": curve.to_dict()}


def _write(
    outcomes: Sequence[Outcome], document: Mapping[str, Any], bench: Bench, folder: Path
) -> list[Path]:
    from veilface.core.files import write_atomic
    from veilface.evaluation.report.sheets import Sheet, Strip, draw_sheet
    from veilface.imaging.encode import encode
    from veilface.imaging.tensors import to_uint8
    from veilface.jobs.sets import make_folder
    from veilface.protectors.base import quantise

    found = outcomes[-1]
    stem = f"{found.attack}-{found.protector}"
    shown = slice(0, 8)
    sheet = Sheet(
        f"{found.attack} on {found.protector}",
        (
            Strip("original", bench.faces[shown], private=True),
            *(Strip(_label(each), each.images[shown], private=True) for each in outcomes),
        ),
    )
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    make_folder(folder)
    pixels = to_uint8(quantise(found.images))
    for record, image in zip(bench.records, pixels, strict=True):
        path = folder / stem / Path(record.name).with_suffix(".png")
        make_folder(path.parent)
        write_atomic(path, encode(image, format="png"), overwrite=True)
    write_atomic(folder / f"{stem}.json", text.encode(), overwrite=True)
    write_atomic(folder / f"{stem}.png", encode(draw_sheet(sheet), format="png"), overwrite=True)
    return [folder / f"{stem}.{suffix}" for suffix in ("json", "png")]


def _draw(curve: LearningCurve, found: Outcome, folder: Path) -> Path:
    from veilface.core.files import write_atomic
    from veilface.evaluation.report.curves import learning_curve
    from veilface.evaluation.report.plots import to_svg

    stem = f"{found.attack}-{found.protector}"
    title = f"{found.attack} on {found.protector}, {found.dataset}"
    path = folder / f"{stem}-curve.svg"
    write_atomic(path, to_svg(learning_curve(curve, title)), overwrite=True)
    return path


def _summary(outcomes: Sequence[Outcome]) -> str:
    from veilface.attacks.scores import SHOWN

    found = outcomes[-1]
    rows = [(_label(outcome), outcome.measures) for outcome in outcomes]
    cells = [["", *SHOWN.values()]]
    cells += [
        [label, *(_figure(measures, measure) for measure in SHOWN)]
        for label, measures in (*rows, ("knows nothing", found.null))
    ]
    return "\n".join(
        [
            f"{found.attack} ({found.level}) on {found.protector}, {found.dataset}: "
            f"{found.measures['ssim'].n} people, identity by {found.judge} at FMR 0.001",
            table(cells),
            *(f"  {sentence}" for sentence in found.verdict),
        ]
    )


def _label(outcome: Outcome) -> str:
    photos, steps = outcome.about.get("photos"), outcome.about.get("pair_steps")
    hasty = "" if steps is None else f", {steps} steps each"
    return "recovered" if photos is None else f"from {photos} photos{hasty}"


def _figure(measures: Mapping[str, Estimate], name: str) -> str:
    value: Any = measures.get(name)
    if value is None:
        return "-"
    digits = 2 if name == "psnr" else 3
    return f"{value.value:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]"
