"""The files that INPUT... names: files, folders, globs.

Folders are walked recursively; what is hidden or has no image suffix is passed over there, while a
file that is named is always taken, so that a wrong one is reported instead of ignored.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

SUFFIXES = frozenset(
    {".bmp", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)

_OUTPUT = re.compile(r"\.veil(-\d+)?\.(png|jpg)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file to work on.

    Attributes:
        path: Where it is, as given or as found in the given folder.
        folder: Its folder below the given folder (mirrored in the output); ``.`` for files.
    """

    path: Path
    folder: PurePath = field(default_factory=PurePath)


@dataclass(frozen=True, slots=True)
class Problem:
    """An input that yields no file.

    Attributes:
        given: What the caller wrote.
        sentence: What is wrong with it.
    """

    given: str
    sentence: str


def collect(
    given: Sequence[str | os.PathLike[str]], *, output: Path | None = None
) -> tuple[list[Source], list[Problem]]:
    """Find the files.

    Args:
        given: Files, folders and glob patterns (``**`` crosses folders).
        output: Folder of the outputs. When it lies inside a given folder, what is in it is not
            taken as input; when it is the given folder itself, files named like outputs are not.

    Returns:
        The files in the order given (folders sorted), each once however often it is named; and
        the inputs that yield none.
    """
    sources: dict[Path, Source] = {}
    problems: list[Problem] = []
    for item in given:
        name = os.fspath(item)
        found: Iterable[Source]
        if Path(name).is_dir():
            found = list(_walk(Path(name), output))
            if not found:
                problems.append(Problem(name, f"the folder {name} contains no images"))
        elif os.path.lexists(name):
            found = [Source(Path(name))]
        elif glob.has_magic(name):
            found = list(_match(name, output))
            if not found:
                problems.append(Problem(name, f"no file matches {name}"))
        else:
            found = []
            problems.append(Problem(name, f"{name} does not exist"))
        for source in found:
            sources.setdefault(source.path.resolve(), source)
    return list(sources.values()), problems


def _walk(root: Path, output: Path | None) -> Iterator[Source]:
    own = output.resolve() if output is not None else None
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        inside = own is not None and own.is_relative_to(root.resolve())
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (inside and (here / name).resolve() == own)
        )
        for name in sorted(files):
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if _is_output(path, own):
                continue
            yield Source(path, PurePath(os.path.relpath(here, root)))


def _match(pattern: str, output: Path | None) -> Iterator[Source]:
    own = output.resolve() if output is not None else None
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - patterns may be absolute
        path = Path(name)
        if path.is_dir():
            # A pattern such as photos/** names the folders on the way too; their files match
            # by themselves where ** was written, and a folder named by * is walked like any.
            if "**" not in pattern and path.resolve() != own:
                yield from _walk(path, output)
        elif not _is_output(path, own):
            yield Source(path)


def _is_output(path: Path, own: Path | None) -> bool:
    return (
        own is not None
        and _OUTPUT.search(path.name) is not None
        and path.resolve().is_relative_to(own)
    )
