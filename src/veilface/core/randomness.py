"""Where random numbers come from: the one place that chooses seed and device.

Every image of a batch has its own stream, so that a photo protected alone and the same photo in a
batch see the same draws. Streams are drawn on the CPU and moved, which makes results agree across
devices; without a caller's generator on an accelerator a single stream on the device is used,
since nothing has to be repeatable there.
"""

from __future__ import annotations

import hashlib
import math
import os
import secrets
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from veilface.errors import ShapeError

_WORDS = 624  # state of the Mersenne Twister MT19937, 32 bits each
_OFFSET = 24  # bytes before them in PyTorch's serialised CPU generator, which keeps 64 bits a word


def entropic_generator(entropy: bytes) -> Generator:
    """A CPU generator whose whole state is expanded from ``entropy``.

    `Generator.manual_seed` fills the state from the lower 32 bits of its number only (measured
    with PyTorch 2.13: seeds that differ by 2^32 give equal draws), so that every stream could be
    found by trying four billion of them. Here as many bits count as ``entropy`` has.

    Args:
        entropy: Any bytes; 32 random ones leave nothing to try.

    Returns:
        A CPU generator; equal bytes give equal draws. The Mersenne Twister is no cipher: whoever
        saw 624 raw words of a stream could continue it, and no image shows them raw.

    Source:
        Matsumoto and Nishimura 1998, doi:10.1145/272991.272995; the expansion is SHAKE-256.
    """
    words = bytearray(hashlib.shake_256(entropy).digest(4 * _WORDS))
    generator = Generator()
    state = generator.get_state()
    state[_OFFSET : _OFFSET + 8 * _WORDS].view(torch.int64).copy_(
        torch.frombuffer(words, dtype=torch.int32).to(torch.int64) & 0xFFFFFFFF
    )
    generator.set_state(state)
    return generator


def system_generator(device: torch.device | str = "cpu") -> Generator:
    """A generator seeded by the operating system's secure source.

    The seed is neither returned nor stored (a clock seed, as "temporal seed" could be read, would
    be enumerable). It has 256 bits on the CPU; an accelerator's generator takes 63 at most.
    """
    if torch.device(device).type == "cpu":
        return entropic_generator(secrets.token_bytes(32))
    return Generator(device=device).manual_seed(secrets.randbits(63))


def child_generators(generator: Generator, count: int) -> list[Generator]:
    """``count`` CPU generators whose seeds are drawn from ``generator``.

    For results that can be repeated, not for secrecy: see `entropic_generator`.
    """
    seeds = torch.randint(2**62, (count,), generator=generator, device=generator.device)
    return [Generator().manual_seed(int(seed)) for seed in seeds]


class Draws:
    """Random numbers for a batch of ``count`` images.

    Args:
        count: Images in the batch.
        generator: None for the operating system's randomness; one generator of the CPU, from
            which a child is drawn for each image; one generator of an accelerator, which is the
            stream of all images; or a sequence of generators, one an image.
        device: Where the drawn tensors are wanted.

    Raises:
        ShapeError: The sequence has another length than ``count``.
    """

    def __init__(
        self,
        count: int,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.count = count
        self.device = torch.device(device)
        self._is_secret = generator is None
        self._shared: Generator | None = None
        self._streams: list[Generator] = []
        if generator is None and self.device.type != "cpu":
            self._shared = system_generator(self.device)
        elif generator is None:
            self._streams = [system_generator() for _ in range(count)]
        elif isinstance(generator, Generator) and generator.device.type != "cpu":
            self._shared = generator
        elif isinstance(generator, Generator):
            self._streams = child_generators(generator, count)
        else:
            self._streams = list(generator)
            if len(self._streams) != count:
                raise ShapeError(
                    f"{len(self._streams)} generators for {count} images; give one for each image"
                )

    def normal(self, *shape: int) -> Tensor:
        """(count, *shape) draws of N(0, 1)."""
        if self._shared is not None:
            return torch.randn((self.count, *shape), generator=self._shared, device=self.device)
        out = torch.empty((self.count, *shape))
        for row, stream in zip(out, self._streams, strict=True):
            row.normal_(generator=stream)
        return out.to(self.device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(count, *shape) draws of U(low, high)."""
        if self._shared is not None:
            draws = torch.rand((self.count, *shape), generator=self._shared, device=self.device)
            return low + (high - low) * draws
        out = torch.empty((self.count, *shape))
        for row, stream in zip(out, self._streams, strict=True):
            row.uniform_(low, high, generator=stream)
        return out.to(self.device)

    def words(self, *shape: int) -> Tensor:
        """(count, *shape) int64 draws, uniform in [0, 2^32).

        Without a generator each is read from the operating system's secure source, so that no
        number of them says anything about the others. The generators of PyTorch cannot promise
        that, and a method whose draws show in its images needs it.
        """
        if self._is_secret:
            size = self.count * math.prod(shape)
            raw = torch.frombuffer(bytearray(os.urandom(4 * size)), dtype=torch.int32)
            return (raw.to(torch.int64) & 0xFFFFFFFF).view(self.count, *shape).to(self.device)
        if self._shared is not None:
            return torch.randint(
                2**32, (self.count, *shape), generator=self._shared, device=self.device
            )
        out = torch.empty((self.count, *shape), dtype=torch.int64)
        for row, stream in zip(out, self._streams, strict=True):
            row.random_(0, 2**32, generator=stream)
        return out.to(self.device)
