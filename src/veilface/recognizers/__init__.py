"""Face recognisers: differentiable networks with pretrained public weights."""

from __future__ import annotations

from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import RECOGNIZERS, available, get_spec, load_recognizer
from veilface.recognizers.spec import RecognizerSpec

__all__ = [
    "RECOGNIZERS",
    "Recognizer",
    "RecognizerSpec",
    "available",
    "get_spec",
    "load_recognizer",
]
