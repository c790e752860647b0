from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from tests.fixtures.lineups import named_material
from veilface.attacks.unmasking import CUTOFF, unmask
from veilface.datasets.base import FaceRecord
from veilface.errors import DatasetError, UnknownNameError
from veilface.evaluation.asking.conditions import Condition, ImageFolder, parse_conditions
from veilface.evaluation.asking.images import images_of
from veilface.imaging.encode import encode
from veilface.imaging.frequency import high_pass
from veilface.imaging.tensors import to_uint8


def test_names_folders_and_unmasked_ones(tmp_path: Path) -> None:
    found = parse_conditions(
        ["unmask:mine", "persona", f"mine={tmp_path}", "b=unmask:blur", "blur"]
    )
    assert found == (
        Condition("unmask:mine", folder=tmp_path, unmasked=True),
        Condition("persona", protector="persona"),
        Condition("mine", folder=tmp_path),
        Condition("b", protector="blur", unmasked=True),
        Condition("blur", protector="blur"),
    )
    assert [one.is_control for one in found] == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["blur", "blur"], "two conditions are called blur"),
        (["a=unmask:a"], "cannot be unmasked again"),
        ([], "need a condition"),
    ],
)
def test_what_is_no_set_of_conditions(texts: list[str], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        parse_conditions(texts)


@pytest.mark.parametrize("what", ["personna", "x=unmask:personna"])
def test_what_is_nothing(what: str) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'persona'\?.*any existing folder"):
        parse_conditions([what])


def test_a_folder_is_matched_by_the_names_of_the_records(tmp_path: Path) -> None:
    for name in ("Ann/Ann_0001.veil.png", "Bo_0002.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    folder = ImageFolder(tmp_path)
    for name, file in (
        ("Ann/Ann_0001.jpg", "Ann/Ann_0001.veil.png"),
        ("Bo/Bo_0002.jpg", "Bo_0002.jpg"),
    ):
        assert folder.find(FaceRecord(name, None, Path(name))) == tmp_path / file
    assert folder.find(FaceRecord("Cy/Cy_0001.jpg", None, Path())) is None
    (tmp_path / "Bo_0002.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"both images of Bo_0002"):
        ImageFolder(tmp_path)


def test_images_of_a_folder_stand_in_the_order_of_the_sources(tmp_path: Path) -> None:
    material = named_material()
    made = synthetic_faces(len(material.sources), seed=5)
    for record, face in zip(material.sources, made, strict=True):
        path = tmp_path / Path(record.name).with_suffix(".png").name
        path.write_bytes(encode(to_uint8(face), format="png"))
    found = images_of(Condition("x", folder=tmp_path), material, (), seed=0, cache=tmp_path)
    assert (found - made).abs().max() <= 0.5 / 255 + 1e-6
    path.unlink()
    with pytest.raises(DatasetError, match=f"no image of {material.sources[-1].name}"):
        images_of(Condition("x", folder=tmp_path), material, (), seed=0, cache=tmp_path)


def test_unmasking_shows_the_fine_half_alone() -> None:
    faces = synthetic_faces(2)
    fine = high_pass(faces, cutoff=CUTOFF)
    hybrid = 0.5 + 0.3 * fine  # faint, on a grey that hides nothing
    shown, plain = unmask(hybrid), unmask((0.5 + fine).clamp(0, 1))
    assert shown.shape == faces.shape
    assert bool((shown[:, 0] == shown[:, 2]).all()), "grey"
    assert shown.amax() == 1, "stretched"
    assert shown.amin() == 0, "stretched"
    assert (shown - plain).abs().mean() < 0.02, "however faint it was"
    assert bool((unmask(torch.full_like(faces, 0.3)) - 0.5).abs().max() <= 0.5 / 255 + 1e-6)
