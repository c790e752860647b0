"""What does not grow with the photos is kept apart from what does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import ray_overhead
from benchmarks.ray_overhead import Timed, compare, timed, write_photos
from tests.fixtures.quick import quick_protector
from veilface.pipeline.making import InProcess
from veilface.pipeline.run import Summary

START, FIRST, PHOTO = 9.0, 3.0, 0.5  # seconds of: a start, the first batch more, a photo


def test_a_start_and_a_slow_first_batch_are_no_part_of_a_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photos(tmp_path / "in", 12)
    seen: list[int] = []
    now = 0.0

    def run_by(way: InProcess, paths: Sequence[Path], out: Path, options: object) -> Summary:
        nonlocal now
        now += len(paths) * PHOTO + (0 if seen else FIRST)
        seen.append(len(paths))
        return Summary((), out)

    @contextmanager
    def start() -> Iterator[InProcess]:
        nonlocal now
        now += START
        yield InProcess(quick_protector())

    monkeypatch.setattr(ray_overhead, "run_by", run_by)
    monkeypatch.setattr(ray_overhead, "time", SimpleNamespace(perf_counter=lambda: now))
    found = timed(start, tmp_path / "in", workers=2, batch=2)
    assert seen == [4, 12]
    assert found.photo == pytest.approx(PHOTO)
    assert found.fixed == pytest.approx(START + FIRST)


def test_overhead_is_of_a_photo_and_against_the_first_way() -> None:
    rounds = {
        "one process": [Timed(1.0, 0.5), Timed(1.2, 0.4), Timed(0.9, 0.6)],
        "ray, 2 workers": [Timed(9.0, 0.3), Timed(8.0, 0.25), Timed(7.0, 0.2)],
    }
    found = compare(rounds)
    assert found["one process"]["overhead a photo"] == "+0.0%"
    assert found["ray, 2 workers"]["overhead a photo"] == "-50.0%"
    assert found["ray, 2 workers"]["times as fast as one process"] == 2.0
    assert found["ray, 2 workers"]["seconds before the first photo"] == 8.0
