"""What a run shows on a terminal and without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from veilface.cli.progress import BarReporter, LineReporter, describe, make_reporter
from veilface.pipeline.manifest import OutputRecord, Record

RECORD = Record("a.jpg", "a", "failed", None, {}, False, error="no face found in a.jpg")
DONE = replace(
    RECORD,
    status="done",
    error=None,
    seconds=12.34,
    outputs=(OutputRecord("a.veil.png", ({"similarity": {"dlib": 0.9712, "sface": 0.8}},)),),
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("veilface.cli.pace.time.monotonic", lambda: now[0])
    return now


def test_lines_tell_the_time_left_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = LineReporter(every=5)
    reporter.begin(4)
    clock[0] += 1
    reporter.moved(0.1)
    clock[0] += 9
    reporter.moved(1.0)
    clock[0] += 1
    reporter.moved(1.1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == " 25% done, about 30 s left\n"


def test_what_took_no_time_does_not_count(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = LineReporter(every=5)
    reporter.begin(10)
    for done in range(1, 9):
        reporter.finished(RECORD)
        reporter.moved(done)
    capsys.readouterr()
    clock[0] += 100
    reporter.moved(8.5)
    assert capsys.readouterr().err == " 85% done, about 5 min left\n"


def test_photos_on_stdout_and_failures_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with LineReporter() as reporter:
        reporter.begin(2)
        reporter.finished(RECORD)
        reporter.finished(DONE)
    out, err = capsys.readouterr()
    assert err == "failed: no face found in a.jpg\n"
    assert out == (
        "a.jpg: 1 face, 12.3 s -> a.veil.png\n  similarity to the source: dlib 0.971, sface 0.800\n"
    )
    with LineReporter(err=True) as reporter:
        reporter.finished(DONE)
    assert capsys.readouterr().out == ""


def test_several_faces_are_numbered() -> None:
    two = replace(DONE, outputs=(OutputRecord("a.veil.png", DONE.outputs[0].faces * 2),))
    lines = describe(two).splitlines()
    assert lines[0] == "a.jpg: 2 faces, 12.3 s -> a.veil.png"
    assert lines[2].startswith("  face 2: similarity")
    assert describe(replace(DONE, status="skipped")) == "a.jpg: done already (a.veil.png)"


def test_bar_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert type(make_reporter(err=False)) is LineReporter
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert type(make_reporter(err=False)) is BarReporter
    with BarReporter() as reporter:
        reporter.begin(2)
        reporter.moved(0.5)
        reporter.pause()
        reporter.resume()
        reporter.finished(DONE)
        reporter.moved(1.0)
    assert "a.jpg: 1 face" in "".join(capsys.readouterr())
