"""What a reader of a table must not overlook: protections that protect nothing, or everybody alike.

A good figure alone proves little: the unchanged photo matches itself, and noise resembles nobody.
Each rule looks at the other side of such a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veilface.evaluation.results import Row
from veilface.measures.intervals import ENOUGH, Estimate
from veilface.measures.recognition import OPERATING_POINT

LINK = 0.05
"""Share of sources that plain image similarity may find; the bound of the operating points."""

_LINEUP_CHANCE = 0.1
_PICKED = 2 * _LINEUP_CHANCE  # the figures are those of the best scale
_MORE = 10  # times the clean false match rate is more than another error of the threshold
_COMPARED = ("ssim", "link_ncc", "link_hog", "link_lbp", "source", "xdr")


def flags_of(
    row: Row, controls: Sequence[Row], stranger: Mapping[str, Estimate]
) -> tuple[str, ...]:
    """The flags of a row; only what its 95 % interval supports is said.

    Args:
        row: Any row.
        controls: The control rows of the same target.
        stranger: SSIM and PSNR between photos of two different people.
    """
    return (
        *_too_small(row),
        *_still_there(row, controls, stranger),
        *_matches(row),
        *_like_a_control(row, controls),
    )


def _still_there(row: Row, controls: Sequence[Row], stranger: Mapping[str, Estimate]) -> list[str]:
    found = []
    ssim, level = row.measures["ssim"], stranger["ssim"]
    # A grey card, which shows nothing, is more similar to a photo than another person's photo is.
    blank = [c.measures["ssim"].high for c in controls if c.protector == "grey"]
    if ssim.low > max(level.high, *blank, 0.0):
        found.append(
            f"SSIM to the source is {ssim.value:.2f}, between photos of two people "
            f"{level.value:.2f}: the photo is still there"
        )
    looked = row.measures.get("lineup_mean")
    if looked is not None and looked.low > _LINEUP_CHANCE:
        found.append(
            "recognisers on blurred copies, who pick less than viewers do, find the source among "
            f"ten people alike for {looked.value:.0%} of the images; chance is {_LINEUP_CHANCE:.0%}"
        )
    for name in ("ncc", "hog", "lbp"):
        linked, picked = row.measures.get(f"link_{name}"), row.measures.get(f"lineup_{name}")
        if linked is not None and linked.low > LINK:
            found.append(
                f"plain image similarity ({name.upper()}) finds the source of "
                f"{linked.value:.0%} of the images"
            )
        elif picked is not None and picked.low > _PICKED:
            found.append(
                f"plain image similarity ({name.upper()}) picks the source out of ten people alike "
                f"for {picked.value:.0%} of the images; chance is {_LINEUP_CHANCE:.0%}"
            )
    return found


def _matches(row: Row) -> list[str]:
    found = []
    source = row.measures["source"]
    if source.high < 0.5:
        found.append(
            f"only {source.value:.0%} of the images match their own source: the identity is lost"
        )
    for name, whom in (
        ("fmr_pp", "protected images of different people match each other"),
        ("fmr_pc", "protected images match clean photos of somebody else"),
    ):
        rate = row.measures[name]
        if rate.n >= ENOUGH and rate.low > _MORE * OPERATING_POINT:
            found.append(
                f"{whom} in {rate.value:.1%} of the pairs; clean photos do in {OPERATING_POINT:.1%}"
            )
    return found


def _like_a_control(row: Row, controls: Sequence[Row]) -> list[str]:
    if row.kind == "control":
        return []
    return [
        f"SSIM, link and matches are those of the control '{control.protector}'"
        for control in controls
        if all(
            _overlap(row.measures[name], control.measures[name])
            for name in _COMPARED
            if name in row.measures and name in control.measures
        )
    ]


def _overlap(first: Estimate, second: Estimate) -> bool:
    return first.low <= second.high and second.low <= first.high


def _too_small(row: Row) -> list[str]:
    if row.images >= ENOUGH:
        return []
    return [
        f"{row.images} images are too few to conclude anything (from {ENOUGH} on they are not): "
        "read the intervals, not the figures"
    ]
