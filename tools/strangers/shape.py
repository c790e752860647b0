# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the head: correlated factors over the sliders, a smooth warp, an expression.

Real faces do not vary slider by slider: a broad nose is broad at its root, its wings and its tip.
``FACTORS`` says which sliders go together; each factor is drawn once. A smooth random field on top
moves what no slider moves, so that people differ in more than MakeHuman's vocabulary.
"""

from __future__ import annotations

import numpy as np

from tools.strangers.assets import Assets
from tools.strangers.mathematics import Array
from tools.strangers.person import Person
from tools.strangers.sliders import (
    ALONE,
    FACTORS,
    FEMALE,
    HEADS,
    MALE,
    NEUTRAL,
    OPPOSITES,
    SKIPPED,
    STRENGTH,
)


class Shapes:
    """Morphs the base mesh into people."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.pairs = self._pairs()
        self.asymmetries = sorted(n for n in assets.targets if n.startswith("asym-"))

    def _pairs(self) -> dict[str, str]:
        """Negative target of each positive one."""
        prefixes = tuple(ALONE)
        found = {}
        for name in sorted(self.assets.targets):
            if not name.startswith(prefixes) or name.startswith(SKIPPED):
                continue
            for down, up in OPPOSITES:
                partner = name[: -len(down)] + up
                if name.endswith("-" + down) and partner in self.assets.targets:
                    found[partner] = name
        return found

    def morph(self, person: Person) -> tuple[Array, dict[str, float]]:
        """Vertices of the person's body, and the units of the expression."""
        v = self.assets.v0.copy()
        self._macro(person, v)
        for name, weight in self._sliders(person).items():
            self._slide(v, name, weight)
        r = person.stream("details")
        for name, weight in zip(
            HEADS, r.dirichlet([0.35] * len(HEADS)) * r.uniform(0.1, 0.55), strict=True
        ):
            self._add(v, name, float(weight))
        for name in r.choice(self.asymmetries, 14, replace=False):
            self._add(v, str(name), abs(float(r.normal(0, 0.26))))
        if person.ancestry[1] > 0.5:
            fold = float(r.uniform(0.0, 0.45))
            self._add(v, "l-eye-epicanthus-in", fold)
            self._add(v, "r-eye-epicanthus-in", fold)
        self._add(v, "head-age-incr", max(0.0, (person.age - 45) / 60))
        v += self._warp(person)
        expression = self._expression(person)
        for unit_name, weight in expression.items():
            for ancestry, share in zip(
                ("african", "asian", "caucasian"), person.ancestry, strict=True
            ):
                self._add(v, f"expr-{ancestry}-{unit_name}", float(weight * share))
        return v, expression

    def _add(self, v: Array, name: str, weight: float) -> None:
        if abs(weight) > 1e-4 and name in self.assets.targets:
            index, delta = self.assets.targets[name]
            if len(index):
                v[index] += delta * np.float32(weight)

    def _slide(self, v: Array, name: str, weight: float) -> None:
        target = name if weight > 0 else self.pairs[name]
        self._add(v, target, abs(weight))
        if target.startswith("l-"):
            self._add(v, "r-" + target[2:], abs(weight))

    def _macro(self, person: Person, v: Array) -> None:
        """Sex, age, ancestry, muscle, weight and proportions: MakeHuman's macro targets."""
        r = person.stream("macro")
        old = max(0.0, (person.age - 25) / 65)
        male = float(np.clip(r.normal(0.93 if person.male else 0.0, 0.07), 0, 1))
        muscle = float(np.clip(r.normal(0.5 if person.male else 0.36, 0.15), 0.1, 0.95))
        weight = float(np.clip(r.normal(0.5, 0.2), 0.05, 1.0))
        proportion = float(np.clip(r.normal(0.58, 0.18), 0, 1))

        def three(x: float, low: str, middle: str, high: str) -> dict[str, float]:
            return {
                high: max(0, (x - 0.5) * 2),
                middle: 1 - abs(x - 0.5) * 2,
                low: max(0, (0.5 - x) * 2),
            }

        shapes = three(proportion, "uncommonproportions", "", "idealproportions")
        for sex, a in (("male", male), ("female", 1 - male)):
            for age, b in (("young", 1 - old), ("old", old)):
                for race, c in zip(("african", "asian", "caucasian"), person.ancestry, strict=True):
                    self._add(v, f"{race}-{sex}-{age}", float(a * b * c))
                for m, x in three(muscle, "minmuscle", "averagemuscle", "maxmuscle").items():
                    for w, y in three(weight, "minweight", "averageweight", "maxweight").items():
                        self._add(v, f"universal-{sex}-{age}-{m}-{w}", a * b * x * y)
                        for p, z in shapes.items():
                            self._add(v, f"{sex}-{age}-{m}-{w}-{p}", a * b * x * y * z)

    def _sliders(self, person: Person) -> dict[str, float]:
        r = person.stream("sliders")
        while True:  # whoever is extreme in everything at once is a caricature
            z = np.clip(r.normal(0, 1, len(FACTORS)), -2.1, 2.1)
            if float(np.sqrt((z**2).mean())) < 1.2:
                break
        weights = dict.fromkeys(self.pairs, 0.0)
        for name in weights:
            alone = max((k for k in ALONE if name.startswith(k)), key=len)
            weights[name] = float(np.clip(r.normal(0, ALONE[alone]), -0.6, 0.6))
        strength = STRENGTH * (1.0 if person.male else 0.85)
        for factor, loadings in zip(z, FACTORS.values(), strict=True):
            for name, loading in loadings.items():
                weights[name] += float(factor) * loading * strength
        sex = MALE if person.male else FEMALE
        for bias, low in ((sex, 0.7), (NEUTRAL, 0.5)):
            for name, value in bias.items():
                weights[name] += value * float(r.uniform(low, 1.3))
        return {name: float(np.clip(w, -0.9, 0.9)) for name, w in weights.items()}

    def _warp(self, person: Person) -> Array:
        """A smooth field, symmetric about the middle of the face: (vertices, 3)."""
        r = person.stream("warp")
        v = self.assets.v0
        place = np.stack([np.sqrt(v[:, 0] ** 2 + 0.04), v[:, 1] - 7.0, v[:, 2] - 1.0], 1)
        field = np.zeros_like(v)
        for scale, size in ((0.9, 0.03), (0.38, 0.012)):
            waves = r.normal(0, 1 / scale, (24, 3))
            phase = r.uniform(0, 2 * np.pi, 24)
            amplitude = r.normal(0, size * np.sqrt(2 / 24), (24, 3))
            field += (np.cos(place @ waves.T + phase) @ amplitude).astype(np.float32)
        field[:, 0] *= np.tanh(v[:, 0] / 0.2)
        return np.asarray(field * (v[:, 1:2] > 4.0))

    def _expression(self, person: Person) -> dict[str, float]:
        r = person.stream("expression")
        units: dict[str, float] = {}
        smile = person.smile
        if smile > 0:
            units["mouth-corner-puller"] = smile
            units["eye-left-slit"] = units["eye-right-slit"] = 0.3 * smile
            if person.teeth:
                units |= {
                    "mouth-upward-retraction": 0.3 * smile,
                    "mouth-parling": 0.4 * smile,
                    "mouth-open": 0.04,
                }
        else:
            units["mouth-corner-puller"] = float(r.uniform(0.02, 0.18))
            if r.random() < 0.2:
                units["mouth-parling"] = float(r.uniform(0.03, 0.15))
        raised = float(r.uniform(0.0, 0.35)) if r.random() < 0.4 else 0.0
        inner = float(r.uniform(0.25, 0.6))
        lid = float(r.uniform(-0.12, 0.10))  # relaxed lids: nobody stares
        for side in ("left", "right"):
            units[f"eyebrows-{side}-up"] = raised
            units[f"eyebrows-{side}-inner-up"] = inner
            units[f"eye-{side}-slit"] = units.get(f"eye-{side}-slit", 0.0) + lid
        return units
