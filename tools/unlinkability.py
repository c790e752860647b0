"""Measure whether protected images of one person can be linked, by D_sys.

    python -m tools.unlinkability --dataset lfw --root LFW --limit 64 -o FOLDER [PROTECTOR ...]

Writes FOLDER/unlinkability-PROTECTOR.json for `tools.irreversibility`. Protected images are those
of `veilface attack -o FOLDER`, and are kept there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from veilface.attacks.victim import Victim
from veilface.cli.stages import make_stages
from veilface.core.files import write_atomic
from veilface.datasets import load_faces
from veilface.evaluation.attacking import JUDGE, Bench, make_bench
from veilface.evaluation.image_sets import default_surrogates
from veilface.jobs.cache import Job
from veilface.measures.unlinkability import floor, linkability
from veilface.recognizers.embedding import embed_faces


def measured(bench: Bench, victim: Victim) -> dict[str, Any]:
    """D_sys of X' against X' of another draw, and against another photo of the person.

    Args:
        bench: The people, and the recogniser whose scores count.
        victim: The protector.
    """
    recognizer, clean = bench.judge.recognizer, bench.judge.clean
    first, second = (
        embed_faces(recognizer, victim.protect(bench.faces, draw=draw).images) for draw in (0, 1)
    )
    has = clean.paired
    tables = {
        "draws": first @ second.T,
        "photos": first[has] @ clean.others[has].T,
        "clean": clean.probes[has] @ clean.others[has].T,
    }
    return {
        "unlinkability": victim.name,
        "dataset": bench.name,
        "judge": recognizer.name,
        "people": len(bench.faces),
        "d_sys": {
            name: asdict(linkability(table)) | {"floor": floor(table)}
            for name, table in tables.items()
            if len(table) > 1
        },
    }


def victim_of(name: str, cache: Path) -> Victim:
    """A protector, made against all recognisers but the judge."""
    job = Job(name)
    if not job.is_transform:
        job = Job(name, tuple(each for each in default_surrogates() if each != JUDGE))
    return Victim(job, cache)


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write what was measured, where `tools.irreversibility` finds it."""
    path = folder / f"unlinkability-{document['unlinkability']}.json"
    write_atomic(path, json.dumps(document).encode(), overwrite=True)
    return path


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("protectors", nargs="*", default=["persona"], metavar="PROTECTOR")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=64)
    parser.add_argument("-o", "--output", type=Path, default=Path("veilface-attack"))
    arguments = parser.parse_args()
    people = load_faces(arguments.dataset, arguments.root)
    cache = arguments.output / "cache"
    with make_stages() as stages:
        bench = make_bench(people, cache=cache, limit=arguments.limit, progress=stages)
        for name in arguments.protectors:
            document = measured(bench, victim_of(name, cache))
            print(write(document, arguments.output), document["d_sys"])


if __name__ == "__main__":
    main()
