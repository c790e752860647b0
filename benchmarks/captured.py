"""The steps of the optimiser as a CUDA graph: recorded once, replayed without Python."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from unittest import mock

import torch
from torch import Generator, Tensor, nn

from veilface.protectors.veil import protector
from veilface.protectors.veil.optimizer import MomentumRule
from veilface.recognizers.recognizer import Recognizer

_WARM_UP = 3  # steps on a side stream before the recording, as PyTorch's notes on graphs ask


class HalfNetwork(nn.Module):
    """A network that computes in bfloat16 and reads and writes float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) raw embeddings of normalised images."""
        raw: Tensor = self.network(x.to(torch.bfloat16))
        return raw.float()


def halved(recognizer: Recognizer) -> Recognizer:
    """The recogniser with its network in bfloat16; geometry and norms stay in float32."""
    network = HalfNetwork(recognizer.network)
    twin = Recognizer(recognizer.spec, network, centre=recognizer.centre)
    return twin.to(recognizer.scale.device)


class Step:
    """One step of Eq. 9 on buffers that stay where they are, as a graph needs them.

    Args:
        start: X_0, (N, 3, H, W).
        objective: As `veilface.protectors.veil.optimizer.ascend` takes it.
        rule: Gives momentum, step size and modulation.
        radius: As `ascend` takes it.
        band: As `ascend` takes it.

    Attributes:
        x: X_t, changed in place by every call.
        elapsed: Share of the steps that are done, a tensor without dimensions.
    """

    def __init__(
        self,
        start: Tensor,
        objective: Callable[[Tensor], Tensor],
        *,
        rule: MomentumRule,
        radius: float | Tensor | None,
        band: Callable[[Tensor], Tensor] | None,
    ) -> None:
        self.objective, self.rule, self.band = objective, rule, band
        self.low = torch.zeros_like(start) if radius is None else (start - radius).clamp_min(0)
        self.high = torch.ones_like(start) if radius is None else (start + radius).clamp_max(1)
        self.start, self.x = start.detach(), start.detach().clone()
        self.history = torch.zeros_like(self.x)
        self.elapsed = torch.zeros((), device=start.device)

    def __call__(self) -> None:
        """Move X_t."""
        x = self.x.detach().requires_grad_(True)
        with torch.enable_grad():
            total = self.objective(self.seen(x)).sum()
        (gradient,) = torch.autograd.grad(total, x)
        scale = gradient.abs().mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-20)
        self.history.mul_(self.rule.momentum).add_(gradient / scale)
        update = self.rule.step_size * (1 - self.elapsed) * self.history
        if self.rule.modulation is not None:
            update = self.rule.modulation() * update
        self.x.copy_(torch.minimum(torch.maximum(self.x + update, self.low), self.high))

    def seen(self, x: Tensor) -> Tensor:
        """X_0 + H(x - X_0), or ``x`` without a band."""
        return x if self.band is None else self.start + self.band(x - self.start)

    def begin_again(self) -> None:
        """Back to X_0."""
        self.x.copy_(self.start)
        self.history.zero_()


def record(step: Step, generator: Generator) -> Callable[[], None]:
    """Record a step; calling the result replays it with new random numbers.

    Args:
        step: On a CUDA device.
        generator: The one that all of its random numbers come from, on the same device.
    """
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    step.begin_again()
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        step()
    return graph.replay


@contextlib.contextmanager
def replayed_steps(recorder: Callable[[Step], Callable[[], None]]) -> Iterator[None]:
    """Let every `VeilProtector` take its steps through ``recorder`` for a while.

    Args:
        recorder: Turns a step into what is called for each step, such as `record`.
    """

    def ascend(
        start: Tensor,
        objective: Callable[[Tensor], Tensor],
        *,
        rule: MomentumRule,
        steps: int,
        radius: float | Tensor | None = None,
        band: Callable[[Tensor], Tensor] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        step = Step(start, objective, rule=rule, radius=radius, band=band)
        replay = recorder(step) if steps else step
        for number in range(steps):
            step.elapsed.fill_(number / steps)
            replay()
            if progress is not None:
                progress(number + 1, steps)
        return step.seen(step.x)

    with mock.patch.object(protector, "ascend", ascend):
        yield
