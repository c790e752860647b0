"""The number of CPU threads belongs to the thread that computes, and to no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch

from veilface.core.devices import one_thread, usual_threads


@pytest.fixture(autouse=True)
def _three() -> Iterator[None]:
    """Every process of the tests computes with three threads here, whatever it was told."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def aside(call: Callable[[], int]) -> int:
    """What a call returns in a thread that never computed before."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_that_begins_meanwhile_computes_as_usual() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        assert aside(torch.get_num_threads) == 3
        assert aside(usual_threads) == 3
    assert torch.get_num_threads() == aside(torch.get_num_threads) == 3


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
    assert aside(torch.get_num_threads) == 3


def test_inside_of_one_another() -> None:
    with one_thread(), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
