"""Table 3: what a U-Net recovers of protected photos, and the attackers that the paper left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veilface.attacks.channels import CANDIDATES
from veilface.attacks.run import Outcome
from veilface.errors import DatasetError
from veilface.paper.attacked import Attackers
from veilface.paper.compared import lines_of_methods
from veilface.paper.comparison import NO_DATA, NOT_TRAINED, Comparison, Line, Value
from veilface.paper.published import OURS, SETS, TABLE_3
from veilface.paper.study import Study
from veilface.paper.trained import of_methods, trained_notes
from veilface.protectors.veil.presets import Preset

MEASURES = {"ssim": "SSIM", "psnr": "PSNR", "source": "photo", "xdr": "person"}
MEANS = ("photos", "steps", "control")
NOTES = (
    "SSIM and PSNR (dB) of what is recovered and the photo, means over people. Photo, person: "
    "share that an uninvolved recogniser matches at FMR 0.001 with the photo, with another one.",
    "What scores no more than 'average face' has recovered nothing, however the picture looks. "
    "'Shuffled' learns from unprotected pairs of different people, from which nothing can be "
    "learnt but the average face: what it shows beyond that it was given and has not unlearnt. "
    "'Embedding' sees the embedding of X' and no pixel: of unprotected photos it is the least that "
    "a picture gives away which keeps the match.",
    "Photos that pairs were made of, and steps of the training, within {minutes:g} minutes for "
    "each; presets protect as many as {minutes:g} minutes allow. Control: what the same attacker, "
    "with as many photos and steps, recovers of an easy protector: for a U-Net the SSIM of the "
    "planted cheat that it recovers least of, for 'embedding' the share of unprotected photos that "
    "are matched. Where it is too weak, what the attack does not recover says nothing. The steps "
    "of 'embedding' are those of the descent to each face, whatever the minutes.",
)
_OURS = ("unet", "portrait", "graft", "highpass", "look", "embedding")
_NOBODY = {
    "average face: average": ("average", "grey"),
    "no protection: shuffled": ("shuffled", "clean"),
    "no protection: look": ("look", "clean"),
    "no protection: embedding": ("embedding", "clean"),
}


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
    made: list[Outcome] = []
    reasons: dict[str, None] = {}

    def published(method: str) -> Line:
        values = [
            TABLE_3[method][title][measure == "psnr"] if measure in ("ssim", "psnr") else None
            for _, title, measure in columns
        ]
        return Line(method, "published", (*values, *(None for _ in MEANS)))

    def measured(label: str, name: str, protector: str | Preset) -> Line:
        found = {each: attack(name, protector, each) for each in here}
        outcomes = [each for each in found.values() if isinstance(each, Outcome)]
        made.extend(outcomes)
        reasons.update({f"{label}: {s}.": None for s in found.values() if isinstance(s, str)})
        cells = [_value(found.get(each), measure) for each, _, measure in columns]
        return Line(label, "measured", (*cells, *_means(outcomes)))

    def of_method(title: str, name: str) -> list[Line]:
        attacks = ("unet", "linear") if name in CANDIDATES else ("unet",)
        return [measured(f"{title}: {each}", each, name) for each in attacks]

    lines = [*lines_of_methods(published, of_method), published(OURS)]
    for preset in study.presets:
        lines += [measured(f"{preset.name}: {each}", each, preset) for each in _OURS]
    lines += [measured(label, *each) for label, each in _NOBODY.items()]
    notes = [note.format(minutes=attack.means.minutes) for note in NOTES]
    return Comparison(
        name="table3",
        title="Table 3: what attackers recover",
        columns=(*(f"{title} {MEASURES[measure]}" for _, title, measure in columns), *MEANS),
        lines=tuple(lines),
        notes=(*notes, *trained_notes(of_methods()), *_people(made), *reasons),
        details=tuple(each.to_dict() for each in made),
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


def _value(found: Outcome | str | None, measure: str) -> Value:
    if found is None:
        return NO_DATA
    if isinstance(found, str):
        return found if found == NOT_TRAINED else "-"
    return found.measures.get(measure)


def _means(outcomes: Sequence[Outcome]) -> tuple[Value, ...]:
    """What an attack was fitted on, equal for all sets, and its weakest control."""
    if not outcomes:
        return (None,) * len(MEANS)
    about = outcomes[0].about
    training: Mapping[str, object] = about.get("training", {})
    # An attack without a training has no use for what it would say about its means.
    photos, steps = (about.get("photos"), training.get("steps")) if training else (None, None)
    return (
        None if photos is None else str(photos),
        None if steps is None else str(steps),
        _control(min(outcomes, key=lambda each: each.weakness is None)),
    )


def _control(found: Outcome) -> str | None:
    known = found.planted or found.unprotected
    if known is None:
        return None
    said = f"{known.value:.3f}, {found.about['control']['steps']} steps"
    return said if found.weakness is None else f"{said}: too weak"


def _people(made: Sequence[Outcome]) -> list[str]:
    """A sentence for each set: its people, and those whom the costly protectors have fewer of."""
    counts: dict[str, dict[int, None]] = {}
    for each in made:
        counts.setdefault(each.dataset, {})[each.measures["ssim"].n] = None
    return [
        f"People of {dataset}: {' and for presets '.join(map(str, sorted(found, reverse=True)))}."
        for dataset, found in counts.items()
    ]
