"""Answers of viewers, read from what the page saves or from the filled-in table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veilface.core.files import read_bytes
from veilface.errors import AnswersError
from veilface.evaluation.asking.key import Key

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a viewer said about one case.

    Attributes:
        given: The number of a candidate, from 1, or a name, empty where nobody was recognised.
        confidence: In [0, 1]; None where it was not said.
    """

    given: int | str
    confidence: float | None


def read_answers(folder: Path, key: Key) -> Mapping[int, Mapping[int, Answer]]:
    """Read the answers in a folder of line-ups and in the folders of its viewers.

    Args:
        folder: Of the key. ``answers-*.json`` and ``answers-K.csv`` are read; a table that nobody
            has filled in is no answer.
        key: What the answers must fit.

    Returns:
        By viewer and by number of the case.

    Raises:
        AnswersError: A file is malformed or does not fit the key, a viewer answered twice, a case
            is missing, or there are no answers.
    """
    files = [
        path
        for suffix in ("json", "csv")
        for pattern in (f"answers-*.{suffix}", f"viewer-*/answers-*.{suffix}")
        for path in sorted(folder.glob(pattern))
    ]
    found: dict[int, Mapping[int, Answer]] = {}
    told_by: dict[int, Path] = {}
    for path in files:
        viewer, rows = _read_json(path, key) if path.suffix == ".json" else _read_csv(path, key)
        if rows is None:
            continue
        if viewer in found:
            raise AnswersError(f"viewer {viewer} answered twice: {told_by[viewer]} and {path}")
        found[viewer], told_by[viewer] = _fitting(path, viewer, rows, key), path
    if not found:
        raise AnswersError(
            f"{folder} holds no answers: no answers-*.json, no filled-in answers-*.csv"
        )
    return dict(sorted(found.items()))


def _read_json(path: Path, key: Key) -> tuple[int, Sequence[_Row]]:
    try:
        document = json.loads(read_bytes(path))
        viewer, study, task = (document[name] for name in ("viewer", "study", "task"))
        rows = [dict(row) for row in document["answers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise AnswersError(f"{path} is no file that the page of a line-up saves") from error
    _check_viewer(path, viewer, key)
    if (study, task) != (key.studies[viewer], key.task):
        raise AnswersError(f"{path} answers other line-ups than those of viewer {viewer} here")
    return viewer, rows


def _read_csv(path: Path, key: Key) -> tuple[int, Sequence[_Row] | None]:
    named = re.fullmatch(r"answers-(\d+)\.csv", path.name)
    if named is None:
        raise AnswersError(f"{path} does not say whose answers it holds: call it answers-K.csv")
    viewer = int(named[1])
    _check_viewer(path, viewer, key)
    try:
        reader = csv.DictReader(io.StringIO(read_bytes(path).decode("utf-8-sig")))
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnswersError(f"{path} is no table of comma-separated values") from error
    wanted = {"case", key.task, "confidence"}
    if not wanted <= set(reader.fieldnames or ()):
        raise AnswersError(f"{path} needs the columns case, {key.task}, confidence")
    # A name may stay empty in a table that is filled in, so the confidences count there as well.
    empty = not any(
        (row[key.task] or "").strip() or (row["confidence"] or "").strip() for row in rows
    )
    return viewer, None if empty else rows


def _check_viewer(path: Path, viewer: object, key: Key) -> None:
    if type(viewer) is not int or viewer not in key.viewers:  # True is 1, too
        raise AnswersError(f"{path} is of viewer {viewer}; the key has 1 to {len(key.viewers)}")


def _fitting(path: Path, viewer: int, rows: Sequence[_Row], key: Key) -> dict[int, Answer]:
    cases = {case.number: case for case in key.viewers[viewer]}
    found: dict[int, Answer] = {}
    for row in rows:
        number = _whole(row.get("case"))
        if number not in cases:
            raise AnswersError(f"{path}: there is no case {row.get('case')}, but 1 to {len(cases)}")
        if number in found:
            raise AnswersError(f"{path} answers case {number} twice")
        given: int | str | None = row.get(key.task)
        if key.task == "pick":
            last = len(cases[number].candidates)
            given, said = _whole(given), given
            if given is None and not str(said or "").strip():
                continue  # said below, with all others that are missing
            if given is None or not 1 <= given <= last:
                raise AnswersError(f"{path}: case {number} has the pick {said}, not 1 to {last}")
        found[number] = Answer(given or "", _share(path, number, row.get("confidence")))
    missing = [str(number) for number in cases if number not in found]
    if missing:
        raise AnswersError(f"{path} has no answer to case {', '.join(missing)}")
    return found


def _whole(text: object) -> int | None:
    """A whole number, written as one; None for anything else."""
    words = str(text).strip()
    return int(words) if not isinstance(text, bool) and re.fullmatch(r"\d{1,6}", words) else None


def _share(path: Path, number: int, text: object) -> float | None:
    words = "" if text is None else str(text).strip().removesuffix("%")
    if not words:
        return None
    try:
        value = float(words)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise AnswersError(f"{path}: case {number} has the confidence {text}, not 0 to 100")
    return value / 100
