"""`veilface lineup`: ask people whom they see, and score what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from veilface.cli.common import print_json, sentences, split_names, table
from veilface.cli.options import Dataset, Device, Jobs, Root

if TYPE_CHECKING:
    from veilface.evaluation.asking.score import ConditionScore, Score
    from veilface.measures.intervals import Estimate

app = typer.Typer(help="Ask people whom they see in protected images.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("make")
def make(  # noqa: PLR0917 - typer passes by keyword
    dataset: Dataset,
    root: Root,
    condition: Annotated[
        list[str],
        typer.Option(
            metavar="[LABEL=]WHAT",
            help="What is shown: a preset or control by name, a folder of images made elsewhere, "
            "or unmask:LABEL. Repeat it for each.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New folder of the line-ups and their key.")
    ],
    people: Annotated[
        int, typer.Option(min=1, help="People to ask about, a multiple of the conditions.")
    ] = 20,
    viewers: Annotated[int, typer.Option(min=1, help="Who will be asked.")] = 6,
    task: Annotated[
        Literal["pick", "name"],
        typer.Option(help="Pick the source out of ten, or say who it is (famous people)."),
    ] = "pick",
    surrogates: Annotated[
        list[str] | None,
        typer.Option(
            help="Recognisers to optimise against, with commas (default: all that are present)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal line-ups.")] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder of protected images, such as the cache of an evaluation with this seed "
            "(default: a folder in the output)."
        ),
    ] = None,
    jobs: Jobs = None,
    device: Device = "auto",
) -> None:
    """Write what each viewer gets: a page, sheets, and a table to fill in.

    Viewer K gets the folder viewer-K and nothing else. key.json says who is shown where: keep it
    from viewers. All of it holds research photographs: do not publish it.
    """
    with sentences():
        from functools import partial

        from veilface.cli.stages import make_stages
        from veilface.core.devices import resolve_device
        from veilface.datasets import load_faces
        from veilface.evaluation.asking.conditions import ImageFolder, parse_conditions
        from veilface.evaluation.asking.design import design
        from veilface.evaluation.asking.images import images_of
        from veilface.evaluation.asking.make import check_new, write_lineups
        from veilface.evaluation.asking.material import choose_material
        from veilface.evaluation.image_sets import default_surrogates

        chosen = parse_conditions(condition)
        check_new(output)
        # Says now what an hour of protecting would lead to.
        design(people, len(chosen), viewers, candidates=0, seed=seed)
        place = resolve_device(device)
        faces = load_faces(dataset, root)
        folders = {one.folder for one in chosen if one.folder is not None}
        with make_stages() as stages:
            material = choose_material(
                faces,
                people,
                task=task,
                folders=[ImageFolder(folder) for folder in sorted(folders)],
                seed=seed,
                progress=partial(stages, "reading"),
            )
            images = {
                one: images_of(
                    one,
                    material,
                    split_names(surrogates) or default_surrogates(),
                    seed=seed,
                    cache=cache or output / "cache",
                    jobs=jobs,
                    device=place,
                    progress=partial(stages, f"protecting for {one.label}"),
                )
                for one in chosen
            }
        write_lineups(material, images, viewers=viewers, seed=seed, folder=output)
    each = people // len(chosen)
    typer.echo(
        f"{faces.name}: {people} people, {viewers} viewers, {each} cases of each of "
        f"{len(chosen)} conditions a viewer, {each * viewers} answers a condition\n"
        f"hand out: {output}/viewer-1 to viewer-{viewers}; keep: {output}/key.json\n"
        f"then: veilface lineup score {output}"
    )


@app.command("score")
def score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What make has written.")],
    json_output: JsonOption = False,
) -> None:
    """Score the answers in DIR and in its viewers' folders; also writes DIR/score.json."""
    with sentences(json_output=json_output):
        from veilface.core.files import write_atomic
        from veilface.evaluation.asking import score as scoring
        from veilface.evaluation.asking.answers import read_answers
        from veilface.evaluation.asking.key import read_key

        key = read_key(folder)
        found = scoring.score(key, read_answers(folder, key))
        document = found.to_dict()
        text = json.dumps(document, indent=1, ensure_ascii=False)
        write_atomic(folder / "score.json", text.encode(), overwrite=True)
    if json_output:
        print_json(document)
        return
    typer.echo(_shown(found))


def _shown(found: Score) -> str:
    what = "picked" if found.task == "pick" else "named"
    head = ["", what, "95 %", "answers", "people", "sure if right", "sure if wrong", "agree"]
    rows = [head, *(_line(one) for one in found.conditions)]
    lines = [table(rows, indent="")]
    if found.chance is not None:
        lines.append(f"chance: {found.chance:.2f}; * a control")
    each = ", ".join(f"{viewer}: {share.value:.2f}" for viewer, share in found.viewers.items())
    lines.append(f"right answers of viewer {each}")
    if found.everybody:
        lines.append(f"recognised by everybody: {', '.join(found.everybody)}")
    if found.waiting:
        lines.append(f"no answers yet of viewer {', '.join(map(str, found.waiting))}")
    return "\n".join(lines)


def _line(one: ConditionScore) -> list[str]:
    return [
        one.label + (" *" if one.is_control else ""),
        f"{one.right.value:.2f}",
        _interval(one.right),
        str(one.right.n),
        str(one.people),
        _percent(one.sure_right),
        _percent(one.sure_wrong),
        "-" if one.agreement is None else f"{one.agreement.value:.2f} {_interval(one.agreement)}",
    ]


def _interval(estimate: Estimate) -> str:
    return f"[{estimate.low:.2f}, {estimate.high:.2f}]"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
