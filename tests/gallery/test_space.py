"""Which embeddings may be compared."""

from __future__ import annotations

import dataclasses

import pytest

from veilface.errors import GalleryError
from veilface.gallery.space import space_of
from veilface.recognizers.own.build import from_callable
from veilface.recognizers.registry import get_spec


def test_a_recogniser_has_one_space() -> None:
    spec = get_spec("dlib")
    space = space_of(spec)
    assert (space.recognizer, space.dim) == ("dlib", spec.dim)
    assert len(space.weights) == 64
    assert spec.calibration is not None
    assert space.thresholds == spec.calibration.thresholds
    assert space_of(dataclasses.replace(spec, notes="other words")) == space


def test_other_files_or_another_preprocessing_are_another_space() -> None:
    spec = get_spec("dlib")
    darker = dataclasses.replace(spec.preprocessing, std=spec.preprocessing.std + 1)
    file = dataclasses.replace(spec.source.files[0], sha256="0" * 64)
    source = dataclasses.replace(spec.source, files=(file, *spec.source.files[1:]))
    changed = [
        dataclasses.replace(spec, preprocessing=darker),
        dataclasses.replace(spec, source=source),
    ]
    assert len({space_of(one).weights for one in (spec, *changed)}) == 3


def test_a_function_has_none() -> None:
    recognizer = from_callable(lambda x: x.mean((2, 3)), name="colour", dim=3)
    with pytest.raises(GalleryError, match="weights of colour have no hash"):
        space_of(recognizer.spec)
