"""What viewers recognised: right answers by condition, confidence, and agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean
from typing import Any, TypeVar

from veilface.evaluation.asking.answers import Answer
from veilface.evaluation.asking.key import Case, Key, Task
from veilface.measures.intervals import Estimate, wilson

_Group = TypeVar("_Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ConditionScore:
    """What viewers made of one condition.

    Attributes:
        label: Of the condition.
        is_control: Whether it is there to be compared with.
        right: Share of right answers; ``n`` counts answers.
        people: How many different people were asked about.
        sure_right: Mean confidence in [0, 1] of right answers; None where nobody said one.
        sure_wrong: Of wrong answers.
        agreement: Share of pairs of viewers of the same image who gave the same answer; None where
            no two viewers saw the same image.
    """

    label: str
    is_control: bool
    right: Estimate
    people: int
    sure_right: float | None
    sure_wrong: float | None
    agreement: Estimate | None


@dataclass(frozen=True, slots=True)
class Score:
    """The result of line-ups.

    Attributes:
        task: What was asked.
        chance: Share of right answers of somebody who guesses; None where there is nothing to
            guess from.
        conditions: In the order of the key.
        viewers: By viewer the share of right answers, over all conditions.
        everybody: People whom every viewer recognised whatever the condition under test, two or
            more viewers: they are worth looking at.
        waiting: Viewers without answers.
    """

    task: Task
    chance: float | None
    conditions: tuple[ConditionScore, ...]
    viewers: Mapping[int, Estimate]
    everybody: tuple[str, ...]
    waiting: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Reply:
    case: Case
    answer: Answer
    viewer: int

    @property
    def right(self) -> bool:
        return self.case.is_right(self.answer.given)


def score(key: Key, answers: Mapping[int, Mapping[int, Answer]]) -> Score:
    """Score answers that fit their key.

    Args:
        key: Of the line-ups.
        answers: From `veilface.evaluation.asking.answers.read_answers`.
    """
    replies = [
        _Reply(case, answers[viewer][case.number], viewer)
        for viewer, cases in key.viewers.items()
        if viewer in answers
        for case in cases
    ]
    by_condition = _grouped(replies, lambda reply: reply.case.condition)
    sizes = [len(reply.case.candidates) for reply in replies]
    return Score(
        task=key.task,
        chance=1 / sizes[0] if sizes and sizes[0] else None,
        conditions=tuple(
            _condition(label, by_condition[label], is_control=is_control)
            for label, is_control in key.conditions.items()
            if label in by_condition
        ),
        viewers={
            viewer: _share(mine) for viewer, mine in _grouped(replies, lambda r: r.viewer).items()
        },
        everybody=_everybody(
            [reply for reply in replies if not key.conditions[reply.case.condition]]
        ),
        waiting=tuple(viewer for viewer in key.viewers if viewer not in answers),
    )


def _condition(label: str, replies: Sequence[_Reply], *, is_control: bool) -> ConditionScore:
    return ConditionScore(
        label=label,
        is_control=is_control,
        right=_share(replies),
        people=len({reply.case.person for reply in replies}),
        sure_right=_sure(reply for reply in replies if reply.right),
        sure_wrong=_sure(reply for reply in replies if not reply.right),
        agreement=_agreement(replies),
    )


def _share(replies: Sequence[_Reply]) -> Estimate:
    return wilson(sum(reply.right for reply in replies), len(replies))


def _sure(replies: Iterable[_Reply]) -> float | None:
    said = [reply.answer.confidence for reply in replies if reply.answer.confidence is not None]
    return fmean(said) if said else None


def _agreement(replies: Sequence[_Reply]) -> Estimate | None:
    same = [
        bool(first) and first == second
        for seen in _grouped(replies, lambda reply: reply.case.source).values()
        for first, second in combinations([r.case.chosen(r.answer.given) for r in seen], 2)
    ]
    return wilson(sum(same), len(same)) if same else None


def _everybody(replies: Sequence[_Reply]) -> tuple[str, ...]:
    return tuple(
        person
        for person, seen in sorted(_grouped(replies, lambda reply: reply.case.person).items())
        if len(seen) > 1 and all(reply.right for reply in seen)
    )


def _grouped(
    replies: Iterable[_Reply], by: Callable[[_Reply], _Group]
) -> dict[_Group, list[_Reply]]:
    groups: defaultdict[_Group, list[_Reply]] = defaultdict(list)
    for reply in replies:
        groups[by(reply)].append(reply)
    return groups
