"""The plots of a report: trade-off curves, histograms of scores, and scores against thresholds.

Colours are those of Okabe and Ito, which people with colour blindness can tell apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from veilface.evaluation.report.scores import Histogram, det
from veilface.evaluation.results import Row

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_CLEAN, _FAINT = "#000000", "#B0B0B0"
_OPERATING_POINT = "0.001"
_BIN = 0.025  # width of the bins that are drawn


@contextmanager
def _style() -> Iterator[None]:
    settings = mpl.rc_context(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 10,
            "legend.frameon": False,
            "svg.hashsalt": "veilface",  # the same plot is the same file
        }
    )
    with settings:
        yield


@_style()
def det_curves(rows: Sequence[Row]) -> Figure:
    """False non-matches over false matches of one target, one curve a protector.

    Genuine scores are those of X' against another clean photo of the person, impostor scores those
    of X' against clean photos of others; of the clean images, the same with X in place of X'.

    Args:
        rows: All rows of one target.
    """
    figure, axes = _figure(6.4, 3.8)
    colours = _colours(rows)
    for row in rows:
        scores, name = row.scores, row.protector
        if not scores["xdr"]:
            continue
        curve = det(np.asarray(scores["xdr"]), Histogram.read(scores["fmr_pc_histogram"]))
        faint = name not in colours
        axes.plot(
            curve.fmr,
            curve.fnmr,
            color=colours.get(name, _FAINT),
            linewidth=0.8 if faint else 1.6,
            label=None if faint else name,
            zorder=1 if faint else 2,
        )
    if any(row.protector not in colours for row in rows):
        axes.plot([], [], color=_FAINT, linewidth=0.8, label="other controls")
    axes.set(
        xscale="log",
        xlim=(1e-5, 1),
        ylim=(-0.02, 1.02),  # a curve along the axis stays visible
        xlabel="false match rate",
        ylabel="false non-match rate",
        title=f"X′ against another photo, {rows[0].target}",
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper")
    return figure


@_style()
def score_histograms(rows: Sequence[Row]) -> Figure:
    """Genuine and impostor scores of one target, one panel a preset, the clean image on top.

    Args:
        rows: All rows of one target.
    """
    shown = [row for row in rows if row.kind == "preset" or row.protector == "clean"]
    shown = shown or list(rows)
    shown.sort(key=lambda row: row.kind == "preset")
    figure = Figure(figsize=(6.4, 1.2 + 1.4 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), sharex=True, squeeze=False)[:, 0]
    for axes, row in zip(panels, shown, strict=True):
        _score_panel(axes, row)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    panels[-1].set_xlim(min(_lowest(row.scores) for row in shown) - 0.02, 1.02)
    panels[-1].set_xlabel(f"cosine similarity of {rows[0].target}")
    return figure


@_style()
def threshold_strips(rows: Sequence[Row]) -> Figure:
    """Every X' against its source and against another photo of the person, beside the thresholds.

    Args:
        rows: All rows of one target.
    """
    figure, axes = _figure(7.2, 0.9 + 0.36 * len(rows))
    jitter = np.random.default_rng(0)
    for place, row in enumerate(rows):
        for key, offset, colour in (("source", -0.17, _COLOURS[0]), ("xdr", 0.17, _COLOURS[1])):
            scores = row.scores[key]
            heights = place + offset + jitter.uniform(-0.12, 0.12, len(scores))
            # Thousands of points would make a heavy drawing: they are kept as an image.
            axes.scatter(scores, heights, s=3, color=colour, linewidths=0, rasterized=True)
    for colour, label in ((_COLOURS[0], "against its source"), (_COLOURS[1], "another photo")):
        axes.scatter([], [], s=12, color=colour, linewidths=0, label=label)
    for rate, line in (("0.01", ":"), (_OPERATING_POINT, "--"), ("0.0001", "-.")):
        threshold = rows[0].scores["threshold"].get(rate)
        if threshold is not None:
            label = f"FMR {float(rate):.0e}".replace("e-0", "e-")
            axes.axvline(threshold, color=_CLEAN, linewidth=0.9, linestyle=line, label=label)
    axes.set_yticks(range(len(rows)), [row.protector for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(f"cosine similarity of {rows[0].target}")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=5)
    return figure


@_style()
def styled_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty plot of a size in inches, in the style of all others."""
    return _figure(width, height)


def to_svg(figure: Figure) -> bytes:
    """The plot as a self-contained SVG without a date, so that equal data make equal files."""
    buffer = io.BytesIO()
    with _style():
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None})
    return buffer.getvalue()


def _score_panel(axes: Axes, row: Row) -> None:
    scores = row.scores
    others = Histogram.read(scores["fmr_pc_histogram"]).coarse(_BIN)
    axes.stairs(others.density, others.edges, fill=True, color=_FAINT, label="other people")
    kinds = [("xdr", "another photo", _COLOURS[1])]
    if row.protector != "clean":  # against itself the clean image scores 1
        kinds.append(("source", "its source", _COLOURS[0]))
    for key, label, colour in kinds:
        genuine = Histogram.of(scores[key], others)
        axes.stairs(genuine.density, genuine.edges, color=colour, linewidth=1.4, label=label)
    axes.axvline(scores["threshold"][_OPERATING_POINT], color=_CLEAN, linestyle="--", linewidth=0.9)
    axes.set_title(row.protector, loc="left")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _lowest(scores: Mapping[str, Any]) -> float:
    """Where the drawn scores of a row begin."""
    others = Histogram.read(scores["fmr_pc_histogram"]).coarse(_BIN)
    occupied = others.edges[:-1][others.counts > 0]
    return float(min([*occupied[:1], *scores["xdr"], *scores["source"]], default=-1.0))


def _colours(rows: Sequence[Row]) -> dict[str, str]:
    presets = dict.fromkeys(row.protector for row in rows if row.kind == "preset")
    cycle = {name: _COLOURS[k % len(_COLOURS)] for k, name in enumerate(presets)}
    return {"clean": _CLEAN, **cycle}


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()
