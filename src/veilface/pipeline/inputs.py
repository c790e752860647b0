"""The files that INPUT... names: files, folders, globs.

Folders are walked recursively; what is hidden or has no image suffix is passed over there and
reported, while a file that is named is always taken, so that a wrong one fails.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from veilface.imaging.headers import HEIF_SUFFIXES, SUFFIXES

_OUTPUT = re.compile(r"\.veil(-\d+)?\.(png|jpg)$", re.IGNORECASE)
_OWN = re.compile(r"\.veilface\.(jsonl(\.now)?|lock)$|^veilface-manifest\.jsonl$")


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


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something in a folder that nobody looked into.

    Attributes:
        path: The file or folder.
        reason: Why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the inputs stand for.

    Attributes:
        sources: The files in the order given (folders sorted), each once however often it is named.
        problems: The inputs that yield none.
        passed_over: What lies in the folders and is not taken.
    """

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    passed_over: tuple[PassedOver, ...]


def collect(given: Sequence[str | os.PathLike[str]], *, output: Path | None = None) -> Found:
    """Find the files.

    Args:
        given: Files, folders and glob patterns (``**`` crosses folders).
        output: Folder of the outputs. When it lies inside a given folder, what is in it is not
            taken as input; when it is the given folder itself, files named like outputs are not.
    """
    sources: dict[Path, Source] = {}
    passed: dict[str, PassedOver] = {}
    problems: list[Problem] = []
    for item in given:
        name = os.fspath(item)
        if Path(name).is_dir():
            found = list(_walk(Path(name), output))
            nothing = f"the folder {name} contains no images"
        elif os.path.lexists(name):
            found, nothing = [Source(Path(name))], ""
        elif glob.has_magic(name):
            found, nothing = list(_match(name, output)), f"no file matches {name}"
        else:
            found, nothing = [], f"{name} does not exist"
        taken = [one for one in found if isinstance(one, Source)]
        left = [one for one in found if isinstance(one, PassedOver)]
        if not taken:
            more = f" that are read, but {len(left)} other files or folders" if left else ""
            problems.append(Problem(name, nothing + more))
        for source in taken:
            sources.setdefault(source.path.resolve(), source)
        passed.update((one.path, one) for one in left)
    return Found(tuple(sources.values()), tuple(problems), tuple(passed.values()))


def _walk(root: Path, output: Path | None) -> Iterator[Source | PassedOver]:
    own = output.resolve() if output is not None else None
    inside = own is not None and own.is_relative_to(root.resolve())
    unread: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=unread.append):
        here = Path(folder)
        kept = []
        for name in sorted(folders):
            path = here / name
            if inside and path.resolve() == own:
                continue
            if reason := _why_not_entered(path):
                yield PassedOver(str(path), reason)
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(files):
            path = here / name
            if _is_output(path, own) or _OWN.search(name):
                continue
            if reason := _why_not_taken(path):
                yield PassedOver(str(path), reason)
            else:
                yield Source(path, PurePath(os.path.relpath(here, root)))
    for error in unread:
        yield PassedOver(str(error.filename), f"a folder that cannot be read: {error.strerror}")


def _why_not_entered(folder: Path) -> str | None:
    if folder.name.startswith("."):
        return "a hidden folder"
    return "a link to a folder" if folder.is_symlink() else None


def _why_not_taken(path: Path) -> str | None:
    if path.name.startswith("."):
        return "a hidden file"
    if not path.suffix:
        return "a file without an extension"
    known = path.suffix.lower() in SUFFIXES | HEIF_SUFFIXES
    return None if known else f"{path.suffix} is no extension of the photos that are read"


def _match(pattern: str, output: Path | None) -> Iterator[Source | PassedOver]:
    own = output.resolve() if output is not None else None
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - patterns may be absolute
        path = Path(name)
        if path.is_dir():
            # A pattern such as photos/** names the folders on the way too; their files match
            # by themselves where ** was written, and a folder named by * is walked like any.
            if "**" not in pattern and path.resolve() != own:
                yield from _walk(path, output)
        elif not _is_output(path, own) and not _OWN.search(path.name):
            yield Source(path)


def _is_output(path: Path, own: Path | None) -> bool:
    return (
        own is not None
        and _OUTPUT.search(path.name) is not None
        and path.resolve().is_relative_to(own)
    )
