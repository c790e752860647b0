"""Do the presets reach their operating points? One command, one table, all controls.

    python -m benchmarks.study --people 128 --rows persona,paper --out local/study

LFW, thresholds at FMR 1e-3 of clean impostors, each black box left out of its own ensemble. The
folder holds the table, and for every row a grid of 20 people (source, protected) for each black
box; photographs are for looking at, not for publishing. What the folder's cache holds is not
computed again. ``--averaging 16`` also links means of up to 16 versions of one photo to it, and
``--robustness`` measures the source match after JPEG, scaling, blur, noise and mirroring. To
search, try ``--change "steps=100 diversity.scale=.2"`` on other people, ``--seed 1``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.lfw import DATA
from benchmarks.pictures import to_picture
from benchmarks.study import robust, tables
from benchmarks.study.rows import TARGETS, StudyRow, changed, study_rows
from veilface.attacks.averaging import COUNTS, link_means
from veilface.datasets import load_faces
from veilface.datasets.base import FaceSet
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.evaluator import evaluate
from veilface.evaluation.protocol import choose
from veilface.evaluation.results import Row
from veilface.jobs.cache import Job
from veilface.jobs.sets import protect_set
from veilface.measures.onlookers import CAVEAT
from veilface.protectors.veil.presets import PRESETS

SHOWN = 20
ATTACKED = ("dlib", "sface")
"""Ensemble of the averaged versions: what a bare installation brings."""


class Run:
    """The rows of one run.

    Args:
        faces: The set.
        people: How many are protected.
        out: Folder of the table, the pictures and the cache.
        seed: Of the selection, the protection and the bootstraps.
    """

    def __init__(self, faces: FaceSet, *, people: int, out: Path, seed: int) -> None:
        self.faces, self.people, self.out, self.seed = faces, people, out, seed
        self.cache = out / "cache"
        self.chosen = choose(faces, people, seed=seed)
        self.sources = aligned_faces(self.chosen.sources).faces
        self.probes = self.sources[: len(self.chosen.probes)]

    def measure(self, row: StudyRow, *, controls: bool) -> dict[str, list[Row]]:
        """Results by protector, the row's own first."""
        found = evaluate(
            self.faces,
            [row.preset],
            row.targets,
            row.surrogates,
            cache=self.cache,
            limit=self.people,
            seed=self.seed,
            adr=False,
            controls=controls,
            ten_fold=False,
        )
        by_name: dict[str, list[Row]] = {}
        for result in found.rows:
            by_name.setdefault(result.protector, []).append(result)
        return by_name

    def protected(self, row: StudyRow, surrogates: tuple[str, ...], draw: int = 0) -> Tensor:
        """(N, 3, 112, 112) images of one ensemble."""
        job = Job(row.preset, surrogates)
        return protect_set(job, self.probes, seed=self.seed, cache=self.cache, draw=draw)

    def picture(self, name: str, row: StudyRow, results: list[Row]) -> None:
        """Source and X' of the first people, a line a black box."""
        rows = [self.probes, *(self.protected(row, result.surrogates) for result in results)]
        grid = torch.cat([images[:SHOWN] for images in rows])
        to_picture(grid, columns=min(SHOWN, self.people)).save(self.out / f"{name}.png")

    def averaging(self, row: StudyRow, versions: int) -> list[str]:
        """Lines of the averaging table, one a number of versions."""
        counts = [count for count in COUNTS if count <= versions]
        draws = (self.protected(row, ATTACKED, draw) for draw in range(max(counts)))
        result = link_means(draws, self.sources, torch.arange(len(self.probes)), counts=counts)
        return [
            "| " + " | ".join([row.name, str(count), *map(tables.shown, rates.values())]) + " |"
            for count, rates in result.rates.items()
        ]


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = study_rows()
    parser.add_argument("--people", type=int, default=128)
    parser.add_argument("--rows", default="persona", help=", ".join(known))
    parser.add_argument("--change", metavar="'NAME=VALUE ...'", help="other parameters of the rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--averaging", type=int, default=0, metavar="K")
    parser.add_argument("--robustness", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("local/study"))
    arguments = parser.parse_args()
    names = arguments.rows.split(",")
    if not set(names) <= set(known):
        parser.error(f"--rows takes {', '.join(known)}")
    faces = load_faces("lfw", DATA / "lfw112")
    run = Run(faces, people=arguments.people, out=arguments.out, seed=arguments.seed)
    table, robust_lines, mean_lines = [tables.head()], [robust.head()], []
    for index, name in enumerate(names):
        row = known[name]
        if arguments.change:
            preset = PRESETS[row.preset] if isinstance(row.preset, str) else row.preset
            row = replace(row, preset=changed(preset, arguments.change))
        results = run.measure(row, controls=index == 0)
        for label, rows in results.items():
            title = name if label == row.name else label
            table.append(tables.line(title, rows, seed=arguments.seed))
            if label == row.name and len(rows) > 1:
                table += [tables.line(f"… {r.target}", [r], seed=arguments.seed) for r in rows]
        if name in TARGETS:
            table.append(f"| {name} must reach | {TARGETS[name]} |" + " |" * (len(tables.HEAD) - 2))
        own = results[row.name]
        run.picture(name, row, own)
        if arguments.robustness:
            robust_lines += robust.robustness(
                row, own, run.probes, seed=arguments.seed, cache=run.cache
            )
        if arguments.averaging:
            mean_lines += run.averaging(row, arguments.averaging)
    parts = ["\n".join(table), f"Line-up, blurred: {CAVEAT}."]
    if arguments.robustness:
        parts.append("\n".join(robust_lines))
    if mean_lines:
        head = "| | versions averaged | link NCC | HOG | LBP |\n|---|---|---|---|---|"
        parts.append("\n".join([head, *mean_lines]))
    text = "\n\n".join(parts) + "\n"
    print(text)
    (arguments.out / "study.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
