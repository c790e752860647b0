"""InsightFace's .bin files: every way they are written, and nothing that runs code."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import layouts
from veilface.datasets import load_faces
from veilface.errors import DatasetError
from veilface.evaluation.aligned import aligned_faces

SHADES = (10, 90, 170, 250)


def write(path: Path, content: object, *, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["bytes", "array"])
def test_images_come_back_whatever_the_protocol(tmp_path: Path, kind: str, protocol: int) -> None:
    arrays = [layouts.encoded(shade) for shade in SHADES]
    images = arrays if kind == "array" else [image.tobytes() for image in arrays]
    path = write(tmp_path / "lfw.bin", (images, [True, False]), protocol=protocol)
    faces = load_faces("bin", path)
    assert faces.name == "lfw"
    assert [record.name for record in faces.records] == ["000000", "000001", "000002", "000003"]
    assert [record.source for record in faces.records] == [image.tobytes() for image in arrays]
    assert not faces.identities
    assert faces.pairs is not None
    assert [(p.first, p.second, p.same) for p in faces.pairs.pairs] == [
        ("000000", "000001", True),
        ("000002", "000003", False),
    ]
    assert faces.pairs.one_each() == ()
    read = aligned_faces(faces.records)
    assert not read.failures
    assert (read.faces.mean((1, 2, 3)) * 255).tolist() == pytest.approx(SHADES, abs=1)


def test_strings_of_python_2_are_bytes(tmp_path: Path) -> None:
    """BINSTRING, as the published files have it: written by hand, for Python 3 never writes it."""

    def string(text: bytes) -> bytes:
        return b"T" + len(text).to_bytes(4, "little") + text

    image = layouts.jpeg()
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    array += b"(K\x01(M" + len(image).to_bytes(2, "little") + b"K\x01t"
    array += b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNK\x00K\x00K\x00tbI00\n"
    array += string(image) + b"tb"
    (tmp_path / "old.bin").write_bytes(b"\x80\x02(" + b"](" + string(image) + array + b"e](\x88et.")
    faces = load_faces("bin", tmp_path / "old.bin")
    assert [record.source for record in faces.records] == [image, image]


class Evil:
    def __init__(self, callee: object, *arguments: object) -> None:
        self.parts = (callee, arguments)

    def __reduce__(self) -> Any:  # noqa: ANN401
        return self.parts


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (Evil(Path.touch, Path("evil")), "pathlib"),
        (Evil(eval, "open('evil', 'w')"), "builtins.eval"),
        (Evil(np.load, "evil.npy"), "numpy"),
        (Evil(getattr, "a", "upper"), "builtins.getattr"),
        (np.float64(1), "scalar"),
    ],
)
def test_nothing_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, asked: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "evil.bin", ([content, b""], [True]))
    with pytest.raises(DatasetError, match=rf"evil\.bin is refused: it asks for .*{asked}"):
        load_faces("bin", path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.bin"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([b""], "does not hold two lists"),
        ({"images": [], "labels": []}, "does not hold two lists"),
        ((b"ab", [True]), "does not hold two lists"),
        (([], []), "holds 0 images and 0 labels"),
        (([b"", b"", b""], [True]), "holds 3 images and 1 labels; a label needs two"),
        (([b"", b""], [1]), "label 0 of .* is not a boolean"),
        (([b"", {1, 2}], [True]), "image 1 of .* neither bytes nor a uint8 array"),
        (([b"", "text"], [True]), "image 1 of .* neither bytes nor a uint8 array"),
        (([b"", np.zeros(4)], [True]), "image 1 of .* neither bytes nor a uint8 array"),
        (([b"", np.zeros((2, 2), np.uint8)], [True]), "image 1 of .* neither bytes nor"),
    ],
)
def test_other_content_is_told_apart(tmp_path: Path, content: object, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        load_faces("bin", write(tmp_path / "x.bin", content))


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot read .*lfw\.bin.*distributed by https://"):
        load_faces("bin", tmp_path / "lfw.bin")
    whole = pickle.dumps(([b"a" * 100, b"b" * 100], [True]))
    (tmp_path / "lfw.bin").write_bytes(whole[:120])
    with pytest.raises(DatasetError, match=r"lfw\.bin is (refused|a damaged)"):
        load_faces("bin", tmp_path / "lfw.bin")


def test_a_file_that_asks_for_much_memory_is_read_without(tmp_path: Path) -> None:
    """LONG_BINPUT of place 2**32 - 1: the unpickler in C would reserve 64 GiB for its memo."""
    whole = pickle.dumps(([b"a", b"b"], [True]), protocol=4)
    content = whole[11:].replace(b"]\x94", b"]r\xff\xff\xff\xff", 1)
    (tmp_path / "large.bin").write_bytes(b"\x80\x04" + content)
    assert len(load_faces("bin", tmp_path / "large.bin").records) == 2


@settings(deadline=None)
@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_changed_byte_reads_or_is_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    images = [np.arange(60, dtype=np.uint8).reshape(-1, 1), b"b" * 60]
    data = io.BytesIO(pickle.dumps((images, [True]), protocol=2))
    data.seek(place % data.getbuffer().nbytes)
    data.write(bytes([value]))
    path = tmp_path_factory.getbasetemp() / "changed.bin"
    path.write_bytes(data.getvalue())
    try:
        faces = load_faces("bin", path)
    except DatasetError:
        return
    assert all(isinstance(record.source, bytes) for record in faces.records)
