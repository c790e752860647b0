"""Names of outputs never collide and depend on the inputs only."""

from __future__ import annotations

import random
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.errors import UnknownNameError
from veilface.pipeline.inputs import Source
from veilface.pipeline.outputs import check_format, output_paths, plan_names


def plan(*paths: str) -> dict[str, str]:
    sources = [Source(Path(path)) for path in paths]
    return dict(zip(paths, plan_names(sources), strict=True))


def test_stem_and_mirrored_folder() -> None:
    assert plan("a/photo.jpg", "me.too.png") == {"a/photo.jpg": "photo", "me.too.png": "me.too"}
    assert plan_names([Source(Path("in/x/y/a.jpg"), PurePath("x/y"))]) == ["x/y/a"]


def test_two_files_of_one_stem_keep_their_extensions() -> None:
    assert plan("photo.jpg", "photo.png", "other.png") == {
        "photo.jpg": "photo.jpg",
        "photo.png": "photo.png",
        "other.png": "other",
    }


def test_same_stem_in_mirrored_folders_is_no_collision() -> None:
    sources = [Source(Path("in/a.jpg"), PurePath()), Source(Path("in/x/a.jpg"), PurePath("x"))]
    assert plan_names(sources) == ["a", "x/a"]


def test_same_name_from_two_folders_gets_a_suffix() -> None:
    names = plan("2023/photo.jpg", "2024/photo.jpg")
    assert len(set(names.values())) == 2
    for name in names.values():
        assert name.startswith("photo.jpg-")
        assert len(name) == len("photo.jpg-") + 6


def test_a_name_that_looks_like_another_ones_fallback() -> None:
    names = plan("photo.jpg", "photo.png", "photo.jpg.png")
    assert len({name.casefold() for name in names.values()}) == 3


def test_case_counts_as_equal() -> None:
    assert plan("Photo.jpg", "photo.png") == {"Photo.jpg": "Photo.jpg", "photo.png": "photo.png"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(["p", "P", "p.jpg"]), st.sampled_from("jx")
        ),
        unique=True,
        max_size=12,
    )
)
def test_unique_and_independent_of_order(parts: list[tuple[str, str, str]]) -> None:
    paths = [f"{folder}/{stem}.{suffix}" for folder, stem, suffix in parts]
    names = plan(*paths)
    assert len({name.casefold() for name in names.values()}) == len(paths)
    shuffled = random.Random(0).sample(paths, len(paths))  # noqa: S311 - an order, no secret
    assert plan(*shuffled) == names


def test_output_paths() -> None:
    root = Path("out")
    one = output_paths(root, "x/a", count=1, form="png", whole=False)
    assert [path.as_posix() for path in one] == ["out/x/a.veil.png"]
    several = output_paths(root, "a", count=3, form="jpeg", whole=False)
    assert [path.name for path in several] == ["a.veil-1.jpg", "a.veil-2.jpg", "a.veil-3.jpg"]
    whole = output_paths(root, "a", count=3, form="png", whole=True)
    assert [path.name for path in whole] == ["a.veil.png"]


def test_unknown_format_names_the_known_ones() -> None:
    assert check_format("jpeg") == "jpeg"
    with pytest.raises(UnknownNameError, match="available: jpeg, png"):
        check_format("gif")
