# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the stranger is: everything that is decided before a vertex moves.

A seed alone decides a portrait. Each part of the person draws from a stream of its own, named and
keyed by the seed, so that a change in one part leaves the others as they were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.strangers.mathematics import Array

HAIR_COLOURS = {  # linear RGB reflectance
    "black": (0.006, 0.005, 0.004),
    "softblack": (0.012, 0.009, 0.007),
    "darkbrown": (0.03, 0.017, 0.010),
    "brown": (0.065, 0.035, 0.019),
    "lightbrown": (0.13, 0.075, 0.042),
    "darkblond": (0.22, 0.14, 0.08),
    "blond": (0.40, 0.28, 0.16),
    "red": (0.17, 0.05, 0.018),
    "auburn": (0.08, 0.026, 0.013),
    "saltpepper": (0.11, 0.105, 0.10),
    "grey": (0.26, 0.25, 0.24),
    "white": (0.6, 0.58, 0.55),
}
IRISES = ("brown", "brownlight", "green", "grey", "blue", "lightblue", "bluegreen", "deepblue")

# What a darkness of skin in each quarter of the range usually goes with:
# weights of the African, Asian and Caucasian shapes, and how often.
ANCESTRIES: tuple[tuple[float, tuple[tuple[tuple[float, float, float], float], ...]], ...] = (
    (0.22, (((0.0, 0.05, 0.95), 0.72), ((0.0, 0.9, 0.1), 0.28))),
    (0.45, (((0.0, 0.05, 0.95), 0.45), ((0.0, 0.9, 0.1), 0.4), ((0.1, 0.3, 0.6), 0.15))),
    (
        0.70,
        (
            ((0.15, 0.2, 0.65), 0.35),
            ((0.05, 0.85, 0.1), 0.2),
            ((0.55, 0.15, 0.3), 0.25),
            ((0.15, 0.45, 0.4), 0.2),
        ),
    ),
    (1.01, (((0.92, 0.04, 0.04), 0.72), ((0.6, 0.1, 0.3), 0.16), ((0.25, 0.2, 0.55), 0.12))),
)


def stream(seed: int, part: str) -> np.random.Generator:
    """The random stream of one part of one person."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


@dataclass(frozen=True)
class Person:
    """A stranger in parameters.

    Attributes:
        seed: Decides everything.
        male: Sex; false is female.
        age: Years, 20 to 75.
        ancestry: Weights of the African, Asian and Caucasian shapes; sum 1.
        darkness: Of the skin, 0 (Fitzpatrick I) to 1 (VI), uniform over all people.
        hair: Name of the hair colour before greying.
        hair_colour: Linear RGB.
        brow_colour: Linear RGB.
        grey: Share of grey hair, 0 to 1.
        iris: Name of the iris texture.
        smile: 0 (none) to about 0.5.
        teeth: Whether the smile opens the mouth.
        yaw: Degrees; pitch and roll too.
        pitch: Degrees.
        roll: Degrees.
    """

    seed: int
    male: bool
    age: float
    ancestry: NDArray[np.float64]
    darkness: float
    hair: str
    hair_colour: Array
    brow_colour: Array
    grey: float
    iris: str
    smile: float
    teeth: bool
    yaw: float
    pitch: float
    roll: float

    def stream(self, part: str) -> np.random.Generator:
        """The person's random stream of this part."""
        return stream(self.seed, part)


def _ancestry(r: np.random.Generator, darkness: float) -> NDArray[np.float64]:
    options = next(o for limit, o in ANCESTRIES if darkness < limit)
    centre = np.array(options[r.choice(len(options), p=[p for _, p in options])][0])
    mixed = r.dirichlet(centre * 12 + 0.15)
    return np.asarray(mixed / mixed.sum())


def _hair_name(r: np.random.Generator, ancestry: NDArray[np.float64], darkness: float) -> str:
    african, asian, caucasian = ancestry
    if caucasian > 0.5 and darkness < 0.45:
        names = [
            "softblack",
            "darkbrown",
            "brown",
            "lightbrown",
            "darkblond",
            "blond",
            "red",
            "auburn",
        ]
        weights = [0.1, 0.22, 0.22, 0.14, 0.12, 0.11, 0.05, 0.04]
    elif asian > 0.5:
        names, weights = ["black", "softblack", "darkbrown", "brown"], [0.5, 0.28, 0.15, 0.07]
    elif african > 0.5:
        names, weights = ["black", "softblack", "darkbrown"], [0.6, 0.3, 0.1]
    else:
        names, weights = ["black", "softblack", "darkbrown", "brown"], [0.3, 0.32, 0.28, 0.1]
    return str(r.choice(names, p=weights))


def sample(seed: int) -> Person:
    """The person of a seed."""
    r = stream(seed, "person")
    male = bool(r.random() < 0.5)
    band = ((20, 35), (30, 52), (48, 75))[r.choice(3, p=[0.38, 0.34, 0.28])]
    age = float(r.uniform(*band))
    darkness = float(r.random())
    ancestry = _ancestry(r, darkness)
    name = _hair_name(r, ancestry, darkness)
    colour = np.array(HAIR_COLOURS[name])
    brow, grey = colour.copy(), 0.0
    ageing = float(np.clip((age - 42) / 30, 0, 1))
    if r.random() < ageing * (0.95 if male else 0.55):
        grey = float(np.clip(r.uniform(0.2, 1.3) * ageing, 0, 1))
        target = np.array(
            HAIR_COLOURS[r.choice(["saltpepper", "grey", "white"], p=[0.4, 0.4, 0.2])]
        )
        colour = colour * (1 - grey) + target * grey
        brow = brow * (1 - 0.6 * grey) + target * 0.6 * grey
    light_eyes = ancestry[2] > 0.6 and darkness < 0.42
    iris = str(
        r.choice(IRISES, p=[0.24, 0.2, 0.12, 0.1, 0.12, 0.1, 0.08, 0.04])
        if light_eyes
        else r.choice(IRISES[:2], p=[0.8, 0.2])
    )
    mood = r.random()
    pose = stream(seed, "pose")
    return Person(
        seed=seed,
        male=male,
        age=age,
        ancestry=ancestry,
        darkness=darkness,
        hair=name,
        hair_colour=colour * r.uniform(0.75, 1.3),
        brow_colour=brow,
        grey=grey,
        iris=iris,
        smile=float(r.uniform(0.22, 0.5)) if mood < 0.22 else 0.0,
        teeth=bool(mood < 0.09),
        yaw=float(np.clip(pose.normal(0, 7), -15, 15)),
        pitch=float(np.clip(pose.normal(0, 3.5), -8, 8)),
        roll=float(np.clip(pose.normal(0, 2.5), -6, 6)),
    )
