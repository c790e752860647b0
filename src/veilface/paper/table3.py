"""Table 3: what a U-Net recovers of protected photos, and the attackers that the paper left out."""

from __future__ import annotations

from collections.abc import Sequence

from veilface.attacks.channels import CANDIDATES
from veilface.attacks.run import Outcome
from veilface.errors import DatasetError
from veilface.paper.attacked import Attackers
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Comparison, Line, Value
from veilface.paper.published import METHODS, OURS, SETS, TABLE_3
from veilface.paper.study import Study
from veilface.paper.trained import of_methods, trained_notes
from veilface.protectors.veil.presets import Preset

MEASURES = {"ssim": "SSIM", "psnr": "PSNR", "source": "photo", "xdr": "person"}
NOTES = (
    "SSIM and PSNR (dB) of what is recovered and the photo, means over people. Photo, person: "
    "share that an uninvolved recogniser matches at FMR 0.001 with the photo, with another one.",
    "What scores no more than 'average face' has recovered nothing, however the picture looks. "
    "'Embedding' is the ceiling: it sees the embedding of X' and no pixel.",
)


def table3(study: Study) -> Comparison:
    """Attack every method on every set that is here.

    Raises:
        DatasetError: There are no photos of other people to learn from.
    """
    attack = attackers(study)
    here = [name for name in SETS.values() if name in study.sets]
    columns = [
        (name, title, measure)
        for title, name in SETS.items()
        for measure in (MEASURES if name in here else ("ssim", "psnr"))
    ]

    def published(method: str) -> Line:
        values = [
            TABLE_3[method][title][measure == "psnr"] if measure in ("ssim", "psnr") else None
            for _, title, measure in columns
        ]
        return Line(method, "published", tuple(values))

    def measured(label: str, name: str, protector: str | Preset | None) -> Line:
        found = {
            each: NOT_TRAINED if protector is None else attack(name, protector, each)
            for each in here
        }
        return Line(
            f"{label}: {name}",
            "measured",
            tuple(_value(found.get(each), measure) for each, _, measure in columns),
        )

    lines = []
    for method in METHODS:
        protector = study.compared.get(method)
        lines += [published(method), measured(method, "unet", protector)]
        if protector in CANDIDATES:
            lines.append(measured(method, "linear", protector))
    lines.append(published(OURS))
    for preset in study.presets:
        for name in ("unet", "portrait", "graft", "highpass", "look", "embedding"):
            lines.append(measured(preset.name, name, preset))
        lines.append(measured(preset.name, "shuffled", preset))
    lines.append(measured("average face", "average", "grey"))
    lines.append(measured("no protection", "look", "clean"))
    lines.append(measured("no protection", "embedding", "clean"))
    weak = _weak(attack, study, here)
    return Comparison(
        name="table3",
        title="Table 3: what attackers recover",
        columns=tuple(f"{title} {MEASURES[measure]}" for _, title, measure in columns),
        lines=tuple(lines),
        notes=(*NOTES, *trained_notes(of_methods()), *weak),
        details=tuple(
            found.to_dict()
            for name, protector, each in _learned(study, here)
            if isinstance(found := attack(name, protector, each), Outcome)
        ),
    )


def attackers(study: Study) -> Attackers:
    """The attackers of a study.

    Raises:
        DatasetError: They have no photos to learn from.
    """
    if study.attack is None:
        raise DatasetError(
            "attackers learn from photos of other people: name a folder of aligned faces with "
            "--faces DIR"
        )
    return study.attack


def _learned(study: Study, here: Sequence[str]) -> list[tuple[str, str | Preset, str]]:
    protectors: list[str | Preset] = [*study.compared.values(), *study.presets]
    return [("unet", protector, each) for protector in protectors for each in here]


def _weak(attack: Attackers, study: Study, here: Sequence[str]) -> tuple[str, ...]:
    """Whether the U-Net had the means to say anything, told by the planted cheat."""
    for name, protector, each in _learned(study, here):
        found = attack(name, protector, each)
        if isinstance(found, Outcome) and found.planted is not None:
            verdict = found.verdict[0]
            enough = "too weak" not in verdict
            said = (
                f"The U-Net with these means recovers an SSIM of {found.planted.value:.2f} of a "
                "planted cheat, photos under the same stripes"
            )
            return (f"{said}.",) if enough else (f"{said}: it is {verdict}.",)
    return ()


def _value(found: Outcome | str | None, measure: str) -> Value:
    if found is None:
        return NO_DATA
    if isinstance(found, str):
        return found if found == NOT_TRAINED else "-"
    return found.measures.get(measure)
