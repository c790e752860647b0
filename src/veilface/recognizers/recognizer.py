"""One recogniser: geometry, normalisation, network and L2 norm behind ``embed``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.errors import ShapeError
from veilface.recognizers.geometry import CropResize
from veilface.recognizers.spec import RecognizerSpec


class Recognizer(nn.Module):
    """Maps aligned faces to unit embeddings, differentiably.

    Args:
        spec: What is known about it.
        network: From the normalised input to the raw embedding.
        centre: (D,) mean unit embedding over many clean faces, or None when it was not measured.

    Attributes:
        spec: As given.
        centre: (D,) buffer; zeros when it was not measured.
    """

    centre: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(
        self, spec: RecognizerSpec, network: nn.Module, *, centre: Tensor | None = None
    ) -> None:
        super().__init__()
        self.spec = spec
        self.network = network
        plan = spec.preprocessing
        self.geometry = CropResize(plan.crop, plan.side)
        mean = torch.tensor(plan.mean, dtype=torch.float64).view(1, 3, 1, 1)
        kind = torch.get_default_dtype()
        self.register_buffer("scale", torch.full((1, 3, 1, 1), 255.0 / plan.std), persistent=False)
        self.register_buffer("shift", (-mean / plan.std).to(kind), persistent=False)
        middle = torch.zeros(spec.dim) if centre is None else centre.detach().to(kind).clone()
        self.register_buffer("centre", middle, persistent=False)
        self.has_centre = centre is not None
        self.requires_grad_(requires_grad=False)
        self.eval()

    @property
    def name(self) -> str:
        """Registry name."""
        return self.spec.name

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach the pixels, which a surrogate needs."""
        return bool(getattr(self.network, "differentiable", True))

    def embed(self, x: Tensor) -> Tensor:
        """Unit embeddings of aligned faces.

        Args:
            x: (N, 3, 112, 112) RGB in [0, 1], of this recogniser's dtype and on its device.

        Returns:
            (N, D) unit vectors; differentiable to ``x``.

        Raises:
            ShapeError: ``x`` has another shape or dtype.
        """
        return F.normalize(self.embed_raw(x), dim=1)

    def embed_raw(self, x: Tensor) -> Tensor:
        """The network's own output (N, D), before the L2 norm; arguments as in `embed`."""
        expected = (3, SIDE, SIDE)
        if x.ndim != 4 or tuple(x.shape[1:]) != expected or x.dtype != self.scale.dtype:
            msg = (
                f"{self.name} embeds (N, 3, {SIDE}, {SIDE}) tensors of "
                f"{self.scale.dtype}, not {tuple(x.shape)} of {x.dtype}"
            )
            raise ShapeError(msg)
        # The means are per channel and the resampling weights sum to 1: the order does not matter,
        # and 112x112 is the smaller image.
        y = self.geometry(x * self.scale + self.shift)
        if self.spec.preprocessing.order == "bgr":
            y = y.flip(1)
        raw: Tensor = self.network(y)
        return raw

    def forward(self, x: Tensor) -> Tensor:
        """Same as `embed`."""
        return self.embed(x)


def no_gradient(name: str) -> str:
    """The sentence for a black box among the surrogates."""
    return (
        f"{name} gives no gradient, so it cannot be a surrogate; it can check results "
        "(veilface verify), and an ONNX file whose operators convert can be a surrogate"
    )
