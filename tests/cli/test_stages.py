from __future__ import annotations

import pytest

from veilface.cli.stages import BarStages, Stages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("veilface.cli.pace.time.monotonic", lambda: now[0])
    return now


def test_time_left_is_that_of_the_work(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Stages() as tell:
        tell("protecting", 80, 100)  # found: took no time
        clock[0] = 5
        tell("protecting", 82, 100)  # too soon for another line
        clock[0] = 30
        tell("protecting", 85, 100)
        clock[0] = 120
        tell("protecting", 100, 100)
        tell("measuring", 0, 2)
    assert capsys.readouterr().err.splitlines() == [
        "protecting: 100, 80 done already",
        "protecting:  85% done, about 0:01:30 left",
        "measuring: 2",
    ]


def test_the_time_between_two_stages_of_one_name_is_of_neither(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    tell = Stages()
    tell("inverting", 0, 32)
    clock[0] = 20
    tell("inverting", 16, 32)
    tell("inverting", 32, 32)
    clock[0] = 600
    tell("inverting", 0, 32)
    clock[0] = 620
    tell("inverting", 8, 32)
    assert capsys.readouterr().err.splitlines() == [
        "inverting: 32",
        "inverting:  50% done, about 0:00:20 left",
        "inverting: 32",
        "inverting:  25% done, about 0:01:00 left",
    ]


def test_nothing_to_do(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    tell = Stages()
    tell("protecting", 0, 0)
    clock[0] = 60
    tell("protecting", 0, 0)
    assert capsys.readouterr().err == ""


def test_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with BarStages() as tell:
        tell("protecting", 2, 4)
        tell("protecting", 4, 4)
        tell("measuring", 1, 1)
    err = capsys.readouterr().err
    assert "protecting" in err
    assert "4/4" in err
    assert "measuring" in err
