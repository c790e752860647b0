# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hair a person wears: hairline, style, fringe and beard, as strands or as textured cards."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tools.strangers.assets import Assets
from tools.strangers.mathematics import Array, blur, noise, smooth
from tools.strangers.person import Person
from tools.strangers.strands import Scalp, Style

MEN = {
    "bald": 0.06, "buzz": 0.14, "crown": 0.22, "side": 0.2, "back": 0.12, "fade": 0.12,
    "curly": 0.05, "long": 0.02, "card:short02": 0.02, "card:short04": 0.03, "card:short03": 0.02,
}  # fmt: skip
BLACK_MEN = {"bald": 0.18, "buzz": 0.3, "curly": 0.26, "crown": 0.06, "fade": 0.2}
WOMEN = {
    "long": 0.28, "wavy": 0.22, "bob": 0.18, "tied": 0.06, "side": 0.06, "curlylong": 0.11,
    "card:ponytail01": 0.03, "card:long01": 0.02, "card:braid01": 0.01,
}  # fmt: skip
BLACK_WOMEN = {
    "afro": 0.2, "tied": 0.1, "curly": 0.16, "curlylong": 0.18, "wavy": 0.2,
    "long": 0.1, "card:braid01": 0.03, "card:ponytail01": 0.03,
}  # fmt: skip


@dataclass(frozen=True)
class Hair:
    """What grows on a head.

    Attributes:
        style: Its name.
        strands: Pairs of (strands, points, 3) and a radius in metres.
        card: Accessory with hair as cards, or None.
        tint: How much the scalp takes the colour of the hair, over the texture; 0 to 1.
    """

    style: str
    strands: list[tuple[Array, float]]
    card: str | None
    tint: Array


def choose_style(person: Person) -> str:
    """A style by sex, age and ancestry."""
    r = person.stream("style")
    black = person.ancestry[0] > 0.5
    table = (BLACK_MEN if black else MEN) if person.male else (BLACK_WOMEN if black else WOMEN)
    weights = np.array(list(table.values()))
    name = str(r.choice(list(table), p=weights / weights.sum()))
    old = r.random()
    if person.male and person.age > 48 and old < 0.22:
        return "bald"
    if not person.male and person.age > 55 and old < 0.35 and not black:
        return "bob" if old < 0.2 else "side"
    return name


def _short(r: np.random.Generator, name: str) -> Style | None:
    u = r.uniform
    found: Style | None = None
    match name:
        case "buzz":
            found = Style(
                "crown", u(0.03, 0.09), lift=0.9, noise=0.006, clump=0, points=3, count=20000,
                radius=0.00011,
            )  # fmt: skip
        case "fade":
            flow = "crown" if r.random() < 0.6 else "back"
            found = Style(
                flow, u(0.18, 0.4), sides=u(0.03, 0.08), lift=0.7, noise=0.03, clump=0.35,
                count=18000, radius=0.00013,
            )  # fmt: skip
        case "crown":
            found = Style(
                "crown", u(0.22, 0.5), sides=u(0.1, 0.28), lift=u(0.35, 0.7), noise=0.04,
                clump=0.5, count=15000, offset=0.05,
            )  # fmt: skip
        case "back":
            found = Style(
                "back", u(0.5, 1.0), sides=u(0.2, 0.5), lift=u(0.3, 0.6), noise=0.05, clump=0.45,
                points=8, count=13000, offset=0.07,
            )  # fmt: skip
        case "curly":
            found = Style(
                "crown", u(0.2, 0.45), sides=u(0.12, 0.3), lift=1.6, lift_decay=0.3, noise=0.05,
                clump=0.3, curl=u(0.025, 0.05), curl_count=u(1.5, 3), points=12, count=9000,
                comb=0.6, gravity=0,
            )  # fmt: skip
        case "afro":
            found = Style(
                "out", u(0.25, 0.6), lift=2.0, lift_decay=0, noise=0.05, clump=0.45,
                curl=u(0.02, 0.04), curl_count=u(3, 5), points=14, count=11000, comb=0.1,
                gravity=0, radius=0.0002, spread=0.06, guides=800,
            )  # fmt: skip
    return found


def _style(r: np.random.Generator, name: str) -> Style:
    """The style of a name, with lengths, parting and curls of its own."""
    u, side = r.uniform, float(r.choice([-1, 1]))
    short = _short(r, name)
    if short is not None:
        return short
    if name == "side":
        return Style(
            "side", u(0.45, 0.8), sides=u(0.15, 0.4), parting=side * u(0.15, 0.38),
            lift=u(0.35, 0.6), noise=0.05, clump=0.5, points=8, count=13000, offset=0.07,
            backwards=bool(r.random() < 0.5),
        )  # fmt: skip
    if name == "tied":
        return Style(
            "tie", u(1.3, 1.7), tie=u(7.0, 8.2), lift=0.12, noise=0.015, clump=0.3, points=12,
            count=14000, offset=0.03, gravity=0, radius=0.00018,
        )  # fmt: skip
    length = u(1.2, 1.7) if name == "bob" else u(2.0, 2.6)
    style = Style(
        "long", length, parting=side * u(0, 0.34), lift=0.55, lift_decay=4, gravity=1.2,
        noise=0.07, clump=0.55, points=20, count=10000, offset=u(0.06, 0.16), guides=400,
        spread=0.06, radius=0.0002, stiffness=0.45,
    )  # fmt: skip
    if name == "wavy":
        style = replace(style, wave=u(0.05, 0.12), wave_count=u(2, 4))
    if name == "curlylong":
        style = replace(style, wave=u(0.05, 0.1), wave_count=u(3, 5), curl=u(0.05, 0.09))
        return replace(style, curl_count=length * u(2, 3), points=36, count=8000)
    return replace(style, brow=0.06, face=0.44) if r.random() < 0.3 else style


def _hairline(assets: Assets, person: Person, style: str) -> Array:
    """Density of hair over the texture, with a hairline of its own; 0 to 1."""
    r, shape = person.stream("hairline"), assets.shape
    x, y, z = assets.ax, assets.y, assets.z
    height = 7.93 + r.normal(0, 0.055) + (0.03 if person.male else 0.0)
    line = height + 0.10 * smooth(0.15, 0.5, x) * r.uniform(-0.2, 1.0)
    line = line + 0.018 * noise(r, 17, shape) + 0.014 * noise(r, 4, shape)
    grown = assets.scalp_grown * smooth(line - 0.12, line + 0.17, y) * (z > 0.1)
    mask = blur(np.maximum(assets.scalp_sharp, grown), 1.5)
    receding = 0.0
    if person.male:
        mean = 0.15 + 0.5 * float(np.clip((person.age - 30) / 40, 0, 1))
        receding = float(np.clip(r.normal(mean, 0.25), 0, 1))
        receding = min(receding, 0.6 if style in ("buzz", "fade") else 0.2 * r.random())
    if receding > 0.12:
        front = z + 0.25 * smooth(0.15, 0.5, x) * receding
        bare = smooth(1.25 - 0.75 * receding, 1.45 - 0.55 * receding, front)
        mask = mask * (1 - bare * smooth(7.6, 7.8, y))
    edge = noise(r, 1.5, shape) * 0.18 * (mask > 0.02)
    return np.asarray(np.clip(smooth(0.2, 0.95, mask + edge), 0, 1), np.float32)


def _fringe(r: np.random.Generator, assets: Assets, scalp: Scalp, mask: Array) -> Array | None:
    """Hair over the forehead, at most to the brows."""
    front = mask * smooth(0.55, 0.8, assets.z) * smooth(7.6, 7.75, assets.y)
    front = front * smooth(0.55, 0.4, assets.ax)
    style = Style(
        "fringe", r.uniform(0.34, 0.56), lift=0.25, gravity=0.6, noise=0.03, clump=0.55, points=9,
        count=4500, guides=200, offset=0.06, radius=0.00018, sweep=float(r.normal(0, 0.45)),
        spread=0.14, face=0.6, brow=0.05,
    )  # fmt: skip
    return scalp.strands(r, np.asarray(front, np.float32), style)


def grow(assets: Assets, person: Person, scalp: Scalp) -> Hair:
    """The hair of a person.

    Args:
        assets: Masks of the skin.
        person: Who.
        scalp: Where.
    """
    r, name = person.stream("hair"), choose_style(person)
    mask = _hairline(assets, person, name)
    if name == "bald":
        ring = mask * smooth(8.0, 7.7, assets.y) * smooth(0.7, 0.4, assets.z)
        tint = ring * r.uniform(0.15, 0.5) * (r.random() < 0.6) + mask * r.uniform(0, 0.18)
        return Hair(name, [], None, tint)
    tint = blur(mask**2.2, 1.5)
    if name.startswith("card:"):
        return Hair(name, [], name[5:], tint * 0.85)
    style = _style(r, name)
    found = [(scalp.strands(r, mask, style), style.radius)]
    chance = {"long": 0.3, "wavy": 0.25, "bob": 0.5, "crown": 0.25, "tied": 0.15}.get(name, 0.0)
    if r.random() < chance:
        found.append((_fringe(r, assets, scalp, mask), 0.00018))
    return Hair(name, [(c, w) for c, w in found if c is not None and len(c)], None, tint * 0.95)


def beard(person: Person, scalp: Scalp, mask: Array, full: bool) -> tuple[Array, float] | None:
    """Strands of a beard: stubble, or a full one."""
    r = person.stream("beard strands")
    length = float(r.uniform(0.04, 0.15)) if full else 0.035
    style = Style(
        "down", length, lift=0.8, comb=0, gravity=1.2, noise=0.03 if full else 0.012, clump=0.15,
        points=5, count=8000, guides=250, offset=0.01, spread=0.3, face=0,
    )  # fmt: skip
    c = scalp.strands(r, mask if full else np.asarray(mask * 0.6, np.float32), style)
    return None if c is None else (c, 0.00013 if full else 0.00009)
