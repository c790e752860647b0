"""Portrait subtraction: find the stranger of X' in the public bank, and take it away.

Below the fine band X' is the stranger to within a grey level, and the bank is shipped to everybody.
What it leaves open is which two portraits were averaged, mirrored or not, and how the mean was
moved and lit. The portraits are searched on their thumbnails; the movement is fitted by gradient
descent on the coarse band; light, contrast, tint and saturation are one linear map of the colours,
which least squares give. What is left is what was painted on the stranger for the recognisers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.nulls import mean_face
from veilface.attacks.unmasking import stretched
from veilface.core.files import write_atomic
from veilface.imaging.frequency import high_pass
from veilface.protectors.veil.diversity import moved_each
from veilface.protectors.veil.strangers import Bank, load_bank

CUTOFF = 14.0
"""Cycles per image up to which `persona` leaves the stranger alone."""

_KEPT = 48  # portraits whose pairs are compared
_FITTED = 4  # pairs whose movement is fitted
_STEPS = 60
_RATES = (0.01, 0.01, 0.4)  # of the zoom, the angle in radians, the offset in pixels


@dataclass(frozen=True, slots=True)
class Stranger:
    """The stranger that was found in an image.

    Attributes:
        face: (3, 112, 112), as it was before anything was painted on it.
        portraits: Numbers in the bank of the two that were averaged.
        mirrored: Whether their mean was.
        error: Root mean square of what the coarse band of the image is off, in units of [0, 1].
    """

    face: Tensor
    portraits: tuple[int, int]
    mirrored: bool
    error: float


def subtracted(setting: Setting) -> Fitted:
    """What is left of an image without its stranger, stretched around mid-grey."""
    return Fitted(
        lambda protected: stretched(painted(protected.images, setting.folder)),
        {"portraits": len(load_bank())},
    )


def grafted(setting: Setting) -> Fitted:
    """What is left of an image without its stranger, on the average face in its stead.

    Raises:
        DatasetError: There are no photos to average.
    """
    bank, faces = load_bank(), setting.training_faces()
    mean = mean_face(faces)
    return Fitted(
        lambda protected: (mean + painted(protected.images, setting.folder)).clamp(0, 1),
        {"portraits": len(bank), "faces": faces.name, "photos": len(faces)},
    )


def painted(images: Tensor, folder: Path) -> Tensor:
    """(N, 3, 112, 112) images minus the strangers that are found under them, on the CPU."""
    return images.cpu() - strangers(images, folder)


def strangers(images: Tensor, folder: Path) -> Tensor:
    """(N, 3, 112, 112) the strangers under images, on the CPU; searched once and then kept.

    Args:
        images: (N, 3, 112, 112) in [0, 1].
        folder: Keeps them.
    """
    bank, kept = load_bank(), images.cpu().contiguous()
    digest = hashlib.sha256(bank.digest.encode() + kept.numpy().tobytes()).hexdigest()
    path = folder / f"strangers-{digest[:16]}.safetensors"
    if path.is_file():
        return load(path.read_bytes())["faces"]
    thumbnails = bank.thumbnails(torch.arange(len(bank)))
    faces = torch.stack([find_stranger(image, bank, thumbnails).face for image in kept])
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, save({"faces": faces}), overwrite=True)
    return faces


def find_stranger(image: Tensor, bank: Bank, thumbnails: Tensor) -> Stranger:
    """Search the bank for what an image (3, 112, 112) was made from.

    Args:
        image: In [0, 1].
        bank: The portraits.
        thumbnails: (len(bank), 588) of all of them.
    """
    seen = _coarse(image[None])
    found: Stranger | None = None
    for mirrored, first, second in _likest_pairs(image, thumbnails):
        mean = bank.faces(torch.tensor([first, second])).mean(dim=0, keepdim=True)
        face = _fit(mean.flip(3) if mirrored else mean, seen)
        error = float((_coarse(face[None]) - seen).square().mean().sqrt())
        if found is None or error < found.error:
            found = Stranger(face, (first, second), mirrored, error)
    assert found is not None  # noqa: S101 - there is a pair in every bank
    return found


def _likest_pairs(image: Tensor, thumbnails: Tensor) -> list[tuple[bool, int, int]]:
    """The pairs of portraits whose mean looks the most like an image from afar."""
    side = image.shape[-1] // 8
    wanted = _centred(F.avg_pool2d(image[None], 8).flatten(1))
    ranked: list[tuple[float, bool, int, int]] = []
    for mirrored in (False, True):
        views = thumbnails.view(-1, 3, side, side)
        views = (views.flip(3) if mirrored else views).flatten(1)
        near = (_centred(views) @ wanted.T)[:, 0].topk(min(_KEPT, len(views))).indices
        first, second = torch.triu_indices(len(near), len(near))
        likeness = (_centred((views[near[first]] + views[near[second]]) / 2) @ wanted.T)[:, 0]
        for place in likeness.topk(min(_FITTED, len(likeness))).indices.tolist():
            pair = int(near[first[place]]), int(near[second[place]])
            ranked.append((float(likeness[place]), mirrored, *pair))
    best = sorted(ranked, reverse=True)[:_FITTED]
    return [(mirrored, one, other) for _, mirrored, one, other in best]


def _fit(mean: Tensor, seen: Tensor) -> Tensor:
    """A mean portrait (1, 3, H, W) moved and coloured so that its coarse band is the one seen."""
    pose = torch.zeros(4, requires_grad=True)
    rates = torch.tensor([_RATES[0], _RATES[1], _RATES[2], _RATES[2]])
    unit = torch.optim.Adam([pose], lr=1.0)
    with torch.enable_grad():
        for step in range(_STEPS):
            unit.param_groups[0]["lr"] = 1.0 - step / _STEPS
            unit.zero_grad()
            error = (_coloured(_moved(mean, pose * rates), seen)[1] - seen).square().mean()
            error.backward()  # type: ignore[no-untyped-call]
            unit.step()
    with torch.no_grad():
        return _coloured(_moved(mean, pose * rates), seen)[0][0].clamp(0, 1)


def _moved(mean: Tensor, pose: Tensor) -> Tensor:
    return moved_each(mean, zoom=1 + pose[0:1], angle=pose[1:2], offset=pose[2:4][None])


def _coloured(face: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """A face and its coarse band under the linear map of colours that fits what is seen best."""
    coarse = _coarse(face)
    ones = torch.ones_like(coarse[:, :1])
    known = torch.cat([coarse, ones], dim=1).flatten(2)[0].T
    with torch.no_grad():
        colours = torch.linalg.lstsq(known, seen.flatten(2)[0].T).solution
    whole = torch.cat([face, ones], dim=1).flatten(2)[0].T
    return (whole @ colours).T.view_as(face), (known @ colours).T.view_as(face)


def _coarse(x: Tensor) -> Tensor:
    return x - high_pass(x, cutoff=CUTOFF)


def _centred(x: Tensor) -> Tensor:
    return F.normalize(x - x.mean(dim=1, keepdim=True), dim=1)
