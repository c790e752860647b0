"""The key of line-ups: who is shown to whom, under which condition, and where the source stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from veilface.core.files import read_bytes
from veilface.errors import AnswersError, ImageError
from veilface.evaluation.asking.names import is_named, words_of

Task = Literal["pick", "name"]
"""Pick the source out of ten, or say who it is."""

KEY = "key.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One face that one viewer is shown.

    Attributes:
        number: From 1, as the viewer sees it.
        person: Identity in the data set.
        source: Name of the record that the image was made from.
        condition: Label.
        candidates: Names of the records beside it, in the order of their numbers; empty where the
            task is to name the person.
    """

    number: int
    person: str
    source: str
    condition: str
    candidates: tuple[str, ...] = ()

    def chosen(self, answer: int | str) -> str:
        """What an answer stands for, so that those of two viewers can be compared."""
        if isinstance(answer, int):
            return self.candidates[answer - 1]
        return " ".join(words_of(answer))

    def is_right(self, answer: int | str) -> bool:
        """Whether an answer is the source's number, or names its person."""
        if isinstance(answer, int):
            return self.chosen(answer) == self.source
        return is_named(answer, self.person)


@dataclass(frozen=True, slots=True)
class Key:
    """What answers are scored with, and viewers never see.

    Attributes:
        task: What viewers are asked.
        dataset: Name of the set.
        seed: Of everything that was drawn.
        conditions: By label whether it is a control.
        viewers: By number from 1 the cases of each viewer in their order.
        studies: By number of a viewer the digest of what that viewer is shown, which answers carry.
    """

    task: Task
    dataset: str
    seed: int
    conditions: Mapping[str, bool]
    viewers: Mapping[int, tuple[Case, ...]]
    studies: Mapping[int, str]

    def to_json(self) -> str:
        """The file's content."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def read_key(folder: Path) -> Key:
    """Read the key of a folder of line-ups.

    Raises:
        AnswersError: It is not there, or no key.
    """
    path = folder / KEY
    try:
        return _key(json.loads(read_bytes(path)))
    except ImageError:
        raise AnswersError(f"{folder} holds no line-ups: there is no {KEY} in it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise AnswersError(f"{path} is no key that veilface lineup make has written") from error


def _key(stored: Mapping[str, Any]) -> Key:
    if stored["task"] not in get_args(Task):
        raise ValueError(stored["task"])
    return Key(
        task=stored["task"],
        dataset=str(stored["dataset"]),
        seed=int(stored["seed"]),
        conditions={str(label): bool(kind) for label, kind in stored["conditions"].items()},
        viewers={
            int(viewer): tuple(
                Case(**{**case, "candidates": tuple(case["candidates"])}) for case in cases
            )
            for viewer, cases in stored["viewers"].items()
        },
        studies={int(viewer): str(study) for viewer, study in stored["studies"].items()},
    )
