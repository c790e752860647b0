"""Line-ups on disk: a folder a viewer, and the key apart from them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from veilface.core.files import write_atomic
from veilface.errors import AnswersError, ShapeError
from veilface.evaluation.asking.conditions import Condition
from veilface.evaluation.asking.design import Showing, design
from veilface.evaluation.asking.key import KEY, Case, Key, Task
from veilface.evaluation.asking.material import Material
from veilface.evaluation.asking.page import CONSENT, render_page
from veilface.evaluation.asking.panels import CASES, Panel, draw_panels, make_panel
from veilface.imaging.encode import encode
from veilface.jobs.sets import make_folder

_HOW = {
    "pick": "Each case shows a large picture and ten photographs. One of the ten is of the person "
    "from whom the large picture was made. Write its number (1 to 10) behind the number of the "
    "case in the column pick. Always pick one, also when you have to guess.",
    "name": "Each case shows one picture. If you know whom it shows, write the name behind the "
    "number of the case in the column name; leave it empty if you do not.",
}


def check_new(folder: Path) -> None:
    """Refuse a folder that holds line-ups: answers would no longer fit them.

    Raises:
        AnswersError: There is a key in it.
    """
    if (folder / KEY).exists():
        raise AnswersError(
            f"{folder} holds line-ups already, and answers to them would no longer fit; "
            "choose another folder"
        )


def write_lineups(
    material: Material,
    images: Mapping[Condition, Tensor],
    *,
    viewers: int,
    seed: int,
    folder: Path,
) -> Key:
    """Write what each viewer gets, then the key.

    Args:
        material: Whom to ask about.
        images: By condition (N, 3, 112, 112) images of the sources in [0, 1].
        viewers: How many; see `veilface.evaluation.asking.design`.
        seed: Of all orders and places.
        folder: Gets ``key.json``, and for each viewer ``viewer-K`` with the page, the sheets, and a
            table to fill in for who works with the sheets.

    Raises:
        ShapeError: The design cannot be balanced, or an image is missing.
        AnswersError: The folder holds line-ups already.
        ImageError: A file cannot be written.
    """
    check_new(folder)
    for condition, stack in images.items():
        if stack.shape != material.faces.shape:
            raise ShapeError(f"{condition.label} has {tuple(stack.shape)} images")
    designed = design(
        len(material.sources),
        len(images),
        viewers,
        candidates=material.chosen.shape[1],
        seed=seed,
    )
    cases: dict[int, tuple[Case, ...]] = {}
    studies: dict[int, str] = {}
    for viewer, showings in enumerate(designed, start=1):
        conditions = list(images)
        cases[viewer] = tuple(
            _case(number, one, material, conditions[one.condition].label)
            for number, one in enumerate(showings, start=1)
        )
        panels = [
            _panel(number, one, material, images[conditions[one.condition]])
            for number, one in enumerate(showings, start=1)
        ]
        studies[viewer] = _digest(panels)
        _write_viewer(folder / f"viewer-{viewer}", viewer, panels, studies[viewer], material.task)
    kinds = {condition.label: condition.is_control for condition in images}
    key = Key(material.task, material.dataset, seed, kinds, cases, studies)
    write_atomic(folder / KEY, key.to_json().encode())
    return key


def _case(number: int, one: Showing, material: Material, label: str) -> Case:
    source = material.sources[one.person]
    numbers = material.chosen[one.person].tolist()
    candidates = tuple(material.gallery[numbers[place]].name for place in one.order)
    return Case(number, source.identity or "", source.name, label, candidates)


def _panel(number: int, one: Showing, material: Material, images: Tensor) -> Panel:
    photos = material.photos[material.chosen[one.person]]
    return make_panel(number, images[one.person], photos[list(one.order)])


def _digest(panels: Sequence[Panel]) -> str:
    """Of the pixels alone: it says nothing about the key that the pictures do not say."""
    digest = hashlib.sha256()
    for panel in panels:
        for image in (panel.face, *panel.candidates):
            digest.update(image.tobytes())
    return digest.hexdigest()[:16]


def _write_viewer(
    folder: Path, viewer: int, panels: Sequence[Panel], study: str, task: Task
) -> None:
    make_folder(folder)
    page = render_page(panels, viewer=viewer, study=study, task=task)
    files = {"lineup.html": page.encode()}
    starts = range(0, len(panels), CASES)
    for sheet, start in enumerate(starts, start=1):
        title = f"Viewer {viewer}, sheet {sheet} of {len(starts)}"
        drawn = draw_panels(panels[start : start + CASES], task=task, title=title)
        files[f"sheet-{sheet}.png"] = encode(drawn, format="png")
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("case", task, "confidence"))
    writer.writerows((panel.number, "", "") for panel in panels)
    files[f"answers-{viewer}.csv"] = table.getvalue().encode()
    files["instructions.txt"] = (
        f"{CONSENT}\n\nEither open lineup.html in a browser and save your answers at the end, or "
        f"look at sheet-1.png to sheet-{len(starts)}.png and fill in answers-{viewer}.csv.\n"
        f"{_HOW[task]} In the column confidence write how sure you are, from 0 to 100.\n"
    ).encode()
    for name, data in files.items():
        write_atomic(folder / name, data, overwrite=True)
