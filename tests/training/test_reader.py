"""Recognisers of a representation: the architecture, the margin, the least-squares start."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import TinyRecognizer, write_faces, write_people
from veilface.errors import DatasetError
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import Batch, load_images
from veilface.training.ir18 import ArcFace, Ir18
from veilface.training.reader import Adapted, reader


@pytest.fixture(autouse=True)
def _seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("veilface.training.straight._STRIDE", 49)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def load() -> Recognizer:
    return cast("Recognizer", TinyRecognizer())


def arcface(cosines: list[float], own: int) -> float:
    """The loss of one unit embedding at given cosines to orthogonal directions."""
    head = ArcFace(len(cosines), dim=len(cosines) + 1)
    rest = math.sqrt(max(0.0, 1 - sum(c * c for c in cosines)))
    with torch.no_grad():
        head.directions.copy_(torch.eye(len(cosines), len(cosines) + 1))
    return float(head(torch.tensor([[*cosines, rest]]), torch.tensor([own])))


def test_arcface_adds_the_margin_to_the_angle() -> None:
    found = arcface([0.6, 0.5], 0)
    own = math.cos(math.acos(0.6) + 0.5)
    assert found == pytest.approx(math.log(1 + math.exp(64 * (0.5 - own))), rel=1e-3)


def test_arcface_is_linear_where_the_angle_would_turn_back() -> None:
    found = arcface([-0.95, 0.1], 0)
    own = -0.95 - 0.5 * math.sin(math.pi - 0.5)
    assert found == pytest.approx(64 * (0.1 - own), rel=1e-3)


def test_arcface_has_a_gradient_at_its_own_direction() -> None:
    # The original takes the root of 1 - cos^2 unclamped: its slope is infinite there.
    head = ArcFace(2, dim=3)
    with torch.no_grad():
        head.directions.copy_(torch.eye(2, 3))
    embedding = torch.tensor([[1.0, 0, 0]], requires_grad=True)
    head(embedding, torch.tensor([0])).backward()
    assert embedding.grad is not None
    assert bool(embedding.grad.isfinite().all())


def test_ir18_has_the_shapes_of_its_source() -> None:
    network = Ir18(27, width=1.0)
    assert network.get_parameter("first.0.weight").shape == (64, 27, 3, 3)
    assert network.get_parameter("last.3.weight").shape == (512, 25088)
    small = Ir18(5, width=1 / 16)
    sides = []
    for unit in small.units:
        unit.register_forward_hook(lambda _m, _i, out: sides.append(out.shape[-1]))
    found = small(torch.rand(2, 5, 112, 112))
    assert sides == [56, 56, 28, 28, 14, 14, 7, 7]
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)


def test_least_squares_inverts_what_is_linear() -> None:
    # Sums of neighbours in other colours and scales: a 3x3 convolution can undo the mixing.
    faces = synthetic_faces(4)
    mixing = torch.tensor([[2.0, 1, 0], [0, 300, 1], [1, 0, 0.01]])
    sent = torch.einsum("oc,nchw->nohw", mixing, faces) + 7
    network = Adapted(3, load(), width=0.25)
    network.fit(sent, faces)
    network.eval()
    with torch.no_grad():
        error = (network.image(sent) - faces).abs()
    assert float(error.mean()) < 0.02
    again = Adapted(3, load(), width=0.25).eval()
    with torch.no_grad():
        assert float((again.image(sent) - faces).abs().mean()) > 0.2


def test_distillation_wants_the_embedding_of_the_clean_face(tmp_path: Path) -> None:
    images = load_images(write_faces(tmp_path / "faces", 12))
    reading, train, rest = reader(3, images, None, load, width=0.25)
    assert (len(train), len(rest)) == (11, 1)
    batch = train.batch(torch.arange(4))
    assert isinstance(reading.network, Adapted)
    reading.network.fit(batch.faces, batch.faces)
    reading.network.eval()
    plain = float(reading.loss(batch.faces, batch))
    noise = torch.rand(batch.faces.shape)
    assert plain < 0.1
    assert float(reading.loss(noise, batch)) > 2 * plain
    assert not any(name.startswith("teacher") for name in reading.state_dict())


def test_named_people_make_an_arcface_of_as_many_classes(tmp_path: Path) -> None:
    images = load_images(write_people(tmp_path / "people", 10))
    reading, train, rest = reader(3, None, images, load, width=1 / 16)
    assert reading.head is not None
    assert len(reading.head.directions) == 10
    assert (len(train), len(rest)) == (18, 2)
    batch = train.batch(torch.arange(4))
    assert bool(reading.loss(batch.faces, batch).isfinite())


def test_missing_images_are_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--faces FOLDER"):
        reader(3, None, None, load, width=1)
    nobody = load_images(write_faces(tmp_path / "faces", 2))
    with pytest.raises(DatasetError, match="names nobody"):
        reader(3, None, nobody, load, width=1)


def test_slopes_stay_and_known_weights_are_trained() -> None:
    class Sloped(TinyRecognizer):
        def __init__(self) -> None:
            super().__init__()
            self.slope = torch.nn.Parameter(torch.ones(3))

    network = Adapted(3, cast("Recognizer", Sloped()), width=0.25)
    assert not network.recognizer.slope.requires_grad
    assert network.recognizer.get_parameter("stem").requires_grad


def test_a_batch_says_who_it_shows(tmp_path: Path) -> None:
    images = load_images(write_people(tmp_path / "people", 3))
    batch = images.batch(torch.tensor([5, 0]))
    assert isinstance(batch, Batch)
    assert batch.people.tolist() == [2, 0]
