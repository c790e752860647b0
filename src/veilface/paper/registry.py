"""The experiments by their names on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from veilface.errors import DatasetError, UnknownNameError
from veilface.evaluation.report.sheets import Sheet
from veilface.paper.comparison import Comparison
from veilface.paper.figure5 import figure5
from veilface.paper.figures import figure3, figure4
from veilface.paper.published import SETS
from veilface.paper.study import Study
from veilface.paper.table1 import table1
from veilface.paper.table2 import table2
from veilface.paper.table3 import table3
from veilface.paper.table4 import table4
from veilface.paper.table5 import table5
from veilface.paper.table6 import table6
from veilface.protectors.veil.presets import PRESETS


@dataclass(frozen=True, slots=True)
class Experiment:
    """A table or figure of the paper.

    Attributes:
        run: Makes it.
        summary: One line.
        sets: Names of data sets it can use, of which it needs one.
        presets: Names of the presets that it shows unless others are wanted.
    """

    run: Callable[[Study], Comparison | Sheet]
    summary: str
    sets: tuple[str, ...] = ("lfw",)
    presets: tuple[str, ...] = tuple(PRESETS)


_EVERY = tuple(SETS.values())
EXPERIMENTS: Mapping[str, Experiment] = {
    "table1": Experiment(table1, "SSIM of X' and X, by method and set", _EVERY),
    "table2": Experiment(table2, "accuracy on LFW, by method and recogniser"),
    "table3": Experiment(table3, "what attackers recover, by method and set", _EVERY),
    "table4": Experiment(table4, "accuracy by recogniser and set", _EVERY),
    "table5": Experiment(table5, "accuracy on LFW by number of surrogates, every subset"),
    "table6": Experiment(table6, "without high-pass, random filling, or noise", presets=("paper",)),
    "figure3": Experiment(figure3, "the methods side by side"),
    "figure4": Experiment(figure4, "originals and protected images by set", _EVERY),
    "figure5": Experiment(figure5, "what attackers recover of a few people", _EVERY),
}
"""By name."""


def get_experiment(name: str, sets: Iterable[str]) -> Experiment:
    """An experiment that can run on some of the sets.

    Args:
        name: One of `EXPERIMENTS`.
        sets: Names of the data sets that are here.

    Raises:
        UnknownNameError: There is no such experiment.
        DatasetError: None of the sets is one that it uses.
    """
    if name not in EXPERIMENTS:
        raise UnknownNameError("experiment", name, EXPERIMENTS)
    experiment = EXPERIMENTS[name]
    if not set(experiment.sets) & set(sets):
        wanted = " or ".join(f"--dataset-root {each}=DIR" for each in experiment.sets)
        raise DatasetError(f"{name} needs a data set: give {wanted}")
    return experiment
