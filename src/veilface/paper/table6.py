"""Table 6: what the method loses without its high-pass, its random filling, or its noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from veilface.attacks.run import Outcome
from veilface.measures.intervals import Estimate
from veilface.paper.comparison import Comparison, Line, Value
from veilface.paper.published import OURS, TABLE_6
from veilface.paper.study import Study
from veilface.protectors.controls import CONTROLS
from veilface.protectors.veil.presets import Preset
from veilface.protectors.veil.starts import LocalFeatures

NOTES = (
    "w/o F: the kept regions show the photo itself; w/o C: they stand in its mean colour instead "
    "of a random filling; w/o P: neither multi-scale noise in the step nor the entropy term.",
    "Images made against all recognisers but one, which is the target of the last two columns: the "
    "paper does not print what a module does to recognition. Read SSIM and PSNR (dB) beside the "
    "controls and 'a stranger', photos of two different people.",
    "Rebuilt: what the U-Net of Table 3 recovers of images made against the default recognisers "
    "but its judge.",
)
NEEDS_FACES = "needs --faces"
COLUMNS = (*TABLE_6[OURS], "source", "XDR")


def without(preset: Preset) -> Mapping[str, Preset]:
    """The variants of a preset that starts from the photo, by the paper's name of the row."""
    start = preset.start
    if not isinstance(start, LocalFeatures):
        return {}
    # Without its mean an image is the photo itself once the mean colour is added again.
    whole = replace(start, cutoff=0.0, gain=1.0)
    variants = {
        "w/o F": replace(preset, start=whole),
        "w/o C": replace(preset, start=replace(start, spread=0.0)),
        "w/o P": replace(preset, modulation=None, entropy=0.0),
        OURS: preset,
    }
    return {row: replace(each, name=f"{preset.name} {row}") for row, each in variants.items()}


def table6(study: Study) -> Comparison:
    """Remove one module at a time from every preset that has them, on LFW."""
    variants = {preset.name: without(preset) for preset in study.presets}
    presets = [variant for each in variants.values() for variant in each.values()]
    found = study.one_ensemble("lfw", presets)
    measures = {row.protector: row.measures for row in found.rows}
    lines, weak = [], []

    def measured(label: str, preset: Preset) -> Line:
        image, known = _cells(measures[preset.name])
        found = None if study.attack is None else study.attack("unet", preset, "lfw")
        if isinstance(found, Outcome):
            rebuilt: tuple[Value, Value] = (found.measures.get("ssim"), found.measures.get("psnr"))
            reason = found.weakness
        else:
            rebuilt, reason = ("-", "-") if found else (NEEDS_FACES, NEEDS_FACES), found
        weak.extend([] if reason is None else [f"{label}, rebuilt: {reason}."])
        return Line(label, "measured", (*image, *rebuilt, *known))

    def control(label: str, found: Mapping[str, Estimate]) -> Line:
        image, known = _cells(found)
        return Line(label, "measured", (*image, None, None, *known))

    for row, published in TABLE_6.items():
        lines.append(Line(row, "published", (*published.values(), None, None)))
        for name, each in variants.items():
            if each:
                lines.append(measured(f"{row}, {name}", each[row]))
    lines += [control(name, measures[name]) for name in CONTROLS]
    lines.append(control("a stranger", found.stranger))
    return Comparison(
        name="table6",
        title=f"Table 6: without one module; LFW, target {study.recognizers[0]}",
        columns=COLUMNS,
        lines=tuple(lines),
        notes=(*NOTES, *weak),
    )


def _cells(measures: Mapping[str, Estimate]) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
    """What is seen of X', and how it is recognised."""
    image = (measures.get("ssim"), measures.get("psnr"))
    return image, (measures.get("source"), measures.get("xdr"))
