"""What weeks of bad luck do, in minutes: damaged images, and runs that are killed.

    python -m benchmarks.soak images [--count 10000] [--seed 0]
    python -m benchmarks.soak kills [--count 100] [--photos 50] [--seed 0]

``images`` takes mutated files of every format through decode, detect, align and encode in one
process: each ends with an image or a sentence, within five seconds of computing (a machine that is
busy with other work does not count), and memory stays flat. ``kills``
sends kill -9 at random moments to a run over aligned crops and starts it again: nothing is half
written, and every photo comes out once. Both print one JSON document and exit with 1 on a fault.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.memory import resident
from veilface.detection.turned import look
from veilface.detection.yunet import YuNet
from veilface.errors import ImageError
from veilface.imaging.align import align_face
from veilface.imaging.decode import decode_photo
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8
from veilface.pipeline.selftest import drawn_face
from veilface.pipeline.writing import LOCK

LIMIT = 5.0
"""CPU seconds for one image; four times as much end the process, with a traceback."""

MOST_GROWTH = 64.0
"""MiB that the process may grow between a tenth of the images and the last."""

# The command line with two steps and one recogniser, which a bare installation has.
_PROGRAM = """
import torch
from dataclasses import replace
torch.set_num_threads(1)
from veilface.pipeline import protector
protector.PRESETS = {n: replace(p, steps=2, decoys=1) for n, p in protector.PRESETS.items()}
from veilface.cli.main import main
main()
"""

Random = np.random.Generator


def originals(photo: Image.Image | None = None) -> Mapping[str, bytes]:
    """A photo, or one with a face, in every format, in the variants whose decoders differ."""
    if photo is None:
        photo = Image.new("RGB", (150, 140), (120, 130, 140))
        photo.paste(Image.fromarray(to_uint8(drawn_face())), (20, 15))
    grey, clear = photo.convert("L"), photo.convert("RGBA")
    clear.putalpha(200)
    exif = Image.Exif()
    exif[0x0112] = 6
    variants: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("JPEG", photo, {"exif": exif}),
        ("JPEG", photo, {"progressive": True}),
        ("JPEG", photo, {"restart_marker_blocks": 4}),
        ("JPEG", photo.convert("CMYK"), {}),
        ("JPEG", grey, {}),
        ("PNG", photo, {}),
        ("PNG", clear, {}),
        ("PNG", photo.quantize(64), {}),
        ("PNG", grey.convert("I;16"), {}),
        ("WEBP", photo, {}),
        ("WEBP", clear, {"lossless": True}),
        ("BMP", photo, {}),
        ("TIFF", photo, {}),
        ("TIFF", photo, {"compression": "tiff_lzw"}),
        ("TIFF", photo, {"compression": "tiff_deflate"}),
        ("TIFF", photo, {"compression": "jpeg"}),
        ("GIF", photo, {}),
    ]
    made = {}
    for number, (kind, image, options) in enumerate(variants):
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        made[f"{kind}-{number}"] = buffer.getvalue()
    return made


def mutate(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """One or two kinds of damage: flipped, cut, overwritten, spliced, or a changed header."""
    result = bytearray(data)
    for _ in range(int(rng.integers(1, 3))):
        at = int(rng.integers(len(result)))
        kind = int(rng.integers(7))
        if kind == 0:
            for place in rng.integers(len(result), size=int(rng.integers(1, 6))):
                result[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del result[max(at, 1) :]
        elif kind == 2:
            patch = rng.bytes(int(rng.integers(1, 64)))
            result[at : at + len(patch)] = patch
        elif kind == 3:
            result[at:at] = result[at : at + int(rng.integers(1, 200))]
        elif kind == 4:
            other = others[int(rng.integers(len(others)))]
            result[at:] = other[int(rng.integers(len(other))) :]
        elif kind == 5:
            result[int(rng.integers(min(64, len(result))))] = int(rng.integers(256))
        else:
            filler = bytes([int(rng.choice([0, 255]))]) * int(rng.integers(1, 400))
            result[at : at + len(filler)] = filler
        if not result:
            return b""
    return bytes(result)


def soak_images(count: int, *, seed: int) -> dict[str, Any]:
    """Mutated images through the whole path, in this process.

    Args:
        count: How many.
        seed: Of the mutations.

    Returns:
        The figures; ``ok`` says whether the promises were kept.
    """
    files = originals()
    names, contents = list(files), list(files.values())
    rng, detector = np.random.default_rng(seed), YuNet(smallest=4.0)
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest, start, watch = 0.0, resident(), time.perf_counter()
    faulthandler.register(signal.SIGPROF, chain=True)  # also where no Python code runs any more
    for number in range(count):
        name = names[number % len(names)]
        data = mutate(files[name], contents, rng)
        signal.setitimer(signal.ITIMER_PROF, 4 * LIMIT)
        began = time.process_time()
        try:
            outcomes[_through(data, detector, accept_damage=number % 2 == 0)] += 1
        except Exception as error:  # what a user would see as a traceback
            faults.append(f"{number} {name}: {type(error).__name__}: {error}")
        slowest = max(slowest, time.process_time() - began)
        if number == count // 10:
            start = resident()
        if number % 1000 == 999:
            print(f"{number + 1} images, {time.perf_counter() - watch:.0f} s", file=sys.stderr)
    signal.setitimer(signal.ITIMER_PROF, 0)
    growth = resident() - start
    return {
        "images": count,
        "seed": seed,
        "outcomes": dict(outcomes),
        "faults": faults[:20],
        "slowest_s": round(slowest, 3),
        "growth_mib": round(growth, 1),
        "ok": not faults and slowest < LIMIT and growth < MOST_GROWTH,
    }


def _through(data: bytes, detector: YuNet, *, accept_damage: bool) -> str:
    """Decode, detect, align, encode; what became of it in a word."""
    try:
        photo = decode_photo(data, name="x", accept_damage=accept_damage)
    except ImageError:
        return "refused"
    faces = look(detector, photo.pixels).faces
    for face in faces:
        encode(to_uint8(align_face(photo.pixels, face.points)), format="png")
    encode(photo.like(photo.pixels), format="png")
    return "with a face" if faces else "without a face"


def make_crops(folder: Path, count: int, *, seed: int) -> None:
    """Aligned drawn faces, each of other colours."""
    folder.mkdir(parents=True)
    rng, face = np.random.default_rng(seed), drawn_face().numpy()
    for number in range(count):
        tint = rng.uniform(0.7, 1.0, (3, 1, 1))
        pixels = np.round(face * tint * 255).astype(np.uint8).transpose(1, 2, 0)
        (folder / f"{number:03}.png").write_bytes(encode(pixels, format="png"))


def soak_kills(
    count: int,
    *,
    photos: int,
    seed: int,
    folder: Path,
    command: Callable[[], list[str]] | None = None,
) -> dict[str, Any]:
    """Kill runs at random moments, and let one come to its end after each full folder.

    Args:
        count: How many kills.
        photos: How many crops.
        seed: Of the moments.
        folder: A folder to work in.
        command: What protects ``in`` into ``out`` there; None for the command line with dlib.

    Returns:
        The figures; ``ok`` says whether the promises were kept.
    """
    make_crops(folder / "in", photos, seed=seed)
    arguments = (command or _command)()
    rng = np.random.default_rng(seed)
    kills = rounds = during = 0
    faults: list[str] = []
    while kills < count:
        began = time.perf_counter()
        _finish(arguments, folder, faults)
        whole = time.perf_counter() - began
        rounds += 1
        _start_again(folder)
        for _ in range(min(10, count - kills)):
            with subprocess.Popen(  # noqa: S603 - this file's own command
                arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                time.sleep(float(rng.uniform(0, whole)))
                during += process.poll() is None
                process.send_signal(signal.SIGKILL)
            kills += 1
            _check(folder, faults)
    _finish(arguments, folder, faults)
    written = {path.name for path in (folder / "out").iterdir()} - {LOCK}
    if written != {f"{number:03}.veil.png" for number in range(photos)}:
        faults.append(f"at the end there are {len(written)} files for {photos} photos")
    return {
        "kills": kills,
        "while_running": during,
        "photos": photos,
        "rounds": rounds,
        "seed": seed,
        "faults": faults[:20],
        "ok": not faults,
    }


def _command() -> list[str]:
    options = ["protect", "in", "-o", "out", "--aligned", "--recognizer", "dlib"]
    return [sys.executable, "-c", _PROGRAM, *options, "--batch-size", "4"]


def _start_again(folder: Path) -> None:
    for path in (folder / "out").glob("*.png"):
        path.unlink()
    (folder / "out.veilface.jsonl").unlink(missing_ok=True)


def _finish(arguments: list[str], folder: Path, faults: list[str]) -> None:
    """Run to the end: everything is there, and said once."""
    done = subprocess.run(  # noqa: S603 - this file's own command
        arguments, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        faults.append(f"a resumed run ended with {done.returncode}: {done.stderr[-300:]}")
        return
    _check(folder, faults)
    recorded = Counter(_recorded(folder))
    written = {path.name for path in (folder / "out").iterdir()} - {LOCK}
    if set(recorded) != written or max(recorded.values(), default=0) > 1:
        faults.append(
            f"{len(recorded)} recorded, {len(written)} written, {recorded.most_common(1)}"
        )


def _check(folder: Path, faults: list[str]) -> None:
    """After a kill: every output is a whole image, and every line that is whole names one."""
    out = folder / "out"
    for path in out.glob("*.png") if out.is_dir() else ():
        try:
            with Image.open(path) as image:
                image.load()
        except OSError as error:
            faults.append(f"{path.name} is half written: {error}")
    faults += [
        f"{name} is recorded and not there"
        for name in _recorded(folder)
        if not (out / name).is_file()
    ]


def _recorded(folder: Path) -> list[str]:
    names = []
    record = folder / "out.veilface.jsonl"
    for line in record.read_bytes().splitlines() if record.exists() else ():
        try:
            names += [output["path"] for output in json.loads(line)["outputs"]]
        except ValueError:  # torn by the kill; its photo is made anew
            continue
    return names


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("images", "kills"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    began = time.perf_counter()
    if chosen.what == "images":
        figures = soak_images(chosen.count or 10_000, seed=chosen.seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            figures = soak_kills(
                chosen.count or 100, photos=chosen.photos, seed=chosen.seed, folder=Path(folder)
            )
    print(json.dumps({**figures, "seconds": round(time.perf_counter() - began, 1)}, indent=2))
    sys.exit(0 if figures["ok"] else 1)


if __name__ == "__main__":
    main()
