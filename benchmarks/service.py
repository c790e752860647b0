"""Throughput of the service beside the command line's batch run, on the same photos.

    python -m benchmarks.service [--photos 16] [--preset persona] [--steps N] [--threads 1]

The service runs in this process, as the command line's run does, and is asked for all photos at
once over HTTP. Photos are synthetic, with one face each. Printed are the seconds of both, their
ratio, how the requests ended and the mean size of a batch.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import torch
from PIL import Image

from tests.fixtures.photos import photo_pixels
from tests.fixtures.serving import served
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


def batch_run(networks: Networks, preset: str, photos: list[bytes]) -> float:
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
            (root / "in" / f"{number}.png").write_bytes(data)
        began = time.perf_counter()
        summary = run(protector, [root / "in"], root / "out", Options())
        took = time.perf_counter() - began
    assert summary.ok
    return took


async def _ask(url: str, preset: str, photos: list[bytes]) -> Counter[int]:
    async with httpx.AsyncClient(
        base_url=url, timeout=7200, limits=httpx.Limits(max_connections=None)
    ) as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/protect", files={"photo": data}, data={"preset": preset})
                for data in photos
            )
        )
    return Counter(answer.status_code for answer in answers)


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=int, default=16)
    parser.add_argument("--preset", default="persona")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--queue", type=int, default=None)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    networks = Networks.load()
    if options.steps is not None:
        networks.presets = {
            name: replace(preset, steps=options.steps) for name, preset in PRESETS.items()
        }
    photos = [_photo(seed) for seed in range(options.photos)]
    batch_run(networks, options.preset, photos[:1])
    alone = batch_run(networks, options.preset, photos)
    limits = Limits(max_queue=options.queue or len(photos), deadline=3600.0)
    app = make_app(networks, limits=limits)
    with served(app) as url:
        began = time.perf_counter()
        counts = asyncio.run(_ask(url, options.preset, photos))
        took = time.perf_counter() - began
        text = httpx.get(f"{url}/metrics").text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    faces, batches = (float(figures[f"veilface_batch_faces_{x}"]) for x in ("sum", "count"))
    done = counts[200]
    ratio = done / took / (len(photos) / alone)
    print(f"command line: {len(photos)} photos in {alone:.1f} s")
    print(f"service: {done} photos in {took:.1f} s, statuses {dict(counts)}")
    print(f"throughput {ratio:.0%} of the command line's, mean batch {faces / batches:.2f} faces")


if __name__ == "__main__":
    main()
