"""Names of the outputs: they never collide, and a resumed run gives the same ones.

The names depend on the list of inputs only, not on what is done already or on their order.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from veilface.errors import UnknownNameError
from veilface.pipeline.inputs import Source
from veilface.text import is_safe

SUFFIX = {"png": ".png", "jpeg": ".jpg"}


def check_format(name: str) -> str:
    """``name`` when it is a format that outputs can have.

    Raises:
        UnknownNameError: It is not.
    """
    if name not in SUFFIX:
        raise UnknownNameError("format", name, SUFFIX)
    return name


NAMES = ("source", "neutral")


def check_names(kind: str) -> str:
    """``kind`` when it is a way to name outputs.

    Raises:
        UnknownNameError: It is not.
    """
    if kind not in NAMES:
        raise UnknownNameError("kind of names", kind, NAMES)
    return kind


def plan_names(sources: Sequence[Source]) -> list[str]:
    """One name for each source: a path below the output folder, without the ``.veil`` ending.

    A name is the stem of the file in the mirrored folder. Where two files share it, both keep
    their extension (``photo.jpg`` and ``photo.png`` become ``photo.jpg.veil.png`` and
    ``photo.png.veil.png``); where they still share it (the same name from two folders), both get
    six digits of the hash of their path as well. Upper and lower case count as the same, since
    some file systems think so. What no terminal should print (line breaks, escape sequences, bytes
    that are no text) becomes an underscore.
    """
    levels = [0] * len(sources)
    while True:
        names = [_name(source, level) for source, level in zip(sources, levels, strict=True)]
        groups = defaultdict(list)
        for index, name in enumerate(names):
            groups[name.casefold()].append(index)
        clashing = [group for group in groups.values() if len(group) > 1]
        if not clashing:
            return names
        for group in clashing:
            for index in group:
                levels[index] += 1


def _name(source: Source, level: int) -> str:
    name = source.path.stem if level == 0 else source.path.name
    if level > 1:
        digest = hashlib.sha256(os.fsencode(source.path)).hexdigest()
        name += f"-{digest[: 6 * (level - 1)]}"  # more digits should six ever be the same
    path = (source.folder / name).as_posix()
    return "".join(c if is_safe(c) else "_" for c in path)


def output_paths(root: Path, name: str, *, count: int, form: str, whole: bool) -> list[Path]:
    """Where the outputs of one photo go.

    Args:
        root: The output folder.
        name: From `plan_names`.
        count: Number of faces.
        form: png or jpeg.
        whole: One file with the whole photo instead of one file a face.

    Returns:
        ``<name>.veil.png``, or ``<name>.veil-1.png`` and so on for several faces.
    """
    suffix = SUFFIX[form]
    if whole or count == 1:
        return [root / f"{name}.veil{suffix}"]
    return [root / f"{name}.veil-{face}{suffix}" for face in range(1, count + 1)]
