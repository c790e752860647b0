"""An aligned face in the light of the photo that it is put into; its fine band stays as it is.

Recognisers read a protected face from what is finer than about eight cycles a face, people from
what is coarser. Only the coarse part is touched here: it is multiplied, as by another light, so
that the colour and the contrast of the skin and then what is left along the edge of the face agree
with the photo. Of what the photo shows *inside* of the face one colour is used, that of its
cheeks; everything else comes from the ring around it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veilface.core.template import SIDE

Plane = npt.NDArray[np.float32]

COARSE = 6.0
"""Standard deviation in template pixels of the blur that leaves the coarse band: it keeps 3 % of a
wave of 8 cycles a face and 0.1 % of one of 11."""

_NEAR = 1.5  # blur of the ring before it is compared, in template pixels
_FLOOR = 0.01  # added before logarithms: darker differences are noise
_STRICT = ((0.5, 0.15), (0.4, 0.12))  # shade and hue of skin, photo and face; logarithms
_LOOSE = ((0.6, 0.18), (0.9, 0.2))
_PRIOR = 150.0  # how many pixels of the ring the cheeks count for
_SPREAD = 0.15  # contrast of a face in ordinary light, where the ring shows no skin
_REACH = 1.0  # the largest change of the skin's colour: 2.7 times
_RELIGHT = 0.7  # the largest change along the edge beyond that
_SCALES = (3.0, 6.0, 12.0, 24.0)  # over which the edge's light fades into the face, in pixels
_KNEE, _WHITE = 0.75, 0.93  # highlights end below 1, so that the fine band is not clipped

_Y, _X = np.mgrid[0:SIDE, 0:SIDE]
_CHEEKS = (np.abs(np.abs(_X - (SIDE - 1) / 2) - 19) < 8) & (_Y >= 60) & (_Y <= 86)


def match_tone(face: Plane, photo: Plane, ring: Plane, inner: Plane) -> Plane:
    """Give a face the light of a photo.

    Args:
        face: (112, 112, 3) aligned RGB face in [0, 1].
        photo: (112, 112, 3) what the photo shows in the same square.
        ring: (112, 112) in {0, 1}: where the photo may be looked at, around the face.
        inner: (112, 112) in {0, 1}: the inner face, which keeps the colour of the whole.

    Returns:
        (112, 112, 3) face in [0, 1]; the face itself where the photo shows that very face.
    """
    own, theirs = skin_colour(face), skin_colour(photo)
    here, there = (logarithms(_masked_blur(image, ring)) for image in (face, photo))

    def skin(tolerance: tuple[tuple[float, float], tuple[float, float]]) -> Plane:
        both: Plane = ring * alike(there - theirs, *tolerance[0]) * alike(here - own, *tolerance[1])
        return both

    strict = skin(_STRICT)[:, :, None]
    count = strict.sum() + _PRIOR
    mean_here, mean_there = (
        ((values * strict).sum((0, 1)) + _PRIOR * cheeks) / count
        for values, cheeks in ((here, own), (there, theirs))
    )
    spread_here, spread_there = (
        np.sqrt(((_shade(values - mean) ** 2 * strict).sum() + _PRIOR * _SPREAD**2) / count)
        for values, mean in ((here, mean_here), (there, mean_there))
    )
    contrast = np.clip(spread_there / spread_here, 0.7, 1.4)

    def change(values: Plane) -> Plane:
        step: Plane = np.clip(mean_there - mean_here, -_REACH, _REACH) + (contrast - 1) * np.clip(
            _shade(values - mean_here), -0.7, 0.7
        )
        return step

    left = np.clip(there - here - change(here), -_RELIGHT, _RELIGHT)
    coarse = blur(face, COARSE)
    light = change(logarithms(coarse)) + _spread_inward(left, skin(_LOOSE), inner)
    toned = face + (_compressed(coarse * np.exp(light)) - _compressed(coarse))
    return np.clip(toned, 0, 1).astype(np.float32)


def skin_colour(image: Plane) -> Plane:
    """The colour of the skin of an aligned face: a robust mean over its cheeks.

    Args:
        image: (112, 112, 3) RGB in [0, 1].

    Returns:
        (3,) natural logarithms of the RGB values.
    """
    values = logarithms(image[_CHEEKS])
    plausible = _skin_like(values) + 0.05  # never nothing: light may have any colour
    colour: Plane = np.median(values, 0)
    for _ in range(5):
        weight = (plausible * alike(values - colour, 0.5, 0.15))[:, None]
        colour = (values * weight).sum(0) / weight.sum()
    return colour


def logarithms(colours: Plane) -> Plane:
    """Colours in [0, 1] as logarithms, in which another light is a sum."""
    values: Plane = np.log(colours + _FLOOR)
    return values


def alike(difference: Plane, shade: float, hue: float) -> Plane:
    """How much colours are of one surface, under more or less of one light.

    Args:
        difference: (..., 3) differences of logarithms.
        shade: By how much the brightness may differ, a logarithm.
        hue: The same for the hue, which light changes less.

    Returns:
        (...) in (0, 1]: 1 for equal colours, 1/4 at one of the tolerances.
    """
    brightness = _shade(difference)
    rest = np.square(difference - brightness).sum(-1)
    similar: Plane = 1 / (1 + np.square(brightness[..., 0] / shade) + rest / hue**2) ** 2
    return similar


def blur(image: Plane, sigma: float) -> Plane:
    """Gaussian blur of (H, W) or (H, W, C) that repeats the border pixels."""
    soft: Plane = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return soft


def _masked_blur(image: Plane, mask: Plane) -> Plane:
    """The mean of what the mask shows near each pixel: nothing beside it enters."""
    weight = blur(mask, _NEAR)[:, :, None].clip(min=1e-6)
    mean: Plane = blur(image * mask[:, :, None], _NEAR) / weight
    return mean


def _spread_inward(left: Plane, weight: Plane, inner: Plane) -> Plane:
    """A smooth field that equals `left` where it has weight and fades to 0 in the inner face.

    A mean of the known values, whose weights fall with the distance over several scales: along the
    edge the nearest count, further inside all of them, and those of the inner face, which are 0.
    """
    known, total = np.zeros_like(left), np.zeros_like(weight)
    for sigma in _SCALES:
        known += blur(left * weight[:, :, None], sigma)
        total += blur(weight + inner, sigma) + 1e-3 / sigma
    field: Plane = known / total[:, :, None]
    return field


def _shade(values: Plane) -> Plane:
    mean: Plane = values.mean(-1, keepdims=True)
    return mean


def _skin_like(values: Plane) -> Plane:
    """Whether logarithms of colours are those of skin in white light: red over green over blue."""
    steps = values[:, :2] - values[:, 1:]
    low, high = np.array([0.0, -0.05], np.float32), np.array([0.9, 0.7], np.float32)
    far = np.maximum(low - steps, 0) + np.maximum(steps - high, 0)
    plausible: Plane = np.exp(-np.square(far).sum(-1) / 0.02)
    return plausible


def _compressed(values: Plane) -> Plane:
    """Highlights above `_KNEE` pressed together below `_WHITE`, the rest unchanged."""
    room = _WHITE - _KNEE
    bent: Plane = np.where(
        values < _KNEE, values, _KNEE + room * np.tanh((values - _KNEE) / room)
    ).astype(np.float32)
    return bent
