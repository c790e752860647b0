"""What is known of a method before it is built: the columns of every table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from veilface.protectors.base import FaceProtector


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """One method of the registry.

    Attributes:
        name: Registry name, which is that of its folder too.
        summary: One line about it.
        paper: Authors, title, venue and address.
        licence: Of the code here, and what is said of that of the authors.
        build: Makes the protector, without arguments.
        requires_training: Whether ``build`` raises `veilface.errors.UntrainedError` until
            ``veilface train NAME`` has run.
        randomised: Whether two protections of one face differ.
        in_channels: Channels of what is transmitted: the input of a recogniser or an attacker.
        native_recognizer: Whether matching needs a recogniser trained on what is transmitted;
            black-box figures then only say that others cannot read it.
        taught: What such a recogniser is shown of (N, 3, 112, 112) faces of (N,) numbered people
            when it is trained on people; None where that is what ``protect`` sends.
    """

    name: str
    summary: str
    paper: str
    licence: str
    build: Callable[[], FaceProtector]
    requires_training: bool = False
    randomised: bool = True
    in_channels: int = 3
    native_recognizer: bool = True
    taught: Callable[[Tensor, Tensor, Generator], Tensor] | None = None
