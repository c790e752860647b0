"""Reads dlib's serialised metric networks (``.dat``).

The format is a byte stream without an index: it is read strictly in order and must end where the
last layer ends. Only the layers of dlib's face recognition network are known.

Source:
    dlib 19.8 and later, ``dlib/dnn/{core,layers,loss,input}.h`` as described in the format's notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from veilface.errors import WeightsError

Float32 = npt.NDArray[np.float32]
_MAX_LAYERS = 10_000
_INNERMOST = 3  # the wrapper version of the layer next to the input
_ORDINARY = 2
_PASSING = 1  # tag and skip layers store nothing else


@dataclass(frozen=True, slots=True)
class DlibLayer:
    """One layer of the stream.

    Attributes:
        kind: dlib's tag: con_4, affine_, relu_, add_prev_, max_pool_2, avg_pool_2 or fc_2.
        arrays: ``weight`` and ``bias`` (con_4, fc_2), ``scale`` and ``shift`` (affine_).
        window: Rows and columns of the kernel or of the pooled window; 0 is the whole input.
        stride: Step down and to the right.
        padding: Zeros above and below, left and right.
    """

    kind: str
    arrays: Mapping[str, Float32]
    window: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class DlibModel:
    """A whole file.

    Attributes:
        mean: Red, green and blue that the network subtracts, in 0..255.
        size: Rows and columns of its input.
        layers: From the input to the output.
    """

    mean: tuple[float, float, float]
    size: tuple[int, int]
    layers: tuple[DlibLayer, ...]


def read_dlib(path: Path) -> DlibModel:
    """Parse a file.

    Args:
        path: A ``.dat`` file of a network with metric loss.

    Returns:
        Its layers.

    Raises:
        WeightsError: The stream is damaged, has an unknown layer, or goes on after the last one.
    """
    stream = _Stream(path.read_bytes(), path.name)
    stream.expect(1, "version of the network")
    stream.expect_string("loss_metric_2")
    stream.real()  # margin of the training loss
    stream.real()  # distance threshold of the training loss
    wrappers: list[int] = []
    while not wrappers or wrappers[-1] != _INNERMOST:
        wrappers.append(stream.integer())
        if wrappers[-1] not in (_PASSING, _ORDINARY, _INNERMOST) or len(wrappers) > _MAX_LAYERS:
            raise stream.error(f"unknown layer wrapper {wrappers[-1]}")
    stream.expect_string("input_rgb_image_sized")
    mean = (stream.real(), stream.real(), stream.real())
    size = (stream.integer(), stream.integer())
    layers = []
    for index in range(sum(version != _PASSING for version in wrappers)):
        layers.append(_layer(stream))
        for _ in range(3):
            stream.boolean()
        for _ in range(3):
            if stream.tensor().size:
                raise stream.error("a layer carries cached activations")
        if index == 0:
            stream.integer()  # samples per image
    stream.finish()
    return DlibModel(mean, size, tuple(layers))


class _Stream:
    """The primitives of dlib's serialisation."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name, self._at = data, name, 0

    def error(self, what: str) -> WeightsError:
        return WeightsError(f"{self._name} cannot be read at byte {self._at}: {what}")

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise self.error(f"{count} bytes are claimed, {len(self._data) - self._at} are left")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self) -> int:
        """One byte with the count of bytes and the sign, then the magnitude."""
        header = self.take(1)[0]
        count = header & 0x0F
        if count > 8 or header & 0x70:
            raise self.error(f"{header:#04x} does not begin an integer")
        magnitude = int.from_bytes(self.take(count), "little")
        return -magnitude if header & 0x80 else magnitude

    def real(self) -> float:
        """Mantissa and exponent, both integers."""
        mantissa, exponent = self.integer(), self.integer()
        if mantissa == 0:
            return 0.0
        try:
            return float(np.ldexp(np.float64(mantissa), exponent))
        except OverflowError:
            raise self.error(f"a number with the exponent {exponent}") from None

    def boolean(self) -> bool:
        byte = self.take(1)
        if byte not in (b"0", b"1"):
            raise self.error(f"{byte!r} is not a truth value")
        return byte == b"1"

    def string(self) -> str:
        return self.take(self.integer()).decode("ascii", errors="replace")

    def shape(self, version: int) -> tuple[int, int, int, int]:
        """The header of a tensor (version 2) or of a view into one (version 1)."""
        self.expect(version, "version of a tensor")
        shape = (self.integer(), self.integer(), self.integer(), self.integer())
        if min(shape) < 0:
            raise self.error(f"a tensor of shape {shape}")
        return shape

    def tensor(self) -> Float32:
        shape = self.shape(2)
        # `take` compares the claimed size with the bytes left before anything is allocated.
        count = shape[0] * shape[1] * shape[2] * shape[3]
        return np.frombuffer(self.take(4 * count), dtype="<f4").reshape(shape)

    def expect(self, value: int, what: str) -> None:
        found = self.integer()
        if found != value:
            raise self.error(f"{what} is {found}, not {value}")

    def expect_string(self, value: str) -> None:
        found = self.string()
        if found != value:
            raise self.error(f"{found!r} where {value!r} is expected")

    def finish(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise self.error(f"{left} bytes follow the last layer")


def _layer(stream: _Stream) -> DlibLayer:
    kind = stream.string()
    if kind not in _DETAILS:
        raise stream.error(f"unknown layer {kind!r}; known: {', '.join(sorted(_DETAILS))}")
    return _DETAILS[kind](stream, kind)


def _convolution(stream: _Stream, kind: str) -> DlibLayer:
    params = stream.tensor().reshape(-1)
    filters, rows, columns, *steps = (stream.integer() for _ in range(7))
    weight, bias = stream.shape(1), stream.shape(1)
    for _ in range(4):
        stream.real()  # learning rates and decays
    size = int(np.prod(weight, dtype=object))
    consistent = weight[0] == filters == bias[1] and weight[2:] == (rows, columns)
    if not consistent or params.size != size + filters:
        raise stream.error(f"{params.size} numbers for weights {weight} and biases {bias}")
    arrays = {"weight": params[:size].reshape(weight), "bias": params[size:]}
    return DlibLayer(kind, arrays, (rows, columns), (steps[0], steps[1]), (steps[2], steps[3]))


def _affine(stream: _Stream, kind: str) -> DlibLayer:
    params = stream.tensor().reshape(-1)
    scale, shift = stream.shape(1), stream.shape(1)
    stream.expect(0, "mode of an affine layer")
    channels = scale[1]
    if scale != shift or params.size != 2 * channels:
        raise stream.error(f"{params.size} numbers for scales {scale} and shifts {shift}")
    return DlibLayer(kind, {"scale": params[:channels], "shift": params[channels:]})


def _dense(stream: _Stream, kind: str) -> DlibLayer:
    outputs, inputs = stream.integer(), stream.integer()
    params = stream.tensor().reshape(-1)
    stream.shape(1)
    stream.shape(1)
    mode = stream.integer()  # 0: the biases are the last row, 1: none
    for _ in range(4):
        stream.real()
    rows = inputs + (mode == 0)
    if mode not in (0, 1) or params.size != rows * outputs:
        raise stream.error(f"{params.size} numbers for a {rows}x{outputs} matrix")
    matrix = params.reshape(rows, outputs)
    bias = matrix[inputs] if mode == 0 else np.zeros(outputs, dtype=np.float32)
    return DlibLayer(kind, {"weight": matrix[:inputs].T, "bias": bias})


def _pool(stream: _Stream, kind: str) -> DlibLayer:
    rows, columns, *steps = (stream.integer() for _ in range(6))
    return DlibLayer(kind, {}, (rows, columns), (steps[0], steps[1]), (steps[2], steps[3]))


def _plain(_: _Stream, kind: str) -> DlibLayer:
    return DlibLayer(kind, {})


_DETAILS: Mapping[str, Callable[[_Stream, str], DlibLayer]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "relu_": _plain,
    "add_prev_": _plain,
    "max_pool_2": _pool,
    "avg_pool_2": _pool,
    "fc_2": _dense,
}
