"""Per-channel PReLU with a backward pass for frozen slopes.

PyTorch's own backward pass always computes the slopes' gradient too and takes about four times as
long; recognisers are never trained here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _FrozenPReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, slope)
        return torch.prelu(x, slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        x, slope = ctx.saved_tensors
        # The gradient where x > 0 and 0 elsewhere, then lerp: 0 becomes slope · gradient.
        passed = torch.ops.aten.threshold_backward(gradient, x, 0)
        return passed.lerp_(gradient, slope.view(1, -1, 1, 1)), None


def frozen_prelu(x: Tensor, slope: Tensor) -> Tensor:
    """PReLU whose slopes get no gradient.

    Args:
        x: (N, C, H, W) of any memory format.
        slope: (C,) factors of the negative values; of any sign.

    Returns:
        (N, C, H, W): x where it is positive, slope · x elsewhere.
    """
    if torch.is_grad_enabled() and x.requires_grad:
        result: Tensor = _FrozenPReLU.apply(x, slope)  # type: ignore[no-untyped-call]
        return result
    return torch.prelu(x, slope)
