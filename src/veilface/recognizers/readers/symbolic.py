"""A value of a graph as a function of a layer's output, channel by channel.

    y = min(p·max(z, 0) + n·min(z, 0), cap) + t,   z = a·x + b,   x = output of a layer,

with a, b, p, n, t per channel in float64: what batch norms, scales and activations in any spelling
amount to between two convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from veilface.errors import WeightsError
from veilface.recognizers.layers import NO_PADDING, Activation, Padding
from veilface.recognizers.readers.lowered import Float64

ONE, ZERO = np.ones(()), np.zeros(())


@dataclass(frozen=True, slots=True)
class Value:
    """Such a function of the output of a layer; ``cap`` is None without a bound.

    Attributes:
        source: Number of the layer; 0 is the image.
        shape: Channels, rows and columns.
        padding: Zeros that the next convolution finds around it.
        flat: Whether it was flattened.
    """

    source: int
    shape: tuple[int, int, int]
    a: Float64
    b: Float64
    p: Float64
    n: Float64
    t: Float64
    cap: float | None = None
    padding: Padding = NO_PADDING
    flat: bool = False

    @classmethod
    def of(cls, source: int, shape: tuple[int, int, int]) -> Value:
        """The output of a layer as it is."""
        ones, zeros = np.ones(shape[0]), np.zeros(shape[0])
        return cls(source, shape, ones, zeros, ones, ones, zeros)

    @property
    def linear(self) -> bool:
        """No activation so far."""
        return self.cap is None and bool(np.all(self.p == 1) and np.all(self.n == 1))

    @property
    def rectified(self) -> bool:
        """A plain rectifier so far, maybe capped."""
        return not np.any(self.n) and bool(np.all(self.p == 1))

    def vector(self, array: Float64, *, layout: Literal["nchw", "nhwc"]) -> Float64:
        """A scalar or a per-channel constant as (channels,).

        Raises:
            WeightsError: It is neither.
        """
        if array.size == 1:
            return np.full(self.shape[0], float(array.reshape(-1)[0]))
        axis = -3 if layout == "nchw" and not self.flat and array.ndim >= 3 else -1
        if array.size != self.shape[0] or array.shape[axis] != array.size:
            msg = f"a constant of shape {array.shape} does not fit {self.shape[0]} channels"
            raise WeightsError(msg)
        return array.reshape(-1)

    def affine(self, factor: Float64, shift: Float64) -> Value:
        """``factor`` · y + ``shift``, both (channels,).

        Raises:
            WeightsError: A cap would have to move with a factor.
        """
        if self.linear and not np.any(self.t):
            return replace(self, a=self.a * factor, b=self.b * factor + shift)
        if self.cap is not None and not np.all(factor == 1):
            raise unreadable("a factor", "behind a capped activation is not supported")
        t = self.t * factor + shift
        return replace(self, p=self.p * factor, n=self.n * factor, t=t)

    def pieces(self, name: str, p: Float64, n: Float64) -> Value:
        """p·max(y, 0) + n·min(y, 0), for the operator ``name``.

        Raises:
            WeightsError: y is an activation already.
        """
        if not self.linear or np.any(self.t):
            raise unreadable(name, "is an activation of an activation")
        return replace(self, p=self.p * p, n=self.n * n)

    def bounded(self, name: str, operator: str, bound: Float64) -> Value:
        """The ``minimum`` or ``maximum`` of y and a constant, for the operator ``name``.

        Raises:
            WeightsError: No known activation is bounded so.
        """
        limit = float(bound.reshape(-1)[0]) if bound.size == 1 else float("nan")
        if limit == 0:
            if operator == "maximum":
                return self if self.rectified else self.pieces(name, ONE, ZERO)
            return self.pieces(name, ZERO, ONE)
        plain = self.rectified and self.cap is None and not np.any(self.t)
        if operator == "minimum" and limit > 0 and plain:
            return replace(self, cap=limit)
        raise unreadable(name, f"bounds by {limit}, which no known activation does")

    def combined(self, other: Value, sign: float) -> Value | None:
        """The sum or difference of two functions of one z; None where they are of two."""
        same = (
            self.source == other.source
            and np.array_equal(self.a, other.a)
            and np.array_equal(self.b, other.b)
            and self.cap is None
            and other.cap is None
        )
        if not same or self.source == 0:
            return None
        return replace(
            self,
            p=self.p + sign * other.p,
            n=self.n + sign * other.n,
            t=self.t + sign * other.t,
        )

    @property
    def settled(self) -> Value:
        """What stays with the source: the slope above zero and the last addend go on.

        Raises:
            WeightsError: No activation of a layer is like it.
        """
        slope_of_p = np.where(self.p == 0, 1.0, self.p)
        if np.any((self.p == 0) & (self.n != 0)) or (self.cap and np.any(self.p != 1)):
            raise unreadable(f"layer {self.source}", "has an activation that is not supported")
        return replace(
            self,
            p=np.ones_like(self.p),
            n=self.n / slope_of_p,
            t=np.zeros_like(self.t),
            padding=NO_PADDING,
            flat=False,
        )

    def acts_like(self, other: Value) -> bool:
        """Whether two settled functions are the same."""
        arrays = ((getattr(self, k), getattr(other, k)) for k in ("a", "b", "n"))
        return self.cap == other.cap and all(np.array_equal(x, y) for x, y in arrays)

    @property
    def activation(self) -> tuple[Activation, Float64 | None]:
        """Of a settled function: its activation, and the slopes of a PReLU.

        Raises:
            WeightsError: It is capped elsewhere than at 6.
        """
        if self.cap is not None:
            if self.cap != 6:
                msg = f"the weight file caps an activation at {self.cap}; only 6 is known"
                raise WeightsError(msg)
            return "relu6", None
        if np.all(self.n == 1):
            return "none", None
        return ("relu", None) if not np.any(self.n) else ("prelu", self.n)


def unreadable(where: str, what: str) -> WeightsError:
    """The sentence about a graph that is not understood."""
    return WeightsError(f"the weight file cannot be read: {where} {what}")
