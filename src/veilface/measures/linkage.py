"""Linkage: does plain image similarity, without any face recogniser, find the source of X'?

Three matchers compare X' with a gallery of clean photos that holds its source. NCC and HOG are what
losses may lower, so they run at scales of their own; LBP enters no loss. Each looks at several
scales, and the one that links best is the figure: an attacker may choose it, and where chance is
as rare as 1/M the choice adds little to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.errors import ShapeError
from veilface.imaging.filters import coarse_luma, gaussian_blur, luma, oriented_gradients
from veilface.measures.intervals import Estimate, wilson

Descriptors = Mapping[str, tuple[Tensor, ...]]

_CHUNK = 8  # images described at a time: the nine planes of HOG stay in the cache of a CPU

# Uniform LBP of 8 samples on a circle of 2 pixels in 7x7 cells, compared by chi-square:
# Ahonen et al., DOI 10.1109/TPAMI.2006.244.
_SAMPLES, _RADIUS, _CELL = 8, 2.0, 16
_EQUAL = 1e-6  # differences below it are rounding of the interpolation, not texture


@dataclass(frozen=True, slots=True)
class Matcher:
    """A way to compare images.

    Attributes:
        describe: Maps (N, 3, 112, 112) images and a blur σ in pixels to (N, F) descriptors.
        compare: Maps (N, F) and (M, F) to (N, M) similarities, larger for more alike.
        sigmas: The scales.
    """

    describe: Callable[..., Tensor]
    compare: Callable[[Tensor, Tensor], Tensor]
    sigmas: tuple[float, ...]


def describe(images: Tensor) -> Descriptors:
    """What the matchers see of images; worth keeping for a gallery that is searched often.

    Args:
        images: (N, 3, 112, 112) float RGB in [0, 1].

    Returns:
        Per matcher, for each of its scales, (N, F) descriptors.

    Raises:
        ShapeError: Another shape.
    """
    if images.ndim != 4 or tuple(images.shape[1:]) != (3, 112, 112) or not len(images):
        raise ShapeError(f"images must be (N, 3, 112, 112), got {tuple(images.shape)}")
    with torch.inference_mode():
        return {
            name: tuple(
                torch.cat(
                    [matcher.describe(part, sigma=sigma) for part in torch.split(images, _CHUNK)]
                )
                for sigma in matcher.sigmas
            )
            for name, matcher in MATCHERS.items()
        }


def similarities(protected: Descriptors, gallery: Descriptors) -> Mapping[str, Tensor]:
    """Compare every protected image (N) with every clean one (M), both as `describe` sees them.

    Returns:
        Per matcher (scales, N, M), larger for more alike.
    """
    with torch.inference_mode():
        return {
            name: torch.stack(list(map(matcher.compare, protected[name], gallery[name])))
            for name, matcher in MATCHERS.items()
        }


def link(protected: Tensor, gallery: Tensor, own: Tensor) -> Mapping[str, Estimate]:
    """Rank-1 linkage of protected images to their sources.

    Args:
        protected: (N, 3, 112, 112) float RGB in [0, 1].
        gallery: (M, 3, 112, 112) clean photos, the sources among them.
        own: (N,) where in the gallery each source lies.

    Returns:
        Per matcher the share of X' whose source is more similar than every other photo.

    Raises:
        ShapeError: As in `describe`, or ``own`` does not name a photo for each X'.
    """
    return linked(similarities(describe(protected), describe(gallery)), own)


def linked(table: Mapping[str, Tensor], own: Tensor) -> Mapping[str, Estimate]:
    """`link` from `similarities`.

    Raises:
        ShapeError: ``own`` (N,) does not name a column for each row.
    """
    return {
        name: wilson(int(won(scores, own).sum(dim=1).max()), len(own))
        for name, scores in table.items()
    }


def won(scores: Tensor, own: Tensor) -> Tensor:
    """Which rows their own column wins; an equally similar photo of somebody else is no win.

    Args:
        scores: (scales, N, M) similarities.
        own: (N,) column of each row.

    Returns:
        (scales, N) bool.

    Raises:
        ShapeError: As in `linked`.
    """
    _, rows, columns = scores.shape
    if tuple(own.shape) != (rows,) or not bool(((own >= 0) & (own < columns)).all()):
        raise ShapeError(f"own must be {rows} numbers of {columns} photos")
    mine = scores.gather(2, own.long().expand(len(scores), rows)[..., None])
    return (scores >= mine).sum(dim=2) == 1


def binary_patterns(x: Tensor, *, sigma: float) -> Tensor:
    """Histograms of uniform local binary patterns of the blurred luma.

    Args:
        x: (N, 3, H, W) in [0, 1].
        sigma: Blur before the patterns, in pixels.

    Returns:
        (N, 59 * cells) shares of the patterns within each cell of 16x16 pixels.
    """
    codes = pattern_codes(gaussian_blur(luma(x), sigma=sigma)[:, 0])
    rows, columns = codes.shape[1] // _CELL, codes.shape[2] // _CELL
    codes = codes[:, : rows * _CELL, : columns * _CELL]
    cells = codes.unfold(1, _CELL, _CELL).unfold(2, _CELL, _CELL).reshape(-1, _CELL**2)
    patterns = int(_UNIFORM.max()) + 1
    places = cells + patterns * torch.arange(len(cells), device=x.device)[:, None]
    counts = torch.bincount(places.flatten(), minlength=patterns * len(cells))
    return (counts.to(x.dtype) / _CELL**2).reshape(len(x), -1)


def pattern_codes(field: Tensor) -> Tensor:
    """The uniform pattern of each pixel: which samples around it are at least as bright.

    Args:
        field: (N, H, W) grey values.

    Returns:
        (N, H, W) int64 in [0, 58]; 58 is every pattern with more than two changes around the
        circle. Borders are replicated. Oracle: skimage.feature.local_binary_pattern, nri_uniform.
    """
    reach = int(_RADIUS)
    padded = F.pad(field[:, None], (reach,) * 4, mode="replicate")[:, 0]
    height, width = field.shape[1:]
    least = field - _EQUAL
    code = torch.zeros_like(field, dtype=torch.uint8)
    for sample in range(_SAMPLES):
        angle = torch.tensor(2 * torch.pi * sample / _SAMPLES, dtype=torch.float64)
        down, right = (round(float(v) * _RADIUS, 5) for v in (-angle.sin(), angle.cos()))
        top, left = int(down // 1), int(right // 1)
        low, across = down - top, right - left
        value = torch.zeros_like(field)
        for dy, share_y in ((0, 1 - low), (1, low)):
            for dx, share_x in ((0, 1 - across), (1, across)):
                if share_y * share_x > 0:
                    y, x = reach + top + dy, reach + left + dx
                    value = value + share_y * share_x * padded[:, y : y + height, x : x + width]
        code |= (value >= least).to(torch.uint8) << sample
    return _UNIFORM.to(field.device)[code.long()]


def _uniform_table() -> Tensor:
    """(256,) number of each uniform pattern in order, and one number for all others."""
    codes = torch.arange(2**_SAMPLES)
    bits = (codes[:, None] >> torch.arange(_SAMPLES)) & 1
    uniform = (bits != bits.roll(1, dims=1)).sum(dim=1) <= 2
    numbers = uniform.cumsum(0) - 1
    return torch.where(uniform, numbers, int(uniform.sum()))


_UNIFORM = _uniform_table()


def _correlation(x: Tensor, y: Tensor) -> Tensor:
    return x @ y.mT


def _either_sign(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.mT).abs()  # a negative links as well as the image


def _chi_square(x: Tensor, y: Tensor) -> Tensor:
    # Σ (x - y)²/(x + y) of histograms of equal sum is a constant minus 4 Σ xy/(x + y). Only the
    # patterns that occur in x count, and xy/(x + y) = x - x²/(x + y) leaves one matrix product.
    columns, rows = y.mT.contiguous(), []
    for row in x:
        seen = row.nonzero()[:, 0]
        part = row[seen]
        rows.append(part.sum() - part**2 @ (part[:, None] + columns[seen]).reciprocal_())
    return torch.stack(rows)


MATCHERS: Mapping[str, Matcher] = MappingProxyType(
    {
        "ncc": Matcher(coarse_luma, _either_sign, (1.0, 3.0, 6.0)),
        "hog": Matcher(oriented_gradients, _correlation, (0.5, 1.0, 2.0, 4.0)),
        "lbp": Matcher(binary_patterns, _chi_square, (0.0, 2.0, 4.0)),
    }
)
