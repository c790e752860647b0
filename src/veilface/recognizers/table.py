"""The table of recognisers by name, and nothing that computes."""

from __future__ import annotations

from collections.abc import Mapping

from veilface.core.plugins import Registry
from veilface.recognizers import catalogue, papers
from veilface.recognizers.spec import RecognizerSpec

SURROGATES = ("dlib", "sface", "mobilefacenet", "fr_feature")
"""The verified recognisers that a protection is made against unless others are named.

They read what is fine. Recognisers that look coarsely see the stranger, as people do, and would
pull the change to where people see it."""

RECOGNIZERS: Mapping[str, RecognizerSpec] = Registry(
    {spec.name: spec for spec in (*catalogue.SPECS, *papers.SPECS)},
    group="veilface.recognizers",
    kind=RecognizerSpec,
)
"""By name, with those of other packages: see docs/own_method.md."""
