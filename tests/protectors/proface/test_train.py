"""PRO-Face's training: triplets, losses, what it reaches in a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import TinyRecognizer, write_faces, write_people
from veilface.errors import DatasetError
from veilface.protectors.proface.train import ProFaceTask, Triplets, triplet
from veilface.protectors.proface.transform import OBFUSCATORS
from veilface.recognizers.recognizer import Recognizer
from veilface.training.images import load_images
from veilface.training.loop import Budget, train


@pytest.fixture(autouse=True)
def _seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("veilface.protectors.proface.train._CHECKED", 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def task(folder: Path) -> ProFaceTask:
    tiny = cast("Recognizer", TinyRecognizer().requires_grad_(requires_grad=False))
    return ProFaceTask(load_images(folder), OBFUSCATORS["blur"], tiny, batch=1)


def test_triplets_name_the_right_people(tmp_path: Path) -> None:
    images = load_images(write_people(tmp_path / "people", 4))
    triplets = Triplets(images)
    assert len(triplets.anchors) == 8
    faces = triplets.draw(16, torch.Generator().manual_seed(0))
    known = torch.cat(
        [images.batch(torch.arange(8)).faces, images.batch(torch.arange(8)).faces.flip(-1)]
    )
    who = [int((known - face).abs().flatten(1).amax(dim=1).argmin()) % 8 for face in faces]
    for anchor, positive, negative in zip(who[:16], who[16:32], who[32:], strict=True):
        assert anchor // 2 == positive // 2
        assert anchor != positive
        assert negative // 2 != anchor // 2


def test_people_with_one_image_are_no_anchors(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="two images of one"):
        Triplets(load_images(write_people(tmp_path / "people", 3, photos=1)))
    with pytest.raises(DatasetError, match="names nobody"):
        Triplets(load_images(write_faces(tmp_path / "faces", 3)))


def test_triplet_is_a_distance_of_unit_vectors() -> None:
    # margin 1: an orthogonal negative at sqrt(2) is far enough beside an equal positive
    x = torch.eye(3)
    assert float(triplet(x[:1], x[:1], x[1:2])) == 0
    assert float(triplet(x[:1], x[1:2], x[:1])) == pytest.approx(1 + 2**0.5, abs=1e-3)


def test_the_loss_falls_towards_the_obfuscated_image(tmp_path: Path) -> None:
    trained = task(write_people(tmp_path / "people", 20))
    trained.module.eval()
    with torch.no_grad():
        before = trained.validate(torch.Generator().manual_seed(0))
    budget = Budget(minutes=5, steps=4, every=4)
    train(trained, folder=tmp_path / "run", recipe={}, seed=0, budget=budget)
    trained.module.eval()
    with torch.no_grad():
        after = trained.validate(torch.Generator().manual_seed(0))
    assert after["loss"] < before["loss"]
    assert after["l1"] < before["l1"]


def test_validation_builds_no_graph_and_changes_no_statistics(tmp_path: Path) -> None:
    # The original validates with gradients.
    trained = task(write_people(tmp_path / "people", 20))
    state = {name: value.clone() for name, value in trained.module.state_dict().items()}
    budget = Budget(minutes=5, steps=0)
    train(trained, folder=tmp_path / "run", recipe={}, seed=0, budget=budget)
    trained.module.eval()
    with torch.no_grad():
        trained.validate(torch.Generator().manual_seed(0))
    for name, value in trained.module.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_range_is_minus_one_to_one_inside_and_zero_to_one_outside(tmp_path: Path) -> None:
    from veilface.protectors.proface.train import protect

    trained = task(write_people(tmp_path / "people", 20))
    seen = []
    handle = trained.module.register_forward_pre_hook(lambda module, inputs: seen.extend(inputs))
    faces = synthetic_faces(2)
    made = protect(trained.module, faces, faces)
    handle.remove()
    assert all(float(part.min()) < -0.2 for part in seen)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
