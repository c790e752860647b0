"""Trainings from the folder of images to weights that are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.trained import TinyRecognizer, keep_drawn_weights, write_faces, write_people
from veilface.errors import DatasetError, ShapeError, UnknownNameError, UntrainedError
from veilface.protectors import trainers
from veilface.protectors.registry import METHODS, build_protector
from veilface.protectors.trainers import TRAINERS, conduct, native_recognizer
from veilface.recognizers.recognizer import Recognizer
from veilface.training.checkpoint import read_tensors
from veilface.training.kept import training_folder
from veilface.training.loop import Budget, Outcome


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("veilface.training.straight._STRIDE", 49)
    for module in ("native", "minusface.train", "proface.train"):
        monkeypatch.setattr(f"veilface.protectors.{module}._CHECKED", 2)
    monkeypatch.setattr("veilface.protectors.duetface.train._CHECKED", 2)
    monkeypatch.setattr("veilface.protectors.native._FITTED", 2)
    monkeypatch.setattr("veilface.protectors.minusface.train._MEASURED", 2)

    def tiny(name: str, **_: object) -> Recognizer:
        return cast("Recognizer", TinyRecognizer())

    monkeypatch.setattr(trainers, "load_recognizer", tiny)


def run(name: str, folder: Path, *, steps: int = 2, seed: int = 0) -> Outcome:
    people = TRAINERS[name].has_width is False
    if not folder.exists():
        write_people(folder, 20) if people else write_faces(folder, 24)
    outcome, _ = conduct(
        name,
        faces=None if people else folder,
        identities=folder if people else None,
        width=None if people else 1 / 16,
        batch=2,
        seed=seed,
        budget=Budget(minutes=5, steps=steps, every=1),
    )
    return outcome


@pytest.mark.parametrize("name", ["proface-pixelate", "minusface"])
def test_a_trained_method_protects(name: str, tmp_path: Path) -> None:
    with pytest.raises(UntrainedError):
        build_protector(name)
    outcome = run(name, tmp_path / "images", steps=1)
    assert outcome.steps == 1
    made = build_protector(name).protect(synthetic_faces(1))
    assert made.images.shape == (1, 3, 112, 112)
    record = json.loads((training_folder(name) / "record.json").read_text())
    assert made.info["weights"] == record["sha256"]
    assert record["recipe"]["training"] == name
    assert record["outcome"]["reason"] == "steps"
    (line,) = (training_folder(name) / "losses.jsonl").read_text().splitlines()
    assert json.loads(line)["step"] == 1


@pytest.mark.parametrize("name", [n for n, s in METHODS.items() if s.native_recognizer])
def test_a_native_recogniser_reads_what_its_method_sends(name: str, tmp_path: Path) -> None:
    keep_drawn_weights()
    with pytest.raises(UntrainedError):
        native_recognizer(name)
    run(f"{name}-native", tmp_path / "images", steps=1)
    reader = native_recognizer(name)
    made = build_protector(name).protect(
        synthetic_faces(2), generator=torch.Generator().manual_seed(0)
    )
    found = reader.embed(made)
    assert found.shape == (2, 16)
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-4)
    assert reader.training["batch"] == 2


def test_duetface_s_server_follows_its_client(tmp_path: Path) -> None:
    folder, x = write_people(tmp_path / "people", 12), synthetic_faces(2)

    def ask(name: str, *, width: float = 1 / 16) -> None:
        budget = Budget(minutes=5, steps=1, every=1)
        conduct(name, faces=None, identities=folder, width=width, batch=4, seed=0, budget=budget)

    with pytest.raises(UntrainedError, match="veilface train duetface-client --identities FOLDER"):
        ask("duetface-native")
    ask("duetface-client")
    with pytest.raises(ShapeError, match=r"--width 0\.0625"):
        ask("duetface-native", width=1 / 8)
    assert build_protector("duetface").protect(x).hints == ()
    ask("duetface-native")
    made = build_protector("duetface").protect(x)
    assert sum(mask[0].numel() for mask in made.hints) == 4_165
    record = json.loads((training_folder("duetface-native") / "record.json").read_text())
    assert made.info["weights"] == record["sha256"]
    found = native_recognizer("duetface").embed(made)
    assert found.shape == (2, 512)
    first, second = (
        read_tensors(training_folder(name) / "weights.safetensors")[0]
        for name in ("duetface-client", "duetface-native")
    )
    assert all(
        torch.equal(value, second[f"client.network.{name}"]) for name, value in first.items()
    )


def test_the_distillation_falls(tmp_path: Path) -> None:
    first = run("duetface-native", tmp_path / "images", steps=1)
    more = run("duetface-native", tmp_path / "images", steps=6)
    assert more.steps == 6
    assert more.losses["validation"]["loss"] < first.losses["validation"]["loss"]


def test_equal_seeds_give_equal_weights_and_other_seeds_do_not(tmp_path: Path) -> None:
    hashes = []
    for seed in (0, 0, 1):
        run("partialface-native", tmp_path / "images", steps=1, seed=seed)
        folder = training_folder("partialface-native")
        hashes.append(json.loads((folder / "record.json").read_text())["sha256"])
        for file in folder.iterdir():
            file.unlink()
    assert hashes[0] == hashes[1] != hashes[2]


def test_wishes_that_cannot_be_met_are_said(tmp_path: Path) -> None:
    def ask(name: str, **wishes: object) -> None:
        defaults = {"faces": None, "identities": None, "width": None, "batch": 2, "seed": 0}
        conduct(name, budget=Budget(minutes=1), **(defaults | wishes))  # type: ignore[arg-type]

    with pytest.raises(UnknownNameError, match="minusface-native"):
        ask("minusface-nativ")
    with pytest.raises(ShapeError, match="one width only"):
        ask("proface-blur", width=0.5)
    with pytest.raises(DatasetError, match="--identities FOLDER"):
        ask("proface-blur", faces=write_faces(tmp_path / "faces", 4))
    with pytest.raises(DatasetError, match=r"duetface-client .* --identities FOLDER"):
        ask("duetface-client", faces=tmp_path / "faces")
    with pytest.raises(DatasetError, match="--faces FOLDER"):
        ask("minusface")
    with pytest.raises(UnknownNameError, match="recogniser of its own"):
        native_recognizer("proface-blur")
