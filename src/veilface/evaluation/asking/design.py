"""Who sees whom under which condition, and in which order: a Latin square over viewers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from veilface.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Showing:
    """What one viewer is shown once.

    Attributes:
        person: Number of the person, from 0.
        condition: Number of the condition, from 0.
        order: The order in which the candidates stand, a permutation of their numbers.
    """

    person: int
    condition: int
    order: tuple[int, ...]


def design(
    people: int, conditions: int, viewers: int, *, candidates: int, seed: int
) -> tuple[tuple[Showing, ...], ...]:
    """Plan what each viewer sees.

    Every viewer sees every person once and every condition equally often. From one viewer to the
    next each person moves on by one condition, so that as many viewers as there are conditions see
    each person under each of them once.

    Args:
        people: A multiple of the conditions.
        conditions: At least one.
        viewers: At least one.
        candidates: People in a line-up; 0 where nobody is to be picked.
        seed: Of all orders and places.

    Returns:
        For each viewer the showings in the order in which they are shown.

    Raises:
        ShapeError: The conditions cannot be equally often, or there is nothing to show.
    """
    if min(people, conditions, viewers) < 1:
        raise ShapeError(
            f"{people} people, {conditions} conditions, {viewers} viewers: one of each"
        )
    if people % conditions:
        less = people - people % conditions
        near = " or ".join(str(count) for count in (less, less + conditions) if count)
        raise ShapeError(
            f"{people} people cannot see {conditions} conditions equally often; take {near} people"
        )
    generator = torch.Generator().manual_seed(seed)

    def shuffled(count: int) -> list[int]:
        return [int(k) for k in torch.randperm(count, generator=generator)]

    starts = [place % conditions for place in shuffled(people)]
    return tuple(
        tuple(
            Showing(person, (starts[person] + viewer) % conditions, tuple(shuffled(candidates)))
            for person in shuffled(people)
        )
        for viewer in range(viewers)
    )
