"""Faces of nobody: a statistical face model from which `persona` draws its starts.

The model is a mean face and a few principal components of many aligned faces. A draw is the mean
plus a random combination of the components: a plausible stranger. It holds aggregates only; the
command that builds it (`tools/build_face_model.py`) also checks that no training face comes back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from veilface.errors import WeightsError
from veilface.protectors.veil.penalties import gaussian_blur
from veilface.protectors.veil.randomness import Draws

SHIPPED = "face_model.safetensors"
CLIP = 2.0  # in units of a component's spread: no draw leaves the well-populated region
# The leading components are light and background; with all of them at their full spread a draw of
# many components is a harsh picture rather than a face.
LEADING, DAMPING = 10, 0.7
SOFT = 2.5  # σ of the unsharp mask in pixels: the width of lids, nostrils and lips


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

    def to(self, device: torch.device) -> FaceModel:
        """The model on a device, so that many draws do not copy it there each time."""
        mean, components = self.mean.to(device), self.components.to(device)
        return replace(self, mean=mean, components=components)

    def sample(self, draws: Draws, *, sharpness: float = 0.0) -> Tensor:
        """One synthetic face for each stream.

        Args:
            draws: Random streams, one an image, on the model's device.
            sharpness: Weight of an unsharp mask: a sum of components is a soft picture, in which
                every stroke that the optimiser adds is the sharpest detail.

        Returns:
            (N, 3, 112, 112) in [0, 1]: mean + Σ c_k component_k with c ~ N(0, 1), clipped at ±2;
            the leading coefficients are damped.
        """
        coefficients = draws.normal(self.components.shape[0]).clamp(-CLIP, CLIP)
        coefficients[:, :LEADING] *= DAMPING
        faces = self.mean + torch.einsum("nk,kchw->nchw", coefficients, self.components)
        soft = gaussian_blur(faces, sigma=SOFT)
        return (faces + sharpness * (faces - soft)).clamp(0.0, 1.0)


def nearest(
    draw: Callable[[], Tensor], likeness: Callable[[Tensor], Tensor], *, candidates: int
) -> Tensor:
    """Of several strangers the one that recognisers find the most like the subject.

    The less a start has to be changed, the more of the change is what all recognisers look at, an
    unseen one included. The choice reads embeddings only, but strangers of the subject's sex, age
    and colouring are chosen more often than others.

    Args:
        draw: Gives (N, 3, H, W) faces, others in every call.
        likeness: Gives their (N,) likeness to the subjects.
        candidates: How many faces of each subject to choose among, at least 1.

    Returns:
        (N, 3, H, W) faces, chosen for each subject by itself.
    """
    best = draw()
    if candidates == 1:
        return best
    highest = likeness(best)
    for _ in range(candidates - 1):
        faces = draw()
        values = likeness(faces)
        best = torch.where((values > highest)[:, None, None, None], faces, best)
        highest = torch.maximum(values, highest)
    return best


def load_face_model(path: str | os.PathLike[str] | None = None) -> FaceModel:
    """A face model; the one that ships with the package unless a file is named.

    Raises:
        WeightsError: The file is not there or is no face model.
    """
    if path is None:
        with resources.as_file(resources.files("veilface") / "data" / SHIPPED) as shipped:
            return load_face_model(shipped)
    try:
        with safe_open(path, framework="pt") as file:
            return FaceModel(
                mean=file.get_tensor("mean").float(),
                components=file.get_tensor("components")
                * file.get_tensor("scales")[:, None, None, None],
                about=dict(file.metadata() or {}),
            )
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{os.fspath(path)} is no face model ({error}); tools/build_face_model.py makes one"
        ) from error
