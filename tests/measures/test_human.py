"""The networks of @vladmandic/human: against TensorFlow.js, and on real faces."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from tests.recognizers.conftest import read_faces
from veilface.core.template import TEMPLATE
from veilface.errors import UnknownNameError, WeightsError
from veilface.measures.human.attributes import (
    EXPRESSIONS,
    AttributeNetworks,
    FaceAttributes,
    load_attributes,
)
from veilface.measures.human.catalogue import FACE_NETWORKS, fetchable
from veilface.measures.visibility import agreement, attributes, landmarks
from veilface.recognizers.registry import RECOGNIZERS
from veilface.weights.downloads import plan

EYES = float((TEMPLATE[0] - TEMPLATE[1]).norm())
FIVE = ((33, 133), (263, 362), (1, 4), (61, 61), (291, 291))
"""Vertices whose middles are the five landmarks."""


@pytest.fixture(scope="module")
def networks() -> AttributeNetworks:
    try:
        return load_attributes()
    except WeightsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def people(lfw: Path) -> Tensor:
    """(16, 3, 112, 112) different people."""
    return read_faces(sorted(lfw.glob("*/*_0001.jpg"))[70::250][:16]).float() / 255


@pytest.fixture(scope="module")
def seen(networks: AttributeNetworks, people: Tensor) -> FaceAttributes:
    return attributes(people, networks)


def wave(channels: int, side: int, low: float, high: float) -> Tensor:
    """(1, channels, side, side) from a formula that JavaScript computes as well."""
    k = torch.arange(side * side * channels, dtype=torch.float64)
    values = (torch.sin(k * 0.37 + k * k * 1e-5) * 0.5 + 0.5) * (high - low) + low
    return values.float().reshape(1, side, side, channels).permute(0, 3, 1, 2)


def test_agrees_with_tensorflow_js(networks: AttributeNetworks) -> None:
    """Outputs of TensorFlow.js 4.22.0 (CPU backend) for the same files and the same wave:

    const a = new Float32Array(side * side * channels);
    for (let k = 0; k < a.length; k++)
      a[k] = (Math.sin(k * 0.37 + k * k * 1e-5) * 0.5 + 0.5) * (high - low) + low;
    model.execute(tf.tensor4d(a, [1, side, side, channels]), outputs)
    """
    with torch.inference_mode():
        mesh, presence = networks.mesh(wave(3, 192, 0, 1))
        (expression,) = networks.expression(wave(1, 64, -1, 1))
        ages, sex = networks.age_sex(wave(3, 224, 0, 255))
    assert mesh[0, :6].tolist() == pytest.approx(
        [90.21132, 122.7478, -10.89737, 90.31528, 109.8864, -26.18484], abs=1e-3
    )
    assert float(mesh.double().sum()) == pytest.approx(89370.605, abs=0.5)
    assert float(presence) == pytest.approx(4.533414e-5, rel=1e-3)
    assert expression[0].tolist() == pytest.approx(
        [0.7944018, 1.782797e-6, 1.079952e-3, 6.722481e-5, 4.574076e-5, 0.2044035, 1.488631e-12],
        rel=1e-3,
    )
    assert ages[0, :4].tolist() == pytest.approx(
        [0.01190687, 0.001882865, 0.001447091, 0.002206743], rel=1e-3
    )
    assert float(sex) == pytest.approx(0.6535794, abs=1e-5)


@pytest.mark.data
def test_the_mesh_lies_on_the_face(seen: FaceAttributes, people: Tensor) -> None:
    assert seen.valid.all()
    points = torch.stack([seen.mesh[:, list(pair)].mean(1) for pair in FIVE], dim=1).double()
    assert float((points - TEMPLATE).norm(dim=2).mean()) / EYES < 0.12
    assert float((points[:6] - landmarks(people[:6])).norm(dim=2).mean()) / EYES < 0.08


@pytest.mark.data
def test_expression_follows_the_mouth(seen: FaceAttributes) -> None:
    """People who smile have wider mouths: the two networks know nothing of each other."""
    width = (seen.mesh[:, 61] - seen.mesh[:, 291]).norm(dim=1)
    width = width / (seen.eyes[:, 0] - seen.eyes[:, 1]).norm(dim=1)
    happy = seen.expression[:, EXPRESSIONS.index("happy")]
    ranks = [values.argsort().argsort().double() for values in (width, happy)]
    assert float(torch.corrcoef(torch.stack(ranks))[0, 1]) > 0.4
    assert torch.allclose(seen.expression.sum(1), torch.ones(len(happy)), atol=1e-5)


@pytest.mark.data
def test_age_and_sex_agree_with_labels(networks: AttributeNetworks, data_root: Path) -> None:
    folder = data_root / "utk112"
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[11_600:11_632]
    labels = [row["source"].split("_") for row in rows]
    found = attributes(read_faces([folder / row["file"] for row in rows]).float() / 255, networks)
    age, male = np.array([int(x[0]) for x in labels]), np.array([x[1] == "0" for x in labels])
    assert np.corrcoef(found.age.numpy(), age)[0, 1] > 0.75
    assert np.abs(found.age.numpy() - age).mean() < 10
    assert ((found.sex.numpy() > 0.5) == male).mean() > 0.8


@pytest.mark.data
def test_agreement_tells_controls_apart(
    networks: AttributeNetworks, seen: FaceAttributes, people: Tensor
) -> None:
    noise = torch.rand(people.shape, generator=torch.Generator().manual_seed(0))
    nothing = agreement(seen, attributes(noise, networks))
    assert nothing["mesh_found"].value == 0
    assert nothing["age_error"].value > 5
    darker = agreement(seen, attributes(0.8 * people, networks))
    assert darker["mesh_error"].high < 0.5 * darker["mesh_error_chance"].low
    assert darker["age_error"].high < darker["age_error_chance"].low
    assert darker["sex_agreement"].value > darker["sex_agreement_chance"].value


def test_a_batch_is_its_images(networks: AttributeNetworks) -> None:
    faces = synthetic_faces(9)
    together, alone = attributes(faces, networks), attributes(faces[8:], networks)
    assert torch.allclose(together.mesh[8], alone.mesh[0], atol=1e-3)
    assert float(together.age[8]) == pytest.approx(float(alone.age[0]), abs=1e-3)


def test_they_are_fetched_like_recognisers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    assert fetchable("sface") is RECOGNIZERS["sface"]
    for name in FACE_NETWORKS:
        found = plan(fetchable(name))
        assert found.needed
        assert found.folder == str(tmp_path / "weights" / name)
        assert found.files == (f"package/models/{name}.json", f"package/models/{name}.bin")
    with pytest.raises(UnknownNameError, match=r"did you mean 'facemesh'\?.*emotion"):
        fetchable("face-mesh")
