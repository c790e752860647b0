"""How many people stand behind the figures of a table."""

from __future__ import annotations

from collections.abc import Sequence

from veilface.evaluation.results import Evaluation


def people_of(found: Sequence[Evaluation | None]) -> list[str]:
    """A sentence for each set: the numbers of people, by the protectors that share one."""
    sentences = []
    for each in found:
        if each is not None:
            numbers: dict[int, list[str]] = {}
            for row in each.rows:
                names = numbers.setdefault(row.images, [])
                if row.protector not in names:
                    names.append(row.protector)
            most, *fewer = sorted(numbers, reverse=True)
            parts = [str(most), *(f"{count} for {', '.join(numbers[count])}" for count in fewer)]
            sentences.append(f"People of {each.dataset['name']}: {'; '.join(parts)}.")
    return sentences
