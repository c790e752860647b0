"""What is still visible of a face: whether a detector finds it, its pose, and what it tells.

Age, sex, expression, the mesh of landmarks and the tone of the skin are compared between an image
and its original, and between an image and the originals of everybody else: that is chance, and what
agreement beyond it gives away.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from veilface.core.template import SIDE
from veilface.detection.yunet import YuNet
from veilface.errors import ShapeError
from veilface.imaging.tensors import to_uint8
from veilface.measures.human.attributes import (
    AttributeNetworks,
    FaceAttributes,
    attributes,
    load_attributes,
)
from veilface.measures.intervals import Estimate, mean_over_people, wilson

__all__ = [
    "AttributeNetworks",
    "FaceAttributes",
    "agreement",
    "attributes",
    "faces_found",
    "landmarks",
    "likeness",
    "load_attributes",
    "pose",
    "pose_of",
]


def landmarks(images: Tensor) -> Tensor:
    """The five landmarks of the face in each image, as YuNet sees them.

    Args:
        images: (N, 3, 112, 112) float RGB in [0, 1].

    Returns:
        (N, 5, 2) float64 (x, y) in pixels, in the order of `Detection.points`, of the largest
        face; NaN where no face is found.

    Raises:
        ShapeError: Another shape, or values outside of [0, 1].
        WeightsError: The detector's weights are not installed.
    """
    if images.ndim != 4 or tuple(images.shape[1:]) != (3, SIDE, SIDE):
        raise ShapeError(f"faces must be (N, 3, {SIDE}, {SIDE}), got {tuple(images.shape)}")
    detector = YuNet()
    found = torch.full((images.shape[0], 5, 2), torch.nan, dtype=torch.float64)
    for index, pixels in enumerate(to_uint8(images)):
        faces = detector.detect(np.ascontiguousarray(pixels))
        if faces:
            found[index] = torch.tensor(faces[0].points, dtype=torch.float64)
    return found


def faces_found(images: Tensor) -> Tensor:
    """Whether YuNet finds a face in each image, with the settings that photos are searched with.

    Args:
        images: (N, 3, 112, 112) float RGB in [0, 1].

    Returns:
        (N,) bool; the share of False is the failure to acquire.

    Raises:
        ShapeError: As in `landmarks`.
        WeightsError: As in `landmarks`.
    """
    return landmarks(images).isfinite().all(dim=2).all(dim=1)


def pose(faces: Tensor) -> Tensor:
    """How far each face is turned, as two ratios of landmark distances.

    They are no angles: they order faces by yaw and by pitch, which is what choosing faces of like
    pose needs. Roll and size cancel.

    Args:
        faces: (N, 3, 112, 112) float RGB in [0, 1].

    Returns:
        (N, 2): yaw, the nose right (+) or left (-) of the middle of the face in units of the
        distance of the eyes; pitch, where the nose lies between the line of the eyes (0) and that
        of the mouth (1). About (0, 0.5) for a frontal face. NaN where no face is found.

    Raises:
        ShapeError: As in `landmarks`.
        WeightsError: As in `landmarks`.
    """
    return pose_of(landmarks(faces))


def pose_of(points: Tensor) -> Tensor:
    """(N, 2) yaw and pitch as in `pose`, from five landmarks (N, 5, 2)."""
    left, right, nose = points[:, 0], points[:, 1], points[:, 2]
    eyes, mouth = (left + right) / 2, (points[:, 3] + points[:, 4]) / 2
    axis = right - left
    distance = axis.norm(dim=1, keepdim=True)
    across = axis / distance
    down = torch.stack([-across[:, 1], across[:, 0]], dim=1)  # y grows downwards
    yaw = ((nose - (eyes + mouth) / 2) * across).sum(1) / distance[:, 0]
    pitch = ((nose - eyes) * down).sum(1) / ((mouth - eyes) * down).sum(1)
    return torch.stack([yaw, pitch], dim=1)


def likeness(faces: Tensor, shown: FaceAttributes) -> Tensor:
    """(N, 4) age, sex, yaw and pitch of faces, as `veilface.measures.lineup.lineups` takes them.

    Args:
        faces: (N, 3, 112, 112) float RGB in [0, 1].
        shown: Their attributes.

    Raises:
        ShapeError: As in `landmarks`.
        WeightsError: As in `landmarks`.
    """
    told = torch.stack([shown.age, shown.sex], dim=1).double()
    return torch.cat([told, pose(faces)], dim=1)


def agreement(
    original: FaceAttributes, protected: FaceAttributes, *, seed: int = 0
) -> Mapping[str, Estimate]:
    """How far the attributes of protected images are those of their originals.

    Args:
        original: Of N clean faces, one a person.
        protected: Of the N protected images, in the same order.
        seed: Of the bootstrap over people.

    Returns:
        ``mesh_found``, the share of protected images in which the mesh network sees a face;
        ``mesh_error``, the mean distance of the vertices in units of the distance of the eyes,
        where it sees one in both; ``age_error`` in years; ``sex_agreement`` and
        ``expression_agreement``, shares of equal decisions. Beside each but the first stands
        ``<name>_chance``: the same figure against the originals of all others. What nothing can
        be measured on is left out: the mesh error without any mesh, chance of a single face.

    Raises:
        ShapeError: The numbers of faces differ, or there are none.
    """
    count = len(original.age)
    if count != len(protected.age) or count == 0:
        raise ShapeError(f"{count} original and {len(protected.age)} protected faces are no pairs")
    ages = (protected.age[:, None] - original.age).abs()
    sexes = (protected.sex > 0.5)[:, None] == (original.sex > 0.5)
    expressions = protected.expression.argmax(1)[:, None] == original.expression.argmax(1)
    everything = np.ones((count, count), dtype=np.bool_)
    seen = (protected.valid[:, None] & original.valid).numpy()
    return {
        "mesh_found": wilson(int(protected.valid.sum()), count),
        **_beside_chance("mesh_error", _mesh_errors(original, protected), seen, seed=seed),
        **_beside_chance("age_error", ages.numpy(), everything, seed=seed),
        **_beside_chance("sex_agreement", sexes.numpy(), everything, seed=seed),
        **_beside_chance("expression_agreement", expressions.numpy(), everything, seed=seed),
    }


def skin_error(original: Tensor, protected: Tensor, *, seed: int = 0) -> Mapping[str, Estimate]:
    """How far the tone of the skin of protected images is off.

    Args:
        original: (N,) typology angles of clean faces in degrees, one a person; see
            `veilface.measures.skin.typology_angle`.
        protected: (N,) of the protected images, in the same order.
        seed: Of the bootstrap over people.

    Returns:
        ``skin_error``, the mean difference in degrees, at most 180, and ``skin_error_chance``
        against the originals of all others, as in `agreement`.

    Raises:
        ShapeError: The numbers of faces differ, or there are none.
    """
    count = len(original)
    if count != len(protected) or count == 0:
        raise ShapeError(f"{count} original and {len(protected)} protected faces are no pairs")
    off = (protected[:, None] - original).abs()
    table = torch.minimum(off, 360 - off).numpy()
    return _beside_chance("skin_error", table, np.ones((count, count), dtype=np.bool_), seed=seed)


def _mesh_errors(original: FaceAttributes, protected: FaceAttributes) -> npt.NDArray[np.float32]:
    """(N, N) mean distance of mesh i of the protected from mesh j of the originals."""
    eyes = (original.eyes[:, 0] - original.eyes[:, 1]).norm(dim=1)
    rows = [(mesh - original.mesh).norm(dim=2).mean(1) / eyes for mesh in protected.mesh]
    return np.asarray(torch.stack(rows).numpy())


def _beside_chance(
    name: str, table: npt.NDArray[np.generic], counts: npt.NDArray[np.bool_], *, seed: int
) -> dict[str, Estimate]:
    """The diagonal of a table (N, N) of protected by original, and the rest of each row."""
    result: dict[str, Estimate] = {}
    own = table.diagonal()[counts.diagonal()]
    if own.size:
        share = own.dtype == np.bool_
        result[name] = (
            wilson(int(own.sum()), own.size) if share else mean_over_people(own, seed=seed)
        )
    others = counts & ~np.eye(len(table), dtype=np.bool_)
    rows = [row[chosen].mean() for row, chosen in zip(table, others, strict=True) if chosen.any()]
    if rows:
        result[f"{name}_chance"] = mean_over_people(rows, seed=seed)
    return result
