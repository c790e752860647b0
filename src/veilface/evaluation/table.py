"""The table of measures: what an evaluation measures, and how a reader sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType

from veilface.measures.intervals import Estimate
from veilface.measures.onlookers import CAVEAT

ABSENT = "–"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, and how it is shown.

    Attributes:
        title: Heading of its column.
        meaning: One sentence.
        digits: Decimals.
        short: Heading on a terminal, where it stands there; the title by default.
        by_target: Whether it belongs to a target recogniser, or to the images alone.
    """

    title: str
    meaning: str
    digits: int = 3
    short: str = ""
    by_target: bool = False

    @property
    def heading(self) -> str:
        """For a narrow table."""
        return self.short or self.title


def _of_target(title: str, meaning: str, digits: int = 3) -> Measure:
    return Measure(title, meaning, digits, by_target=True)


_RATE = "of the clean recogniser's threshold at FMR 1e-3"
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "ssim": Measure("SSIM", "Structural similarity of X and X′; read it beside the stranger."),
        "psnr": Measure("PSNR dB", "Peak signal-to-noise ratio of X and X′.", 2),
        "lpips": Measure("LPIPS", "Perceptual distance of X and X′; larger is less alike."),
        "source": Measure(
            "source match",
            "X′ matches the photo it was made from: the paper's accuracy. The clean image scores "
            f"1, so it says nothing without the controls; {_RATE}.",
            short="source",
            by_target=True,
        ),
        "xdr": _of_target("XDR", "X′ matches another, clean photo of the person."),
        "adr": _of_target("ADR", "The protected images of two photos of one person match."),
        "fmr_pc": _of_target("FMR p-c", "X′ matches a clean photo of somebody else.", 4),
        "fmr_pp": _of_target("FMR p-p", "X′ of two different people match each other.", 4),
        "fta": _of_target("FTA", "No face is found in X′ by YuNet: failure to acquire."),
        "rank1": _of_target("rank 1", "The person is the most similar of a clean gallery."),
        "rank5": _of_target("rank 5", "The person is among the five most similar of the gallery."),
        "tar_1e-2": _of_target("TAR at 1e-2", "True accepts of X′ at an FMR of 1e-2."),
        "tar_1e-3": _of_target("TAR at 1e-3", "True accepts of X′ at an FMR of 1e-3."),
        "tar_1e-4": _of_target("TAR at 1e-4", "True accepts of X′ at an FMR of 1e-4."),
        "eer": _of_target("EER", "Where false accepts and false rejects of X′ are equally many."),
        "accuracy10": _of_target("10-fold", "Accuracy of the set's own ten-fold protocol.", 4),
        "lineup_mean": Measure(
            "line-up, blurred recogniser",
            "The source is picked among ten people alike by SFace and by dlib on blurred copies, "
            f"mean of the two; chance is .1. Read it with care: {CAVEAT}.",
            short="line-up",
        ),
        "lineup_sface": Measure("… SFace", "The same by SFace alone."),
        "lineup_dlib": Measure("… dlib", "The same by dlib alone."),
        "link_ncc": Measure("link NCC", "The source is the most similar photo by blurred luma."),
        "link_hog": Measure("link HOG", "… by histograms of oriented gradients.", short="HOG"),
        "link_lbp": Measure(
            "link LBP", "… by local binary patterns, which enter no loss.", short="LBP"
        ),
        "lineup_ncc": Measure("line-up NCC", "The source is picked among ten alike; chance is .1."),
        "lineup_hog": Measure("line-up HOG", "… by histograms of oriented gradients."),
        "lineup_lbp": Measure("line-up LBP", "… by local binary patterns."),
        "yunet": Measure("face found", "YuNet finds a face in X′."),
        "mesh_error": Measure("mesh error", "Distance of face meshes, in eye distances."),
        "age_error": Measure("age error", "Difference of the estimated ages in years.", 1),
        "sex_agreement": Measure("sex", "The estimated sex is the same."),
        "expression_agreement": Measure("expression", "The estimated expression is the same."),
        "skin_error": Measure("skin error", "Difference of the tone of the cheeks in degrees.", 1),
    }
)
"""Every measure that a row has a figure or a reason for, in the order of the document."""

RECOGNITION = {name: measure for name, measure in MEASURES.items() if measure.by_target}
"""Measures that belong to a target recogniser, in the order of the columns."""

VISIBILITY = {name: measure for name, measure in MEASURES.items() if not measure.by_target}
"""Measures of the images alone, in the order of the columns."""


def number(value: float, digits: int) -> str:
    """A figure without the zero before the point, as ``.984``; ``∞`` for an infinite one."""
    if not isfinite(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def interval(estimate: Estimate, digits: int) -> str:
    """The 95 % interval, as ``[.961, .993]``."""
    return f"[{number(estimate.low, digits)}, {number(estimate.high, digits)}]"
