"""Galleries: people enrolled by embeddings in a database, and who of them a face belongs to.

Nothing of the extras ``service`` and ``postgres`` is imported before `open_gallery` is called.
"""

from __future__ import annotations

from veilface.gallery.base import (
    Candidate,
    Count,
    Enrolment,
    Gallery,
    Identification,
    Person,
    Record,
)
from veilface.gallery.opening import open_gallery
from veilface.gallery.rule import Rule
from veilface.gallery.space import Space, space_of

__all__ = [
    "Candidate",
    "Count",
    "Enrolment",
    "Gallery",
    "Identification",
    "Person",
    "Record",
    "Rule",
    "Space",
    "open_gallery",
    "space_of",
]
