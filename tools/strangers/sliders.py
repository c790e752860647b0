# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sliders of MakeHuman go together in a face, and how far they move.

A slider is named by its positive target; "l-" stands for both sides of the face.
"""

from __future__ import annotations

STRENGTH = 0.55  # of the factors: sliders at 1 are caricatures
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
# Factor -> sliders with loadings.
FACTORS: dict[str, dict[str, float]] = {
    "width": {"head-scale-horiz-incr": 0.42, "chin-width-incr": 0.3, "l-cheek-bones-incr": 0.25},
    "length": {"head-scale-vert-incr": 0.38, "chin-height-incr": 0.3, "nose-scale-vert-incr": 0.25},
    "fat": {
        "head-fat-incr": 0.5,
        "l-cheek-volume-incr": 0.5,
        "neck-double-incr": 0.35,
        "chin-bones-incr": -0.2,
        "mouth-laugh-lines-out": -0.2,
    },
    "jaw": {"chin-width-incr": 0.5, "chin-bones-incr": 0.45, "chin-prominent-incr": 0.3},
    "chin": {"chin-height-incr": 0.45, "chin-prognathism-incr": 0.2, "chin-jaw-drop-incr": 0.25},
    "nose length": {"nose-scale-vert-incr": 0.55, "nose-point-up": -0.4, "nose-trans-up": -0.3},
    "nose width": {
        "nose-scale-horiz-incr": 0.5,
        "nose-width1-incr": 0.45,
        "nose-width2-incr": 0.45,
        "nose-width3-incr": 0.45,
        "nose-flaring-incr": 0.3,
        "nose-nostrils-width-incr": 0.3,
        "nose-point-width-incr": 0.45,
    },
    "nose ridge": {
        "nose-hump-incr": 0.5,
        "nose-curve-convex": 0.45,
        "nose-scale-depth-incr": 0.45,
        "nose-greek-incr": 0.3,
    },
    "nose tip": {"nose-base-up": 0.35, "nose-septumangle-incr": 0.3, "nose-volume-incr": 0.35},
    "eye size": {
        "l-eye-scale-incr": 0.5,
        "l-eye-height1-incr": 0.3,
        "l-eye-height2-incr": 0.35,
        "l-eye-height3-incr": 0.3,
    },
    "eye tilt": {"l-eye-corner2-up": 0.55, "l-eye-corner1-up": -0.4, "l-eye-eyefold-angle-up": 0.3},
    "eye spacing": {"l-eye-trans-out": 0.42},
    "eye height": {"l-eye-trans-up": 0.35, "eyebrows-trans-up": 0.3, "nose-trans-up": 0.2},
    "lids": {"l-eye-eyefold-up": -0.5, "l-eye-eyefold-convex": 0.4, "l-eye-bag-incr": 0.35},
    "brow ridge": {
        "forehead-nubian-incr": 0.35,
        "eyebrows-trans-forward": 0.5,
        "l-eye-push1-out": -0.25,
    },
    "brows": {"eyebrows-trans-up": 0.5, "eyebrows-angle-up": 0.4},
    "mouth width": {
        "mouth-scale-horiz-incr": 0.45,
        "mouth-upperlip-width-incr": 0.3,
        "mouth-lowerlip-width-incr": 0.3,
    },
    "lips": {
        "mouth-scale-vert-incr": 0.3,
        "mouth-lowerlip-height-incr": 0.4,
        "mouth-upperlip-height-incr": 0.45,
        "mouth-lowerlip-volume-incr": 0.4,
        "mouth-upperlip-volume-incr": 0.4,
    },
    "mouth height": {"mouth-trans-up": 0.45},
    "cupid": {"mouth-cupidsbow-incr": 0.5, "mouth-philtrum-volume-incr": 0.4},
    "forehead": {
        "forehead-scale-vert-incr": 0.5,
        "forehead-temple-incr": 0.4,
        "forehead-trans-forward": 0.3,
    },
    "cheekbones": {
        "l-cheek-bones-incr": 0.55,
        "l-cheek-inner-incr": 0.35,
        "l-cheek-trans-up": 0.35,
    },
    "ears": {"l-ear-scale-incr": 0.5, "l-ear-wing-incr": 0.6},
}
# How much each slider varies on its own, by the longest prefix that fits.
ALONE = {
    "head-": 0.15,
    "head-angle": 0.2,
    "neck": 0.25,
    "forehead": 0.2,
    "eyebrows": 0.18,
    "nose": 0.26,
    "mouth": 0.17,
    "mouth-scale-depth": 0.1,
    "mouth-trans": 0.1,
    "chin": 0.18,
    "l-eye": 0.18,
    "l-cheek": 0.25,
    "l-ear": 0.4,
}
SKIPPED = (
    "head-trans",
    "head-age",
    "nose-trans-in",
    "nose-trans-out",
    "mouth-trans-in",
    "mouth-trans-out",
    "neck-trans",
    "l-eye-epicanthus",
    "l-ear-trans",
    "l-ear-shape",
)
HEADS = tuple(
    f"head-{k}"
    for k in [
        "diamond",
        "invertedtriangular",
        "oval",
        "rectangular",
        "round",
        "square",
        "triangular",
    ]
)
# What makes a shape a woman's or a man's beyond MakeHuman's own gender target.
FEMALE = {
    "chin-width-incr": -0.45,
    "chin-bones-incr": -0.5,
    "chin-prominent-incr": -0.35,
    "chin-height-incr": -0.25,
    "head-fat-incr": 0.08,
    "nose-scale-vert-incr": -0.2,
    "nose-scale-horiz-incr": -0.2,
    "nose-scale-depth-incr": -0.15,
    "nose-hump-incr": -0.2,
    "nose-volume-incr": -0.3,
    "eyebrows-trans-up": 0.35,
    "eyebrows-trans-forward": -0.5,
    "eyebrows-angle-up": 0.15,
    "forehead-nubian-incr": -0.4,
    "mouth-upperlip-volume-incr": 0.3,
    "mouth-lowerlip-volume-incr": 0.25,
    "mouth-upperlip-height-incr": 0.15,
    "neck-scale-horiz-incr": -0.4,
    "l-eye-scale-incr": 0.28,
    "l-eye-height2-incr": 0.25,
    "l-eye-corner2-up": 0.12,
    "l-cheek-bones-incr": 0.2,
    "l-cheek-volume-incr": 0.25,
}
MALE = {"l-eye-scale-incr": 0.08, "l-eye-height2-incr": 0.08, "chin-bones-incr": -0.08}
NEUTRAL = {
    "mouth-angles-up": 0.12,
    "mouth-scale-horiz-incr": 0.12,
    "mouth-scale-depth-incr": -0.15,
    "chin-prognathism-incr": -0.08,
}
