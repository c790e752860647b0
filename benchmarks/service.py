"""Many protect requests at once, and the command line's batch run on the same photos.

    python -m benchmarks.service [--requests 16] [--preset persona] [--steps N] [--threads 1]
                                 [--queue 64] [--deadline 3600]

The service runs in this process, as the command line's run does, and all requests come at once over
HTTP, each with another drawn photo of one face. The command line then protects the photos whose
requests ended with 200. Printed are how the requests ended, the throughput of both and their ratio,
the mean size of a batch, and the memory of the process, which the client shares. With full steps a
photo takes seconds: of a thousand requests the default queue lets 64 in, and others get 429.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import torch
from PIL import Image

from benchmarks.memory import resident, watched
from tests.fixtures.photos import photo_pixels
from tests.fixtures.serving import served
from veilface.core.devices import apart
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, run
from veilface.protectors.veil.presets import PRESETS
from veilface.service.app import make_app
from veilface.service.networks import Networks
from veilface.service.settings import Limits


def _photo(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo_pixels(1, seed=seed)).save(buffer, "PNG")
    return buffer.getvalue()


def batch_run(networks: Networks, preset: str, photos: Sequence[bytes]) -> float:
    """Seconds of the command line's run."""
    protector = Protector(
        preset=networks.presets[preset],
        recognizers=list(networks.surrogates.values()),
        device=networks.device,
        batch_size=networks.batch_size,
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        for number, data in enumerate(photos):
            (root / "in" / f"{number:04d}.png").write_bytes(data)
        began = time.perf_counter()
        summary = run(protector, [root / "in"], root / "out", Options())
        took = time.perf_counter() - began
    assert summary.ok
    return took


async def _ask(url: str, preset: str, photos: Sequence[bytes]) -> list[int]:
    """The statuses of requests that come at once."""
    async with httpx.AsyncClient(
        base_url=url, timeout=7200, limits=httpx.Limits(max_connections=None)
    ) as client:

        async def one(data: bytes) -> int:
            answer = await client.post(
                "/v1/protect", files={"photo": data}, data={"preset": preset}
            )
            return answer.status_code

        return await asyncio.gather(*map(one, photos))


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--preset", default="persona")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--queue", type=int, default=Limits().max_queue)
    parser.add_argument("--deadline", type=float, default=3600.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    networks = Networks.load(device="cpu")
    if options.steps is not None:
        networks.presets = {
            name: replace(preset, steps=options.steps) for name, preset in PRESETS.items()
        }
    # As in `veilface serve`, this thread computes nothing: it would slow the service's.
    photos = apart(lambda: [_photo(seed) for seed in range(options.requests)])
    limits = Limits(max_queue=options.queue, deadline=options.deadline)
    with served(make_app(networks, limits=limits)) as url:
        # What a batch needs is built and taken from the system before the clock runs.
        asyncio.run(_ask(url, options.preset, photos[: networks.batch_size]))
        figures = _figures(url)
        gc.collect()
        before, began = resident(), time.perf_counter()
        with watched() as peak:
            statuses = asyncio.run(_ask(url, options.preset, photos))
        took = time.perf_counter() - began
        gc.collect()
        after = resident()
        faces, batches = (b - a for a, b in zip(figures, _figures(url), strict=True))
    done = [photo for photo, status in zip(photos, statuses, strict=True) if status == 200]
    print(f"{len(photos)} requests in {took:.1f} s, statuses {dict(Counter(statuses))}")
    print(f"memory {before:.0f} MiB before, {peak.mib:.0f} at most, {after:.0f} after")
    if not done:
        return
    alone = batch_run(networks, options.preset, done)
    ratio = alone / took
    print(f"mean batch {faces / batches:.2f} faces")
    print(f"command line: {len(done)} photos in {alone:.1f} s, {len(done) / alone:.3f} a second")
    print(f"service: {len(done) / took:.3f} a second, {ratio:.0%} of the command line's")


def _figures(url: str) -> tuple[float, float]:
    """Faces and batches so far."""
    lines = httpx.get(f"{url}/metrics", timeout=60).text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    faces, batches = (float(figures[f"veilface_batch_faces_{x}"]) for x in ("sum", "count"))
    return faces, batches


if __name__ == "__main__":
    main()
