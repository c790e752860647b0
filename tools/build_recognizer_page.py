"""Writes docs/recognizers.md out of the registry.

    python tools/build_recognizer_page.py

The page is data of the table and a few fixed sentences; a test asserts that it is up to date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from veilface.recognizers.spec import Calibration, RecognizerSpec
from veilface.recognizers.table import RECOGNIZERS

GOAL = Path(__file__).resolve().parents[1] / "docs" / "recognizers.md"

_INTRODUCTION = """\
# Recognisers

Written by `tools/build_recognizer_page.py` from the registry; edit that, not this page.

A recogniser maps an aligned 112x112 face to a unit vector; two faces match when the cosine of
their vectors exceeds a threshold. Scores of different recognisers cannot be compared without their
thresholds. *Verified* means that the network was compared with the reference runtime of its file
and scored here; the others were never run here with their published weights.

`veilface recognizers list` and `info NAME` print the same, `fetch NAME` gets weights, and
`--recognizer onnx:path.onnx[,size=112,order=rgb,mean=127.5,std=128]` takes one of your own.
"""

_THRESHOLDS = """\
Cosines on clean faces. A false match rate (FMR) is the share of pairs of different people that
match. FMR 1e-3 of the 3,000 impostor pairs of LFW is 3 pairs, so these thresholds are coarse;
`veilface recognizers calibrate NAME --dataset lfw --root DIR` measures them again with confidence
intervals, and rates below 1e-2 on all 9.2 million pairs of different people, one image a person.
"""

_LICENCES = """\
veilface ships no weights of recognisers: they come with another package or are fetched on request,
under the licence that their publisher states. A stated licence covers what the publisher could
license; most of these networks were trained on faces crawled from the web, whose own terms are for
research only. *Research only* says so, or that nobody says otherwise.
"""


def page(specs: Iterable[RecognizerSpec]) -> str:
    """The page as Markdown."""
    specs = list(specs)
    parts = [
        _INTRODUCTION,
        "## Networks\n",
        _table(
            ("name", "family", "architecture", "trained on", "loss", "dim", "parameters", "MACs",
             "verified"),
            (
                (
                    f"`{spec.name}`", spec.family, spec.architecture, spec.training_set, spec.loss,
                    str(spec.dim), _millions(spec.parameters), _millions(spec.macs),
                    "yes" if spec.verified else "no",
                )
                for spec in specs
            ),
        ),
        "## Accuracy and thresholds\n",
        _THRESHOLDS,
        _table(
            ("name", "accuracy", "best", "FMR 1e-2", "FMR 1e-3", "impostors", "pairs"),
            (_measured(spec) for spec in specs),
        ),
        "## Sources and licences\n",
        _LICENCES,
        _table(
            ("name", "source", "licence as stated", "research only", "size"),
            (
                (
                    f"`{spec.name}`", _source(spec), spec.licence,
                    "yes" if spec.research_only else "no", f"{spec.source.size / 1e6:.1f} MB",
                )
                for spec in specs
            ),
        ),
        "## Files and remarks\n",
        *(_details(spec) for spec in specs),
    ]  # fmt: skip
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    GOAL.write_text(page(RECOGNIZERS.values()), encoding="utf-8")
    print(f"{GOAL.name}: {len(RECOGNIZERS)} recognisers")


def _measured(spec: RecognizerSpec) -> Sequence[str]:
    found: Calibration | None = spec.calibration
    if found is None:
        return (f"`{spec.name}`", "not measured", "-", "-", "-", "-", "-")
    return (
        f"`{spec.name}`",
        f"{found.accuracy:.4f} ± {found.accuracy_std:.4f}",
        f"{found.best:.4f}",
        *(f"{found.thresholds[rate]:.4f}" for rate in (1e-2, 1e-3)),
        f"{found.impostor_mean:.3f} ± {found.impostor_std:.3f}",
        found.data + (f", {found.date}" if found.date else ""),
    )


def _source(spec: RecognizerSpec) -> str:
    source = spec.source
    where = {
        "pypi": f"PyPI {source.package} {source.version} (installed with veilface)",
        "npm": f"npm {source.package} {source.version}",
        "http": f"{source.address} ({source.package} {source.version})",
        "frbench": f"frbench {source.package}, {source.version} (`pip install frbench`)",
    }
    return where[source.registry]


def _details(spec: RecognizerSpec) -> str:
    plan = spec.preprocessing
    mean = ", ".join(f"{value:g}" for value in plan.mean)
    left, top, side = plan.crop
    whole = plan.crop == (0.0, 0.0, 112.0)
    crop = "the whole face" if whole else f"the square of {side:g} pixels at ({left:g}, {top:g})"
    lines = [
        f"### {spec.name}\n",
        f"Input: {crop} at {plan.side}x{plan.side}, {plan.order.upper()}, "
        f"(x - ({mean})) / {plan.std:g} of 0..255.\n",
        *(
            f"- `{file.member}`, sha256 "
            + (f"`{file.sha256}`" if file.sha256 else "not published; recorded at the first fetch")
            for file in spec.source.files
        ),
        "",
    ]
    if spec.notes:
        lines.append(f"{spec.notes}\n")
    return "\n".join(lines)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    text = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join(f"| {line} |" for line in text) + "\n"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M" if count else "-"


if __name__ == "__main__":
    main()
