"""Between faces and their 192 coefficient images, and between all of them and some.

A coefficient image has the size of the face: one coefficient of each block of the face enlarged
eightfold. Channel ``64p + 8u + v`` is vertical frequency u, horizontal frequency v of plane p of
Y, Cb, Cr. The DC of Y reaches 1024 and holds 99.5 % of the energy, so that a network needs a
scale for each channel, and 8 bits do not hold them.
"""

from __future__ import annotations

from torch import Tensor

from veilface.imaging.ycbcr import from_centred_ycbcr, to_centred_ycbcr
from veilface.protectors.dct.matrices import BLOCK, analysis, synthesis

PLANES = 3
FREQUENCIES = BLOCK * BLOCK
CHANNELS = PLANES * FREQUENCIES


def encode(x: Tensor) -> Tensor:
    """Faces to coefficients.

    Args:
        x: (N, 3, S, S) float RGB in [0, 1].

    Returns:
        (N, 192, S, S), linear in ``x - 128/255``.

    Source:
        The front end of DuetFace (MM 2022), which PartialFace and MinusFace share.
    """
    count, _, side, _ = x.shape
    a = analysis(side).to(x)
    blocks = a @ to_centred_ycbcr(x) @ a.T
    split = blocks.view(count, PLANES, BLOCK, side, BLOCK, side)
    return split.transpose(3, 4).reshape(count, CHANNELS, side, side)


def decode(channels: Tensor) -> Tensor:
    """Coefficients to a picture: affine, zeros become mid-grey.

    Args:
        channels: (N, 192, S, S).

    Returns:
        (N, 3, S, S) RGB, not clamped. ``decode(encode(x))`` is nearly x (58 dB on faces): what was
        enlarged is sampled between its pixels. ``encode(decode(c))`` is not c: the coefficients
        are a redundant image of 64 times as many values.
    """
    count, _, side, _ = channels.shape
    split = channels.view(count, PLANES, BLOCK, BLOCK, side, side)
    blocks = split.transpose(3, 4).reshape(count, PLANES, BLOCK * side, BLOCK * side)
    b = synthesis(side).to(channels)
    return from_centred_ycbcr(b @ blocks @ b.T)


def pick(channels: Tensor, frequencies: Tensor) -> Tensor:
    """The same frequencies of each plane.

    Args:
        channels: (N, 192, S, S).
        frequencies: (K,) or, for every image its own, (N, K) int64 in 0..63.

    Returns:
        (N, 3K, S, S), plane after plane, in the order of ``frequencies``.
    """
    count, _, *sides = channels.shape
    planes = channels.view(count, PLANES, FREQUENCIES, *sides)
    return planes.gather(2, _index(planes, frequencies)).flatten(1, 2)


def place(part: Tensor, frequencies: Tensor) -> Tensor:
    """Inverse of `pick`: (N, 192, S, S) with zeros where nothing was picked."""
    count, _, *sides = part.shape
    planes = part.view(count, PLANES, frequencies.shape[-1], *sides)
    empty = part.new_zeros(count, PLANES, FREQUENCIES, *sides)
    return empty.scatter(2, _index(planes, frequencies), planes).flatten(1, 2)


def _index(planes: Tensor, frequencies: Tensor) -> Tensor:
    count, _, _, *sides = planes.shape
    rows = frequencies.to(planes.device).expand(count, frequencies.shape[-1])
    return rows[:, None, :, None, None].expand(-1, PLANES, -1, *sides)
