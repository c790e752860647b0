"""Face recognisers: differentiable networks with pretrained public weights."""

from __future__ import annotations

from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, get_spec, load_recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.recognizers.table import RECOGNIZERS

__all__ = [
    "RECOGNIZERS",
    "Recognizer",
    "RecognizerSpec",
    "available",
    "get_spec",
    "load_recognizer",
]
