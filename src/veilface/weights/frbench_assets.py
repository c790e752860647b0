"""Where the ``frbench`` package keeps its weights, found without importing it.

Its cache folder holds ``manifest.json``, which names for every asset a folder and the files in
it. Fetching is left to the package itself (``pip install frbench``), which checks the
hash of the archive where its manifest states one.

Environment:
    FRBENCH_CACHE: The cache folder instead of ``~/.frbench``.

Source:
    frbench 1.1.3. Untested against its real release: no asset of it was ever fetched here.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, cast

from veilface.errors import WeightsError

MISSING = "frbench is not installed; run: pip install frbench"
_LARGEST_MANIFEST = 4 << 20  # bytes


def asset_cache() -> Path:
    """The cache folder of frbench; it need not exist."""
    chosen = os.environ.get("FRBENCH_CACHE")
    return Path(os.path.expandvars(chosen or "~/.frbench")).expanduser()


def asset_file(key: str, kind: str) -> Path:
    """The path of a file of an asset; it need not exist.

    Args:
        key: ``<backbone>_<loss>_<dataset>``.
        kind: ``config`` or ``weight``.

    Raises:
        WeightsError: There is no manifest, or the asset is not in it.
    """
    manifest = asset_cache() / "manifest.json"
    try:
        if manifest.stat().st_size > _LARGEST_MANIFEST:
            msg = f"{manifest} is too large for a manifest of frbench"
            raise WeightsError(msg)
        entries = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"frbench has no weights here ({manifest} is missing)"
        raise WeightsError(msg) from None
    except (OSError, ValueError) as error:
        msg = f"cannot read {manifest}: {error}"
        raise WeightsError(msg) from error
    entry: Any = entries.get(key) if isinstance(entries, dict) else None
    try:
        parts = (entry["target_name"], entry["contents"][kind])
    except (KeyError, TypeError):
        msg = f"{manifest} has no {kind} of {key}"
        raise WeightsError(msg) from None
    for part in parts:
        _check_inside(part, manifest)
    return asset_cache().joinpath(*parts)


def fetch_asset(key: str) -> None:
    """Let frbench download an asset into its cache folder.

    Raises:
        WeightsError: frbench is not installed, or fails; its own words are quoted.
    """
    if importlib.util.find_spec("frbench") is None:
        raise WeightsError(MISSING)
    try:
        module = importlib.import_module("frbench.utils.download")
        get_asset = cast("Callable[[str], dict[str, Any]]", module.get_asset)
        found = Path(get_asset(key)["path"])
    except Exception as error:  # whatever the package or its dependencies raise
        msg = f"frbench could not fetch {key}: {type(error).__name__}: {error}"
        raise WeightsError(msg) from error
    if asset_cache().resolve() not in found.resolve().parents:
        msg = f"frbench keeps its weights in {found.parent}: set FRBENCH_CACHE to that folder"
        raise WeightsError(msg)


def _check_inside(part: object, manifest: Path) -> None:
    """Refuse names that lead out of the cache folder."""
    if isinstance(part, str) and part and "\\" not in part and ":" not in part:
        path = PurePosixPath(part)
        if not path.is_absolute() and ".." not in path.parts:
            return
    msg = f"{manifest} names the file {part!r}, which may lie outside its folder"
    raise WeightsError(msg)
