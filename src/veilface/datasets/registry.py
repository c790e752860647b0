"""Names of data sets to their readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from veilface.datasets.base import FacePairs
from veilface.datasets.lfw import load_lfw
from veilface.errors import UnknownNameError

DATASETS: Mapping[str, Callable[[Path], FacePairs]] = MappingProxyType({"lfw": load_lfw})


def load_pairs(name: str, root: str | os.PathLike[str]) -> FacePairs:
    """The pairs of a data set.

    Args:
        name: One of `DATASETS`.
        root: Its folder.

    Raises:
        UnknownNameError: There is no such data set; the message lists those that there are.
        DatasetError: The folder does not hold it.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    return DATASETS[name](Path(root))
