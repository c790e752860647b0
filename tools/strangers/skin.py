# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin: two textures mixed, recoloured in Lab, aged, blotched, freckled, shaved."""

from __future__ import annotations

import numpy as np

from tools.strangers.assets import Assets
from tools.strangers.mathematics import Array, blur, from_lab, noise, smooth, to_lab
from tools.strangers.person import Person


def target_colour(person: Person) -> Array:
    """Mean Lab colour of the face: from the darkness, with a scatter of undertones."""
    r = person.stream("tone")
    bow = np.sin(np.pi * person.darkness)
    light = 77 - 47 * person.darkness + r.normal(0, 1.2)
    red = 11 + 2.5 * bow + r.normal(0, 1.5)
    yellow = 15 + 6 * bow - 1.5 * person.darkness + r.normal(0, 2)
    return np.array([light, red, yellow])


def _sources(person: Person) -> list[str]:
    old, african, asian = person.age, person.ancestry[0], person.ancestry[1]
    if not person.male:
        return ["asi_f_y", "cau_f_y2", "cau_f_s", *(["asi_f_m"] * 2 if old > 35 else [])]
    if african > 0.5:
        return ["afr_m_y", "afr_m_m", *(["afr_m_o"] * 2 if old > 45 else [])]
    if asian > 0.5:
        return ["asi_m_y", "asi_m_m", "cau_m_y2"]
    return ["cau_m_y", "cau_m_y2", "asi_m_y", *(["cau_m_m", "asi_m_m"] * 2 if old > 38 else [])]


def paint(assets: Assets, person: Person) -> Array:
    """The skin as sRGB in 0..1, without hair or beard: (height, width, 3)."""
    r = person.stream("skin")
    names = _sources(person)
    first, second = str(r.choice(names)), str(r.choice(names))
    share = smooth(-1, 1, noise(r, 20, assets.shape) + r.normal(-0.5, 0.6))[..., None]
    lab = assets.lab[first] * (1 - share) + assets.lab[second] * share
    out = _recolour(assets, person, r, lab, african=first.startswith("afr"))
    _age(assets, person, r, out, young=first.endswith(("_y", "y2")))
    _blotches(assets, person, r, out)
    _spots(assets, person, r, out)
    if not person.male:
        _make_up(assets, r, out)
    return from_lab(np.clip(out, [0, -60, -60], [97, 60, 60]))


def _recolour(
    assets: Assets, person: Person, r: np.random.Generator, lab: Array, *, african: bool
) -> Array:
    """The texture at the person's own tone, with plain skin in place of the shaved scalp."""
    shape, tone = assets.shape, target_colour(person)
    mean = lab[assets.face & (assets.lips < 0.05)].mean(0)
    scalp = np.clip(assets.scalp * (1.3 if african else 1.0), 0, 1)[..., None]
    mottle = np.stack(
        [
            noise(r, 9, shape) * 0.9 + noise(r, 1.5, shape) * 0.6,
            noise(r, 15, shape) * 0.7,
            noise(r, 15, shape) * 0.7,
        ],
        -1,
    )
    lab = lab * (1 - scalp) + scalp * (mean * np.array([0.97, 1.05, 1.02]) + mottle)
    lab[~assets.inside] = mean
    contrast = r.uniform(0.75, 1.25) * (1.0 if person.male else 0.8)
    out = np.empty_like(lab)
    out[..., 0] = (mean[0] + (lab[..., 0] - mean[0]) * contrast) * (tone[0] / mean[0])
    pink = 0.9 - 0.2 * person.darkness
    out[..., 1] = (lab[..., 1] - mean[1]) * pink * r.uniform(0.8, 1.15) + tone[1]
    out[..., 2] = (lab[..., 2] - mean[2]) * 0.9 + tone[2]
    if not african and person.darkness > 0.45:
        # Lips of a light texture are too pink on dark skin.
        out[..., 1] -= assets.lips * 7 * person.darkness
        out[..., 0] *= 1 - assets.lips * 0.12 * person.darkness
    return out


def _ageing(person: Person) -> float:
    return float(np.clip((person.age - 38) / 32, 0, 1.1))


def _age(
    assets: Assets, person: Person, r: np.random.Generator, out: Array, *, young: bool
) -> None:
    """Wrinkles: how old and middle-aged textures differ from young ones of the same head."""
    visible = 1 - assets.scalp * 0.7
    strength = (1.0 if person.male else 0.45) * r.uniform(0.7, 1.15)
    out[..., 0] *= 1 + (assets.wrinkles["old"] - 1) * visible * _ageing(person) * strength
    if young:
        middle = assets.wrinkles["male" if person.male else "female"]
        amount = float(np.clip((person.age - 28) / 25, 0, 1))
        out[..., 0] *= 1 + (middle - 1) * visible * amount


def _blotches(assets: Assets, person: Person, r: np.random.Generator, out: Array) -> None:
    """Soft differences of the tone that every face has its own of, and its finer grain."""
    shape, x, y, z = assets.shape, assets.ax, assets.y, assets.z
    light, red = out[..., 0], out[..., 1]
    light += noise(r, 17, shape) * r.uniform(0.8, 2.6) + noise(r, 6, shape) * r.uniform(0.2, 1.2)
    red += noise(r, 20, shape) * r.uniform(0.3, 1.3)
    light += noise(r, 4.5, shape) * r.uniform(0.3, 1.0) + noise(r, 1.1, shape) * r.uniform(0.3, 1.3)
    light += noise(r, 2.2, shape) * r.uniform(0.2, 0.9)
    red += noise(r, 7, shape) * r.uniform(0.3, 1.1) + noise(r, 2, shape) * 0.35
    cheeks = np.exp(-(((x - 0.42) / 0.22) ** 2 + ((y - 6.85) / 0.25) ** 2)) * (z > 0.9)
    nose = np.exp(-((x / 0.13) ** 2 + ((y - 6.95) / 0.14) ** 2)) * (z > 1.4)
    red += (cheeks * r.uniform(0, 5) + nose * r.uniform(0, 5)) * (1 - 0.6 * person.darkness)
    socket = np.exp(-(((x - 0.30) / 0.17) ** 2 + ((y - 7.12) / 0.07) ** 2)) * (z > 1.0)
    light -= socket * r.uniform(0, 5.5) * (1 + _ageing(person)) * 0.7
    around = np.exp(-(((x - 0.30) / 0.22) ** 2 + ((y - 7.26) / 0.12) ** 2)) * (z > 1.0)
    light -= around * r.uniform(-1.5, 2.5)
    light += np.exp(-(((y - 7.7) / 0.25) ** 2)) * (z > 0.6) * r.uniform(-3, 2)


def _spots(assets: Assets, person: Person, r: np.random.Generator, out: Array) -> None:
    """Freckles, spots of age, moles."""
    shape, ageing = assets.shape, _ageing(person)
    fair = person.ancestry[2] > 0.6 and person.darkness < 0.4
    if r.random() < (0.3 if fair else 0.08):
        freckles = smooth(1.1, 2.2, noise(r, 1.0, shape))
        freckles = freckles * np.exp(-(((assets.y - 7.0) / 0.35) ** 2)) * (assets.z > 0.9)
        out[..., 0] -= freckles * r.uniform(3, 10)
    if ageing > 0.3:
        spots = smooth(1.6, 2.4, noise(r, 2.5, shape)) * ageing * r.uniform(0, 7)
        out += spots[..., None] * np.array([-1, 0.2, 0.4])
    rows, columns = np.where(assets.face)
    yy, xx = np.ogrid[: shape[0], : shape[1]]
    for _ in range(r.poisson(1.6)):
        j, radius = r.integers(len(rows)), r.uniform(0.7, 1.5)
        spot = np.exp(-((yy - rows[j]) ** 2 + (xx - columns[j]) ** 2) / radius**2)
        out[..., 0] *= 1 - 0.45 * spot


def _make_up(assets: Assets, r: np.random.Generator, out: Array) -> None:
    if r.random() < 0.75:
        amount = r.uniform(0.2, 0.8)
        out[..., 0] *= 1 - assets.lips * r.uniform(0.0, 0.28) * amount
        out[..., 1] += assets.lips * r.uniform(2, 18) * amount
        out[..., 2] += assets.lips * r.uniform(-5, 6) * amount
    if r.random() < 0.35:
        x, y = assets.ax, assets.y
        lid = np.exp(-(((x - 0.31) / 0.15) ** 2 + ((y - 7.27) / 0.05) ** 2)) * (assets.z > 1.0)
        out[..., 0] -= lid * r.uniform(2, 7)


def beard_mask(assets: Assets, r: np.random.Generator) -> Array:
    """Where the beard grows: all of it, a goatee, or all but the upper lip; 0 to 1."""
    mask = assets.beard
    kind = r.choice(["all", "goatee", "no moustache"], p=[0.74, 0.18, 0.08])
    lip = np.exp(-(((assets.y - 6.79) / 0.09) ** 2)) * smooth(0.42, 0.3, assets.ax)
    if kind == "goatee":
        mask = mask * smooth(0.42, 0.30, assets.ax)
    elif kind == "no moustache":
        mask = mask * (1 - lip)
    line = r.uniform(-0.12, 0.12)  # how high the beard grows on the cheeks
    mask = mask * smooth(7.0 + line, 6.75 + line, assets.y)
    return np.asarray(mask * np.clip(0.9 + 0.3 * noise(r, 3, assets.shape), 0, 1), np.float32)


def shade(rgb: Array, mask: Array, colour: Array) -> Array:
    """Stubble seen as a tint: ``mask`` 0..1 of a linear hair colour over sRGB skin."""
    tint = np.clip(np.asarray(colour) ** (1 / 2.2) * 0.9 + 0.02, 0, 1)
    weight = np.clip(mask, 0, 1)[..., None]
    return np.asarray(rgb * (1 - weight) + weight * (tint * 0.75 + 0.15 * rgb))


def relief(rgb: Array) -> Array:
    """Height for the bump map, from the fine structure of the skin's lightness; 0..1."""
    light = to_lab(rgb)[..., 0]
    return np.clip(0.5 + (blur(light, 0.6) - blur(light, 3.5)) * 0.04, 0, 1)
