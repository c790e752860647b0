"""The optimiser: generic gradient ascent whose step rule is Eq. 9 of the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor


class StepRule(Protocol):
    """Turns gradients into updates; may keep state from step to step."""

    def __call__(self, gradient: Tensor, *, elapsed: float) -> Tensor:
        """The (N, C, H, W) update for a gradient of the same shape; elapsed runs in [0, 1)."""
        ...


class MomentumRule:
    """X_{t+1} = X_t + N' · α · (μ g_t + ∇/‖∇‖_1) (Eq. 9).

    The update of g is not given in the paper; g_{t+1} = μ g_t + ∇/‖∇‖_1, as in MI-FGSM. The norm
    is the mean absolute value of an image's gradient, and α decays linearly to zero.

    Args:
        step_size: α, in units of the range [0, 1].
        momentum: μ.
        modulation: Draws the positive field N', (N, 1, H, W), anew for each step; None for 1.
    """

    def __init__(
        self,
        *,
        step_size: float,
        momentum: float,
        modulation: Callable[[], Tensor] | None = None,
    ) -> None:
        self.step_size = step_size
        self.momentum = momentum
        self.modulation = modulation
        self._history: Tensor | None = None

    def __call__(self, gradient: Tensor, *, elapsed: float) -> Tensor:
        """The update for one gradient; see `StepRule`."""
        scale = gradient.abs().mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-20)
        history = gradient / scale
        if self._history is not None:
            history = self.momentum * self._history + history
        self._history = history
        update = self.step_size * (1 - elapsed) * history
        return update if self.modulation is None else self.modulation() * update


def ascend(
    start: Tensor,
    objective: Callable[[Tensor], Tensor],
    *,
    rule: StepRule,
    steps: int,
    radius: float | Tensor | None = None,
    band: Callable[[Tensor], Tensor] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Maximise ``objective`` from ``start`` within the range of images.

    Args:
        start: X_0, (N, 3, H, W) in [0, 1].
        objective: Maps (N, 3, H, W) to (N,); images must not influence each other.
        rule: The step rule.
        steps: Number of gradient evaluations.
        radius: ε: δ = X_t - X_0 is at most this in any channel (L∞), a number or a tensor that
            broadcasts over images; None for no bound.
        band: H, linear: what is evaluated and returned is X_0 + H(δ); None for X_0 + δ. H(δ) may
            pass ε and the range a little, where the removed components held it back.
        progress: Called with the number of finished steps and ``steps``.

    Returns:
        (N, 3, H, W), without gradient; in [0, 1] without a band.
    """
    seen = (lambda x: x) if band is None else (lambda x: start + band(x - start))
    low = torch.zeros_like(start) if radius is None else (start - radius).clamp_min(0.0)
    high = torch.ones_like(start) if radius is None else (start + radius).clamp_max(1.0)
    x = start.detach().clone()
    for step in range(steps):
        x.requires_grad_(True)
        with torch.enable_grad():
            total = objective(seen(x)).sum()
        (gradient,) = torch.autograd.grad(total, x)
        x = x.detach() + rule(gradient, elapsed=step / steps)
        x = torch.minimum(torch.maximum(x, low), high)
        if progress is not None:
            progress(step + 1, steps)
    return seen(x)
