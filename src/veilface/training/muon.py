"""Muon: each convolution moves along its momentum made orthogonal, whatever scales the gradient.

In a network without normalisation most of a gradient lies in few directions, and the others, colour
among them, are learnt last. Here all directions are moved by equally much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from veilface.training.precision import fast_type

_MOMENTUM = 0.95
_DECAYS = 0.9, 0.999  # of Adam's moments
_QUINTIC = 3.4445, -4.7750, 2.0315  # pushes singular values towards 1, see `orthogonal`
_ROUNDS = 5
_SPREAD = 0.2  # root mean square of a change at rate 1: what Adam's is
_TINY = 1e-8


class Muon(Optimizer):
    """Orthogonal steps for some parameters, Adam's for all others.

    Args:
        kernels: Of convolutions, (outputs, inputs, k, k) or transposed. The source leaves the first
            and the last layer of a network to Adam; here that is the caller's choice.
        others: Everything else.
        rate: Of the kernels; the mean change of a weight is as with Adam at this rate.
        other_rate: Of Adam.

    Source:
        Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024
        (kellerjordan.github.io/posts/muon); the size of a step is that of Liu et al., Muon is
        scalable for LLM training, 2025 (arXiv:2502.16982). `torch.optim.Muon` takes matrices
        only, and came with PyTorch 2.9.
    """

    def __init__(
        self,
        kernels: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        *,
        rate: float,
        other_rate: float,
    ) -> None:
        groups: list[dict[str, Any]] = [
            {"params": list(kernels), "lr": rate, "orthogonal": True},
            {"params": list(others), "lr": other_rate, "orthogonal": False},
        ]
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            change = self._orthogonal if group["orthogonal"] else self._adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.sub_(group["lr"] * change(parameter, parameter.grad))

    def _orthogonal(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM)  # Nesterov
        matrix = ahead.flatten(1)
        scale: float = _SPREAD * max(matrix.shape) ** 0.5
        change: Tensor = scale * orthogonal(matrix).view_as(ahead)
        return change

    def _adam(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())  # a checkpoint keeps tensors only
            state["mean"], state["square"] = (torch.zeros_like(parameter) for _ in range(2))
        state["step"] += 1
        first, second = _DECAYS
        mean = state["mean"].lerp_(gradient, 1 - first) / (1 - first ** float(state["step"]))
        square = state["square"].lerp_(gradient.square(), 1 - second)
        change: Tensor = mean / ((square / (1 - second ** float(state["step"]))).sqrt() + _TINY)
        return change


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the nearest matrix with orthonormal rows or columns, by Newton and Schulz.

    Args:
        matrix: (M, N), of any scale.

    Returns:
        (M, N) with the singular vectors of ``matrix``, and singular values between .6 and 1.3
        where those of ``matrix`` are not next to 0.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = (wide / (wide.norm() + _TINY)).to(fast_type(matrix.device))
    a, b, c = _QUINTIC
    for _ in range(_ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: Tensor = x.to(matrix.dtype)
    return found if matrix.shape[0] <= matrix.shape[1] else found.T
