"""Writing: all or nothing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from veilface.core.files import write_atomic
from veilface.errors import ImageError
from veilface.imaging.encode import write_atomic as exported

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_writes_all_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_atomic(tmp_path / "x.png", b"content")
    assert (tmp_path / "x.png").read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    assert exported is write_atomic


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "x.png", b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.png").stat().st_mode) == 0o640


def test_existing_files_are_kept_unless_overwriting(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"old")
    with pytest.raises(ImageError, match=r"x\.png exists already"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    write_atomic(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    sync = os.fsync

    def somebody_is_faster(descriptor: int) -> None:
        path.write_bytes(b"theirs")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", somebody_is_faster)
    with pytest.raises(ImageError, match="exists already"):
        write_atomic(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_file_systems_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    write_atomic(tmp_path / "x.png", b"content")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"content"]


class _FullFile:
    """A file that takes half of what it is given, as a full disk does."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._file = file

    def __enter__(self) -> _FullFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        raise FULL


@pytest.mark.parametrize("existing", [None, b"old"])
@pytest.mark.parametrize("where", ["write", "fsync", "rename", "interrupt"])
def test_failures_leave_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, existing: bytes | None
) -> None:
    path = tmp_path / "x.png"
    if existing is not None:
        path.write_bytes(existing)
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise KeyboardInterrupt if where == "interrupt" else FULL

    if where == "write":
        plain_open = Path.open
        opener = lambda self, mode: _FullFile(plain_open(self, mode))  # noqa: E731
        monkeypatch.setattr(Path, "open", opener)
    elif where == "rename":
        for function in ("link", "replace", "rename"):
            monkeypatch.setattr(os, function, fail)
        monkeypatch.setattr(Path, "replace", fail)
        monkeypatch.setattr(Path, "rename", fail)
    else:
        monkeypatch.setattr(os, "fsync", fail)
    expected = KeyboardInterrupt if where == "interrupt" else ImageError
    with pytest.raises(expected) as caught:
        write_atomic(path, b"new content", overwrite=True)
    monkeypatch.undo()
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before
    if where != "interrupt":
        assert str(caught.value) == f"cannot write {path}: {os.strerror(errno.ENOSPC)}"


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot write .*none.x\.png: No such file"):
        write_atomic(tmp_path / "none" / "x.png", b"content")


def test_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(ImageError, match="cannot write"):
        write_atomic(tmp_path / "x.png", b"content", overwrite=True)
    assert (tmp_path / "x.png").is_dir()


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "open", denied)  # a superuser could write to a read-only folder
    with pytest.raises(ImageError, match="Permission denied"):
        write_atomic(tmp_path / "x.png", b"content")
