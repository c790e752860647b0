"""Faces of nobody: a statistical face model from which `persona` draws its starts.

The model is a mean face and a few principal components of many aligned faces. A draw is the mean
plus a random combination of the components: a plausible stranger. It holds aggregates only; the
command that builds it (`tools/build_face_model.py`) also checks that no training face comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import torch
from safetensors import safe_open
from torch import Tensor

from veilface.protectors.veil.randomness import Draws

CLIP = 2.0  # in units of a component's spread: no draw leaves the well-populated region
# The leading components are light and background; with all of them at their full spread a draw of
# many components is a harsh picture rather than a face.
LEADING, DAMPING = 10, 0.7


@dataclass(frozen=True, slots=True)
class FaceModel:
    """Mean face and principal components.

    Attributes:
        mean: (3, 112, 112) in [0, 1].
        components: (K, 3, 112, 112), each scaled by its standard deviation over the faces.
        about: What it was built from, as written by the build command.
    """

    mean: Tensor
    components: Tensor
    about: dict[str, str]

    def sample(self, draws: Draws) -> Tensor:
        """One synthetic face for each stream.

        Args:
            draws: Random streams, one an image.

        Returns:
            (N, 3, 112, 112) in [0, 1]: mean + Σ c_k component_k with c ~ N(0, 1), clipped at ±2;
            the leading coefficients are damped.
        """
        coefficients = draws.normal(self.components.shape[0]).clamp(-CLIP, CLIP)
        coefficients[:, :LEADING] *= DAMPING
        faces = torch.einsum("nk,kchw->nchw", coefficients, self.components.to(draws.device))
        return (self.mean.to(draws.device) + faces).clamp(0.0, 1.0)


def load_face_model() -> FaceModel:
    """The face model that ships with the package."""
    resource = resources.files("veilface") / "data" / "face_model.safetensors"
    with resources.as_file(resource) as path, safe_open(path, framework="pt") as file:
        return FaceModel(
            mean=file.get_tensor("mean").float(),
            components=file.get_tensor("components")
            * file.get_tensor("scales")[:, None, None, None],
            about=dict(file.metadata() or {}),
        )
