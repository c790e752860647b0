"""Recognisers named on the command line: ``onnx:path.onnx[,size=112,order=rgb,...]``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from veilface.errors import UnknownNameError, WeightsError

PREFIX = "onnx:"
OPTIONS = ("size", "order", "mean", "std")
_OPTION = re.compile(r"[A-Za-z_]+=[^/\\]*|mean=.*")


@dataclass(frozen=True, slots=True)
class OnnxText:
    """The parts of such a name; (value - mean) / std of 0..255 is what the network reads.

    Attributes:
        path: The file.
        size: Side of the network's input in pixels; None to take it from the file.
        order: Channel order.
        mean: Subtracted from red, green and blue.
        std: Divisor.
    """

    path: Path
    size: int | None = None
    order: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: float = 128.0


def is_onnx(name: str) -> bool:
    """Whether a recogniser's name is an ONNX file of the user."""
    return name.startswith(PREFIX)


def parse_onnx(text: str) -> OnnxText:
    """Take such a name apart.

    Args:
        text: ``onnx:`` and a path, then options with commas between them: ``size`` in pixels,
            ``order`` rgb or bgr, ``mean`` one number or three with slashes (red/green/blue), and
            ``std``. Without options the input is RGB, (x - 127.5) / 128 of 0..255.

    Raises:
        UnknownNameError: Another option, or another channel order.
        WeightsError: No path, an option twice, or a value that is no number of its range.
    """
    path, options = _split(text)
    if not path:
        raise WeightsError(f"{text!r} names no file; the form is onnx:path.onnx[,size=112,...]")
    for key in options:
        if key not in OPTIONS:
            raise UnknownNameError("option of an onnx: recogniser", key, OPTIONS)
    order = options.get("order", "rgb")
    if order not in ("rgb", "bgr"):
        raise UnknownNameError("channel order", order, ("rgb", "bgr"))
    size = None
    if "size" in options:
        (number,) = _numbers(text, "size", options["size"], (1,))
        if number != int(number) or not 16 <= number <= 1024:
            raise WeightsError(f"size={options['size']} in {text!r}: a side of 16 to 1024 pixels")
        size = int(number)
    means = _numbers(text, "mean", options.get("mean", "127.5"), (1, 3))
    (std,) = _numbers(text, "std", options.get("std", "128"), (1,))
    if std <= 0:
        raise WeightsError(f"std={options['std']} in {text!r}: a divisor above 0 is expected")
    return OnnxText(
        path=Path(path).expanduser(),
        size=size,
        order=cast("Literal['rgb', 'bgr']", order),
        mean=(means[0], means[len(means) // 2], means[-1]),
        std=std,
    )


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The path, which may hold commas, and the options behind it."""
    parts = text.removeprefix(PREFIX).split(",")
    options: dict[str, str] = {}
    while len(parts) > 1 and _OPTION.fullmatch(parts[-1].strip()):
        key, _, value = parts.pop().strip().partition("=")
        if key in options:
            raise WeightsError(f"{text!r} gives {key} twice")
        options[key] = value
    return ",".join(parts), options


def _numbers(text: str, key: str, value: str, counts: tuple[int, ...]) -> list[float]:
    try:
        numbers = [float(part) for part in value.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts or not all(map(math.isfinite, numbers)):
        wanted = " or ".join("a number" if n == 1 else f"{n} with slashes" for n in counts)
        raise WeightsError(f"{key}={value} in {text!r}: {wanted} is expected")
    return numbers
