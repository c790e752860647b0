"""The plot of a learning curve, between what is nothing and what is everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from veilface.attacks.planted import LIMIT
from veilface.errors import MissingExtraError

if TYPE_CHECKING:
    from veilface.attacks.curves import LearningCurve

try:
    from matplotlib.figure import Figure

    from veilface.evaluation.report.plots import styled_axes
except ModuleNotFoundError as error:
    raise MissingExtraError(
        f"{error.name} is needed to draw a learning curve and is not installed; "
        "run: pip install matplotlib"
    ) from error

_OURS, _CHEAT, _NULL = "#0072B2", "#D55E00", "#B0B0B0"


def learning_curve(curve: LearningCurve, title: str) -> Figure:
    """SSIM by photos: of what is recovered, of the planted cheat, and of knowing nothing.

    Args:
        curve: With at least one point.
        title: Of the plot.
    """
    figure, axes = styled_axes(6.4, 3.8)
    axes.axhspan(curve.null.low, curve.null.high, color=_NULL, alpha=0.5, linewidth=0)
    axes.axhline(curve.null.value, color=_NULL, label="knows nothing")
    cheats = [each for each in curve.planted if each is not None]
    if len(cheats) == len(curve.photos):
        heights = [each.value for each in cheats]
        axes.plot(curve.photos, heights, "o--", color=_CHEAT, label="planted cheat")
        axes.axhline(LIMIT, color=_CHEAT, linewidth=0.8, linestyle=":", label="weak below")
    ends = np.array([[e.value - e.low, e.high - e.value] for e in curve.ssim]).T
    heights = [each.value for each in curve.ssim]
    axes.errorbar(curve.photos, heights, ends, fmt="o-", color=_OURS, capsize=3, label="recovered")
    axes.set(xscale="log", ylim=(0, 1), xlabel="photos", ylabel="SSIM", title=title)
    axes.set_xticks(curve.photos, [str(count) for count in curve.photos])
    axes.minorticks_off()
    figure.legend(loc="outside right upper")
    return figure
