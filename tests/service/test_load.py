"""Many requests at once: batches, and an end for each of them."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter

import httpx
import pytest
from fastapi.testclient import TestClient

from benchmarks.memory import resident
from tests.fixtures.serving import photo_file, served, tiny_app, tiny_networks
from tests.service.conftest import LOCAL
from tests.service.test_photos import protect, sentence
from veilface.service.networks import Method, Networks
from veilface.service.settings import Limits
from veilface.service.worker import BatchWorker, Order


def order(data: bytes, *, method: Method | None = None) -> Order:
    return Order(
        data=data,
        method=method or Method(),
        aligned=False,
        largest=False,
        paste=False,
        again=False,
        format="png",
        max_pixels=2**20,
    )


def busy(worker: BatchWorker) -> threading.Event:
    """Keep the worker at something until the event is set."""
    going, begun = threading.Event(), threading.Event()

    def hold(_: Networks) -> None:
        begun.set()
        going.wait(60)

    worker.call(hold)
    assert begun.wait(60)
    return going


def test_photos_of_one_method_go_together() -> None:
    batches: list[int] = []
    worker = BatchWorker(tiny_networks(), max_wait=0.0, on_batch=batches.append)
    going = busy(worker)
    photo = photo_file(3)
    paper = Method("paper")
    futures = [worker.protect(order(photo)) for _ in range(3)]
    other = worker.protect(order(photo, method=paper))
    futures += [worker.protect(order(photo)) for _ in range(3)]
    going.set()
    made = [future.result(60) for future in futures]
    other.result(60)
    worker.close()
    assert [len(one.faces) for one in made] == [3] * 6
    assert batches == [8, 8, 2, 3], "18 faces of one method, then those of the other"


def test_a_batch_waits_a_little_for_others() -> None:
    batches: list[int] = []
    worker = BatchWorker(tiny_networks(), max_wait=5.0, on_batch=batches.append)
    first = worker.protect(order(photo_file(4)))
    time.sleep(0.2)
    second = worker.protect(order(photo_file(4)))
    first.result(60)
    second.result(60)
    worker.close()
    assert batches == [8]


def test_what_nobody_waits_for_is_not_computed() -> None:
    batches: list[int] = []
    worker = BatchWorker(tiny_networks(steps=100_000), max_wait=0.0, on_batch=batches.append)
    going = busy(worker)
    queued = worker.protect(order(photo_file()))
    assert queued.cancel()
    going.set()
    running = worker.protect(order(photo_file()))
    time.sleep(1.0)
    running.cancel()
    assert worker.call(lambda _: "free").result(60) == "free"
    worker.close()
    assert batches == []


def test_one_bad_photo_does_not_hurt_the_others() -> None:
    worker = BatchWorker(tiny_networks(), max_wait=0.0, on_batch=lambda _: None)
    going = busy(worker)
    futures = [worker.protect(order(data)) for data in (photo_file(), b"text", photo_file())]
    going.set()
    assert [future.exception(60) is None for future in futures] == [True, False, True]
    worker.close()


def test_the_deadline() -> None:
    limits = Limits(deadline=0.5)
    with TestClient(tiny_app(limits=limits, steps=100_000), base_url=LOCAL) as client:
        assert "within the 0.5 s" in sentence(protect(client), 504)
        state = client.app.state.veilface  # type: ignore[attr-defined]
        assert state.places == 0
        assert client.get("/readyz").status_code == 200


def test_a_full_service() -> None:
    with TestClient(tiny_app(limits=Limits(max_queue=1)), base_url=LOCAL) as client:
        state = client.app.state.veilface  # type: ignore[attr-defined]
        state.places = 1
        response = protect(client)
        assert "no more fit in" in sentence(response, 429)
        assert int(response.headers["retry-after"]) >= 1
        assert "under way" in sentence(client.get("/readyz"), 503)
        state.places = 0
        assert protect(client).status_code == 200


def test_a_client_that_leaves() -> None:
    app = tiny_app(steps=100_000)
    state = app.state.veilface
    with served(app) as url, httpx.Client(base_url=url) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/protect", files={"photo": photo_file()}, timeout=1.0)
        ended = time.monotonic() + 30
        while state.places and time.monotonic() < ended:
            time.sleep(0.05)
        assert state.places == 0
        assert state.worker.call(lambda _: "free").result(30) == "free"


@pytest.mark.skipif(not resident(), reason="memory is read as Linux tells it")
def test_a_thousand_at_once() -> None:
    limits = Limits(max_queue=64, deadline=240.0)
    app = tiny_app(limits=limits, steps=1)
    photo = photo_file()

    async def all_of(url: str) -> Counter[int]:
        pool = httpx.Limits(max_connections=1000)
        async with httpx.AsyncClient(base_url=url, limits=pool, timeout=300) as client:

            async def one() -> int:
                return (await client.post("/v1/protect", files={"photo": photo})).status_code

            return Counter(await asyncio.gather(*(one() for _ in range(1000))))

    with served(app) as url:
        httpx.post(f"{url}/v1/protect", files={"photo": photo}, timeout=60)
        gc.collect()
        before = resident()
        counts = asyncio.run(all_of(url))
        gc.collect()
        after = resident()
        text = httpx.get(f"{url}/metrics").text
    assert sum(counts.values()) == 1000
    assert set(counts) <= {200, 429, 504}
    assert counts[200] >= 16
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    faces, batches = (float(figures[f"veilface_batch_faces_{x}"]) for x in ("sum", "count"))
    print(f"{dict(counts)}; mean batch {faces / batches:.2f}; memory {after - before:+.0f} MiB")
    assert faces / batches > 4
    assert float(figures["veilface_requests_admitted"]) == 0
    assert after - before < 200, "memory comes back, but for the allocator's pools"
