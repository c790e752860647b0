"""Visibility on drawn faces and on made-up attributes; on real faces in `test_human`."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.core.template import TEMPLATE
from veilface.errors import ShapeError, WeightsError
from veilface.measures.human.attributes import VERTICES, load_attributes
from veilface.measures.visibility import (
    FaceAttributes,
    agreement,
    attributes,
    faces_found,
    landmarks,
    pose,
    pose_of,
)


def made_up(count: int, *, seed: int = 0) -> FaceAttributes:
    """Different people without any relation."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    return FaceAttributes(
        age=20 + 50 * draw(count),
        sex=draw(count),
        expression=torch.softmax(4 * draw(count, 7), dim=1),
        mesh=112 * draw(count, VERTICES, 2),
        presence=torch.ones(count),
    )


def test_faces_are_found_and_other_pictures_are_not() -> None:
    faces = synthetic_faces(2)
    noise = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    images = torch.cat([faces, noise, torch.full_like(noise, 0.5)])
    assert faces_found(images).tolist() == [True, True, False, False]
    points = landmarks(images)
    assert (points[:2] - TEMPLATE).norm(dim=2).max() < 12
    assert points[2:].isnan().all()
    turned = pose(images)
    assert turned[:2].isfinite().all()
    assert turned[2:].isnan().all()


@pytest.mark.parametrize("shape", [(3, 112, 112), (1, 3, 96, 112), (1, 1, 112, 112)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(N, 3, 112, 112\)"):
        faces_found(torch.zeros(shape))
    with pytest.raises(ShapeError, match=r"\(N, 3, 112, 112\)"):
        attributes(torch.zeros(shape))


def test_pose_of_a_turned_head() -> None:
    """Seen from far away, a nose in front of a flat face moves by the sine of the turn."""
    eye, depth = 1.0, 0.6
    plane = torch.tensor(
        [(-0.5, 0, 0), (0.5, 0, 0), (0, 0.6, -depth), (-0.4, 1.1, 0), (0.4, 1.1, 0)]
    )

    def seen(degrees: float, axis: int) -> Tensor:
        angle = math.radians(degrees)
        first, second = {0: (1, 2), 1: (2, 0)}[axis]
        turned = plane.clone()
        turned[:, first] = plane[:, first] * math.cos(angle) - plane[:, second] * math.sin(angle)
        turned[:, second] = plane[:, first] * math.sin(angle) + plane[:, second] * math.cos(angle)
        return turned[None, :, :2].double()

    assert pose_of(seen(0, 1))[0].tolist() == pytest.approx([0, 0.6 / 1.1], abs=1e-6)
    for degrees in (-40, -10, 25):
        yaw, pitch = pose_of(seen(degrees, 1))[0].tolist()
        assert yaw == pytest.approx(-depth * math.tan(math.radians(degrees)) / eye, abs=1e-6)
        assert pitch == pytest.approx(0.6 / 1.1, abs=1e-6)
    nods = [pose_of(seen(degrees, 0))[0, 1].item() for degrees in (-20, 0, 20)]
    assert nods == sorted(nods)


@given(
    angle=st.floats(-3, 3),
    size=st.floats(0.2, 5),
    move=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    seed=st.integers(0, 99),
)
def test_pose_ignores_roll_size_and_place(
    angle: float, size: float, move: tuple[float, float], seed: int
) -> None:
    jitter = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(seed)).double()
    points = TEMPLATE[None] + 2 * jitter
    cos, sin = math.cos(angle), math.sin(angle)
    rotation = points.new_tensor([(cos, -sin), (sin, cos)])
    moved = size * points @ rotation.T + points.new_tensor(move)
    assert torch.allclose(pose_of(moved), pose_of(points), atol=1e-8)
    mirrored = (points * points.new_tensor([-1, 1]))[:, [1, 0, 2, 4, 3]]
    expected = pose_of(points) * points.new_tensor([-1, 1])
    assert torch.allclose(pose_of(mirrored), expected, atol=1e-8)


def test_agreement_against_loops() -> None:
    original, protected = made_up(6), made_up(6, seed=1)
    protected.presence[[1, 4]] = 0.1
    original.presence[0] = 0.2
    found = dict(agreement(original, protected))
    own: dict[str, list[float]] = {}
    rows: dict[str, list[float]] = {}
    for i in range(6):
        others: dict[str, list[float]] = {}
        for j in range(6):
            values = {
                "age_error": abs(float(protected.age[i] - original.age[j])),
                "sex_agreement": float((protected.sex[i] > 0.5) == (original.sex[j] > 0.5)),
                "expression_agreement": float(
                    protected.expression[i].argmax() == original.expression[j].argmax()
                ),
            }
            if protected.presence[i] > 0.5 and original.presence[j] > 0.5:
                left, right = (
                    original.mesh[j][[33, 133]].mean(0),
                    original.mesh[j][[263, 362]].mean(0),
                )
                distances = (protected.mesh[i] - original.mesh[j]).norm(dim=1)
                values["mesh_error"] = float(distances.mean() / (left - right).norm())
            for name, value in values.items():
                (own if i == j else others).setdefault(name, []).append(value)
        for name, several in others.items():
            rows.setdefault(name, []).append(float(np.mean(several)))
    assert found.pop("mesh_found").value == pytest.approx(4 / 6)
    assert {name for name in found if not name.endswith("_chance")} == set(own)
    for name, mine in own.items():
        assert found[name].value == pytest.approx(np.mean(mine), rel=1e-5)
        assert found[name].n == len(mine)
        assert found[f"{name}_chance"].value == pytest.approx(np.mean(rows[name]), rel=1e-5)
        assert found[name].low <= found[name].value <= found[name].high
    assert found["mesh_error"].n == 3


def test_planted_protectors() -> None:
    original = made_up(40)
    same = agreement(original, original)
    assert same["mesh_error"].value == same["age_error"].value == 0
    assert same["sex_agreement"].value == same["expression_agreement"].value == 1
    assert same["sex_agreement_chance"].value < 0.7
    assert same["age_error_chance"].low > 10
    strangers = agreement(original, made_up(40, seed=1))
    for name in ("mesh_error", "age_error", "sex_agreement", "expression_agreement"):
        own, chance = strangers[name], strangers[f"{name}_chance"]
        assert own.low <= chance.value <= own.high, name


def test_what_cannot_be_measured_is_left_out() -> None:
    one = made_up(1)
    assert not any(name.endswith("_chance") for name in agreement(one, one))
    hidden = made_up(3, seed=1)
    hidden.presence.zero_()
    found = agreement(made_up(3), hidden)
    assert found["mesh_found"].value == 0
    assert "mesh_error" not in found
    assert "mesh_error_chance" not in found
    with pytest.raises(ShapeError, match="3 original and 1 protected"):
        agreement(made_up(3), one)


def test_absent_weights_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="veilface recognizers fetch faceres facemesh emotion"):
        load_attributes()
