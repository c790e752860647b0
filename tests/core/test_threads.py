"""The number of CPU threads belongs to the thread that computes, and to no other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from tests.fixtures.threads import THREADS, lasting, threads
from veilface.core.devices import apart, one_thread, usual_threads


@pytest.fixture(autouse=True)
def _three() -> None:
    """Every process of the tests computes with three threads here, whatever it was told."""
    torch.set_num_threads(3)


def test_a_thread_that_begins_meanwhile_computes_as_usual() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        assert apart(torch.get_num_threads) == 3
        assert apart(usual_threads) == 3
    assert torch.get_num_threads() == apart(torch.get_num_threads) == 3


def test_a_thread_that_began_meanwhile_is_not_left_with_one_thread() -> None:
    begun, ended = threading.Event(), threading.Event()
    seen: list[int] = []

    def serve() -> None:
        usual_threads()
        begun.set()
        ended.wait()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=serve)
    with one_thread():
        thread.start()
        begun.wait()
    ended.set()
    thread.join()
    assert seen == [3]


def test_calls_that_overlap_leave_everybody_as_they_found_them() -> None:
    """The first that came leaves first, which must not show in the second's bits."""
    turn = threading.Barrier(2)
    seen: dict[str, list[int]] = {"first": [], "second": []}

    def first() -> None:
        with one_thread():
            turn.wait()  # the second comes
            turn.wait()
        seen["first"].append(torch.get_num_threads())
        turn.wait()

    def second() -> None:
        turn.wait()
        with one_thread():
            turn.wait()  # the first leaves
            turn.wait()
            seen["second"].append(torch.get_num_threads())
        seen["second"].append(torch.get_num_threads())

    threads = [threading.Thread(target=call) for call in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"first": [3], "second": [1, 3]}
    assert apart(torch.get_num_threads) == 3


def test_inside_of_one_another() -> None:
    with one_thread(), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_what_a_call_apart_returns_or_raises() -> None:
    assert apart(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)


@pytest.mark.skipif(not THREADS.is_dir(), reason="needs the threads in /proc")
def test_the_helpers_of_a_call_apart_end_with_it() -> None:
    before = threads()

    def computing() -> set[Path]:
        torch.conv2d(torch.ones(8, 16, 56, 56), torch.ones(16, 16, 3, 3))
        return threads() - before

    assert len(apart(computing)) >= 3  # the thread and two helpers
    assert lasting(before, seconds=20) == set()
