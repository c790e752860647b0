"""One attack on one protector, scored, with what it has to be read against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torch import Tensor

from veilface.attacks.base import Attack, Control, Fitted, Setting
from veilface.attacks.nulls import average_face, grey_card
from veilface.attacks.planted import CHEATS, LIMIT
from veilface.attacks.portraits import strangers
from veilface.attacks.scores import Judge, check_uninvolved
from veilface.attacks.victim import Victim
from veilface.errors import ShapeError
from veilface.measures.intervals import Estimate, mean_over_people
from veilface.measures.metrics import ssim
from veilface.protectors.base import FaceProtector
from veilface.protectors.controls import CONTROLS
from veilface.types import Protected

_EASY: Mapping[Control | None, tuple[FaceProtector, ...]] = {
    None: (),
    "planted": CHEATS,
    "clean": (CONTROLS["clean"],),
}
_NULL = "an attacker who knows nothing"
_BEATEN = {
    "ssim": f"recovers more of the picture than {_NULL}",
    "source": "what it recovers is matched with the photo",
    "xdr": "what it recovers is matched with another photo of the person",
    "lineup_mean": "blurred recognisers pick the person out of ten",
}
_WEAK = "too weak (what it does not recover says nothing):"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack got out of a protector.

    Attributes:
        attack: Its name.
        level: Who can do it.
        protector: Its name.
        dataset: Name of the set.
        judge: The recogniser that decided about identity.
        versions: Independent protections of each photo that the attacker had.
        measures: By name, of the recovered images against the photos.
        null: The same of an attacker who knows nothing: the average face, or a grey card where
            there are no photos of other people.
        planted: SSIM of what the same attacker recovers from the planted cheat that it recovers
            least of; None for attacks that do not learn from pairs.
        unprotected: Share of unprotected photos that what is recovered is matched with; None for
            attacks that do not learn from embeddings.
        about: What the attack was fitted on, under ``control`` how its control was trained, and
            under ``controls`` the SSIM of each, by name.
        images: (N, 3, 112, 112) what was recovered.
    """

    attack: str
    level: str
    protector: str
    dataset: str
    judge: str
    versions: int
    measures: Mapping[str, Estimate]
    null: Mapping[str, Estimate]
    planted: Estimate | None
    unprotected: Estimate | None
    about: Mapping[str, Any]
    images: Tensor = field(repr=False)

    @property
    def verdict(self) -> tuple[str, ...]:
        """What follows, in sentences: first whether what it does not recover says anything."""
        found = [] if self.weakness is None else [self.weakness]
        found += [_BEATEN[name] for name in beaten(self.measures, self.null)]
        return tuple(found) or (f"recovers no more than {_NULL}",)

    @property
    def weakness(self) -> str | None:
        """Why what the attack does not recover says nothing of the protector; else None."""
        if self.planted is not None and self.planted.value < LIMIT:
            return (
                f"{_WEAK} of a planted cheat it recovers an SSIM of {self.planted.value:.3f}, and "
                f"{LIMIT} is needed; allow more --budget, --pairs or --pair-minutes"
            )
        if self.unprotected is not None and self.unprotected.low <= self.null["source"].high:
            return (
                f"{_WEAK} of photos without any protection it recovers nobody either; allow more "
                "--pairs"
            )
        return None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the images."""
        kept = asdict(replace(self, images=self.images[:0]))
        del kept["images"]
        return kept | {"verdict": list(self.verdict)}


def beaten(measures: Mapping[str, Estimate], null: Mapping[str, Estimate]) -> tuple[str, ...]:
    """The measures of a verdict that lie above those of a null, beyond both intervals."""
    shared = (name for name in _BEATEN if name in measures and name in null)
    return tuple(name for name in shared if measures[name].low > null[name].high)


def run_attack(
    attack: Attack,
    setting: Setting,
    faces: Tensor,
    judge: Judge,
    *,
    dataset: str,
    versions: int = 1,
) -> Outcome:
    """Fit an attack, attack protected faces and score what comes out.

    Args:
        attack: Of the registry.
        setting: The protector, and what the attacker has.
        faces: (N, 3, 112, 112) photos of people whom the attacker does not know, those of the
            judge.
        judge: Scores.
        dataset: Name of their set.
        versions: Independent protections of each photo that the attacker has.

    Raises:
        ShapeError: Fewer than one version.
        AttackError: The attack cannot be done to this protector, or the judge is not uninvolved.
        DatasetError: The attack needs photos of other people and there are none.
    """
    if versions < 1:
        raise ShapeError(f"{versions} versions of a photo: at least one is needed")
    attacker = setting.recognizer if attack.name == "embedding" else None
    check_uninvolved(judge.recognizer.name, setting.victim, attacker)
    fitted = attack.fit(setting)
    protected = [_ask(setting, faces, draw) for draw in range(versions)]
    first, images = protected[0], fitted.attack(protected)
    del protected  # channels of many faces take gigabytes
    measures = dict(judge.measure(images))
    if setting.victim.hides_behind_strangers:
        beneath = strangers(first.images, setting.folder)
        measures["stranger"] = judge.matched(images, beneath)
    controls = _controls(attack, setting, fitted, faces)
    weakest = min(controls, key=lambda each: each.ssim.value, default=None)
    nothing = (grey_card if setting.faces is None else average_face)(setting)
    return Outcome(
        attack=attack.name,
        level=attack.level,
        protector=setting.victim.name,
        dataset=dataset,
        judge=judge.recognizer.name,
        versions=versions,
        measures=measures,
        null=judge.measure(nothing.recover(first)),
        planted=weakest.ssim if weakest and attack.control == "planted" else None,
        unprotected=judge.measure(weakest.images)["source"]
        if weakest and attack.control == "clean"
        else None,
        about={**fitted.about, **_about(controls, weakest)},
        images=images,
    )


def _ask(setting: Setting, faces: Tensor, draw: int) -> Protected:
    return setting.victim.protect(
        faces,
        draw=draw,
        progress=lambda done, total: setting.progress("protecting", done, total),
    )


@dataclass(frozen=True, slots=True)
class _Control:
    name: str
    ssim: Estimate
    training: Mapping[str, Any]
    images: Tensor


def _controls(attack: Attack, setting: Setting, fitted: Fitted, faces: Tensor) -> list[_Control]:
    """What the attacker recovers from easy protectors, with as many photos and steps."""
    found = []
    # Protecting these costs nothing: in the same time they would be learnt in more steps.
    steps = fitted.about.get("training", {}).get("steps")
    for protector in _EASY[attack.control]:
        easy = Victim(protector, setting.victim.cache, seed=setting.seed)
        photos = fitted.about.get("photos", setting.pairs)
        again = attack.fit(
            replace(setting, victim=easy, pairs=photos, pair_steps=None, steps=steps)
        )
        images = again.recover(easy.protect(faces))
        likeness = mean_over_people(ssim(faces, images).numpy(), seed=0)
        found.append(_Control(protector.name, likeness, again.about.get("training", {}), images))
    return found


def _about(controls: Sequence[_Control], weakest: _Control | None) -> dict[str, Any]:
    if weakest is None:
        return {}
    known = {each.name: asdict(each.ssim) for each in controls}
    return {"control": weakest.training, "controls": known}
