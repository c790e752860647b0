from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.fixtures.faces import synthetic_faces
from veilface.errors import UnknownNameError
from veilface.imaging.tensors import to_uint8
from veilface.jobs import recipe
from veilface.jobs.cache import (
    Job,
    Task,
    generators,
    is_kept,
    read_chunk,
    tasks_of,
    write_chunk,
)
from veilface.jobs.recipe import meaning
from veilface.protectors.base import quantise
from veilface.protectors.veil.presets import PRESETS
from veilface.protectors.veil.starts import LocalFeatures, Stranger

FACES = quantise(synthetic_faces(10))
JOB = Job("paper", ("dlib",))


def tasks(
    job: Job = JOB, *, faces: torch.Tensor = FACES, seed: int = 0, draw: int = 0
) -> list[str]:
    found = tasks_of(job, faces, seed=seed, draw=draw, folder=Path("cache"))
    return [task.path.name for task in found]


def test_equal_arguments_equal_names() -> None:
    assert tasks() == tasks()
    assert len(tasks()) == 2
    assert tasks(faces=FACES[:8]) == tasks()[:1], "a smaller set shares its whole chunks"
    preset = PRESETS["paper"]
    renamed = replace(preset, name="mine", summary="the same by another name")
    assert tasks(Job(renamed, ("dlib",))) == tasks(Job(preset, ("dlib",))) == tasks()


@pytest.mark.parametrize(
    "other",
    [
        tasks(seed=1),
        tasks(draw=1),
        tasks(Job("paper", ("dlib", "sface"))),
        tasks(Job("paper", ("sface",))),
        tasks(Job("persona", ("dlib",))),
        tasks(Job(replace(PRESETS["paper"], momentum=0.8), ("dlib",))),
        tasks(Job(replace(PRESETS["paper"], start=LocalFeatures(cutoff=9.0)), ("dlib",))),
        tasks(faces=FACES.flip(-1)),
        tasks(faces=FACES.roll(1, 0)),
    ],
)
def test_anything_else_is_another_name(other: list[str]) -> None:
    assert not set(other) & set(tasks())


def test_method_and_bank_count(monkeypatch: pytest.MonkeyPatch) -> None:
    paper, persona = tasks(), tasks(Job("persona", ("dlib",)))
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "code_digest", lambda: "another")
        assert not set(tasks()) & set(paper)
    monkeypatch.setattr(Stranger, "files", lambda self: {"bank": "another"})
    assert tasks() == paper
    assert not set(tasks(Job("persona", ("dlib",)))) & set(persona)


def test_words_are_no_method() -> None:
    source = 'X = 1\n\ndef f(a):\n    """Double."""\n    return 2 * a  # twice\n'
    other = '"""About."""\nX = 1\n"""Of X."""\ndef f(a):\n    return (2\n        * a)\n'
    assert meaning(source) == meaning(other)
    assert meaning(source) != meaning(source.replace("2 * a", "3 * a"))
    assert meaning(source) != meaning(source.replace("X = 1", 'X = "1"'))


def test_images_come_back(tmp_path: Path) -> None:
    (task,) = tasks_of(JOB, FACES[:3], seed=0, draw=0, folder=tmp_path)
    assert read_chunk(task) is None
    assert not is_kept(task)
    write_chunk(task, FACES[4:7])
    assert is_kept(task)
    found = read_chunk(task)
    assert found is not None
    torch.testing.assert_close(found, FACES[4:7], rtol=0, atol=0)


@pytest.mark.parametrize("damage", ["truncated", "empty", "size", "flipped", "headless"])
def test_damaged_file_is_no_image(tmp_path: Path, damage: str) -> None:
    (task,) = tasks_of(JOB, FACES[:3], seed=0, draw=0, folder=tmp_path)
    write_chunk(task, FACES[:3])
    if damage == "size":
        write_chunk(Task(JOB, task.pixels[:2], 0, 0, task.path), FACES[:2])
    else:
        data = task.path.read_bytes()
        half = len(data) // 2
        changed = {
            "truncated": data[:half],
            "empty": b"",
            "flipped": data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :],
            "headless": data[1:],
        }
        task.path.write_bytes(changed[damage])
    assert read_chunk(task) is None
    assert not is_kept(task)


def test_streams_depend_on_the_face_alone() -> None:
    pixels = to_uint8(FACES)

    def draw(faces: list[int], *, seed: int = 0, draw: int = 0) -> list[float]:
        streams = generators(pixels[faces], seed=seed, draw=draw)
        return [float(torch.rand(1, generator=stream)) for stream in streams]

    first = draw([0, 1, 2])
    assert draw([2, 0]) == [first[2], first[0]]
    assert len({*first, *draw([0], seed=1), *draw([0], draw=1)}) == 5


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'persona'"):
        Job("personna", ("dlib",))
    with pytest.raises(UnknownNameError, match="recognizer"):
        tasks(Job("persona", ("dlip",)))


def test_kinds_of_jobs() -> None:
    assert Job("blur").is_transform
    assert Job("blur").preset is None
    assert not JOB.is_transform
    assert JOB.preset == PRESETS["paper"]
    own = replace(PRESETS["paper"], name="mine")
    assert (Job(own).name, Job(own).preset) == ("mine", own)
