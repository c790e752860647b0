"""Each compared method under the recogniser that is meant to read it, beside the published figure.

    python -m benchmarks.native LFW [--pairs 1000] [--names duetface,minusface] [--seed 0]

LFW is a folder with the official pairs.txt. Methods and recognisers have to be trained first, see
docs/training.md; what is not trained is left out with a sentence. MinusFace has two more rows: its
first recogniser on the residue r, and on the picture d(r) of it.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from veilface.cli.common import table
from veilface.datasets import load_pairs
from veilface.errors import UntrainedError
from veilface.paper.native import NativeRow, Natives
from veilface.protectors.registry import METHODS


def cells(row: NativeRow) -> tuple[str, ...]:
    """A row as text."""
    found = row.accuracy
    return (
        row.method,
        f"{100 * found.value:.2f} ± {100 * row.std:.2f}",
        f"{100 * found.low:.2f} to {100 * found.high:.2f}",
        f"{found.n:,}",
        "" if row.published is None else f"{100 * row.published:.2f}",
        row.recognizer,
    )


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Say that something is left out where it is not trained."""
    try:
        yield
    except UntrainedError as error:
        print(f"{what} is left out: {error}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--pairs", type=int, default=1000, help="about so many")
    parser.add_argument("--names", default=",".join(METHODS), help="methods, with commas")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = load_pairs("lfw", options.root).limited(options.pairs)
    natives = Natives(pairs, seed=options.seed)
    names = options.names.split(",")
    rows: list[NativeRow] = []
    for name in names:
        with told(name):
            rows.append(natives.row(name))
    if "minusface" in names:
        with told("the residue of minusface"):
            rows += natives.residue()
    heading = ("method", "accuracy %", "95 % interval", "pairs", "published", "recogniser")
    print(table([heading, *map(cells, rows)]))


if __name__ == "__main__":
    main()
