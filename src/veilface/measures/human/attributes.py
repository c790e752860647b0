"""Age, sex, expression and mesh of aligned faces.

Age and sex come from two heads of the recogniser ``faceres``, mesh and expression from two small
networks. All of them run on the aligned face alone, so that they measure the image and not a
detector.

Source:
    The preprocessing of ``@vladmandic/human`` 3.3.6 (``facemesh.ts``, ``emotion.ts``) with the
    differences that are named here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.errors import ShapeError, WeightsError
from veilface.measures.human.catalogue import EMOTION, FACEMESH, FaceNetwork
from veilface.recognizers.geometry import CropResize
from veilface.recognizers.networks.evaluated import GraphNetwork
from veilface.recognizers.readers.tfjs import read_tfjs
from veilface.recognizers.registry import RECOGNIZERS
from veilface.weights import store
from veilface.weights.spec import Fetchable

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
VERTICES = 468
PRESENT = 0.5
"""Probability of a face from which its mesh counts (MediaPipe's own default)."""

_LUMA = (0.2989, 0.5870, 0.1140)
_CORNERS = ((33, 133), (263, 362))  # of the image-left and the image-right eye
_BATCH = 8


@dataclass(frozen=True, slots=True)
class FaceAttributes:
    """What the networks say about faces; they always answer, also when there is no face.

    Attributes:
        age: (N,) years, the mean of the predicted distribution over 0 to 99.
        sex: (N,) probability of male, in [0, 1].
        expression: (N, 7) probabilities of `EXPRESSIONS`.
        mesh: (N, 468, 2) vertices (x, y) in pixels of the aligned face.
        presence: (N,) probability that there is a face to lay the mesh on, in [0, 1].
    """

    age: Tensor
    sex: Tensor
    expression: Tensor
    mesh: Tensor
    presence: Tensor

    @property
    def valid(self) -> Tensor:
        """(N,) bool: whether the mesh network sees a face."""
        return self.presence > PRESENT

    @property
    def eyes(self) -> Tensor:
        """(N, 2, 2) middle between the corners of the image-left and of the image-right eye."""
        return torch.stack([self.mesh[:, list(pair)].mean(1) for pair in _CORNERS], dim=1)


class AttributeNetworks(nn.Module):
    """The three networks, ready for aligned faces; `load_attributes` makes them."""

    colour_mean: Tensor
    luma: Tensor

    def __init__(self, age_sex: nn.Module, mesh: nn.Module, expression: nn.Module) -> None:
        super().__init__()
        plan = RECOGNIZERS["faceres"].preprocessing
        self.age_sex, self.mesh, self.expression = age_sex, mesh, expression
        self.age_sex_crop = CropResize(plan.crop, plan.side)
        self.mesh_crop = CropResize(FACEMESH.crop, FACEMESH.side)
        self.expression_crop = CropResize(EMOTION.crop, EMOTION.side)
        for name, values in (("colour_mean", plan.mean), ("luma", _LUMA)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        self.eval()

    def forward(self, x: Tensor) -> FaceAttributes:
        """The attributes of a batch (N, 3, 112, 112) of RGB faces in [0, 1]."""
        # With the recogniser's own order and means, which `human` leaves out, and the mean of the
        # distribution where `human` reads off its peak: on 160 faces of UTKFace the age is 5.6
        # years wrong with both, 6.9 without the means, 7.3 with the peak.
        bgr = (self.age_sex_crop(x) * 255 - self.colour_mean).flip(1)
        ages, sex = self.age_sex(bgr)
        vertices, presence = self.mesh(self.mesh_crop(x))
        left, top, side = FACEMESH.crop
        flat = vertices.view(-1, VERTICES, 3)[..., :2] * (side / FACEMESH.side)
        grey = (self.expression_crop(x) * self.luma).sum(1, keepdim=True)
        (expression,) = self.expression(grey * 2 - 1)
        return FaceAttributes(
            age=ages @ torch.arange(ages.shape[1], dtype=ages.dtype, device=ages.device),
            sex=sex[:, 0],
            expression=expression,
            # From edges at whole numbers, as in `crop`, to pixel centres at whole numbers.
            mesh=flat + flat.new_tensor([left, top]) - 0.5,
            presence=presence[:, 0],
        )


def load_attributes() -> AttributeNetworks:
    """The networks from their weight files.

    Raises:
        WeightsError: Some are not here, with what to run, or are damaged.
    """
    faceres = RECOGNIZERS["faceres"]
    needed: tuple[Fetchable, ...] = (faceres, FACEMESH, EMOTION)
    missing = [network.name for network in needed if not store.present(network)]
    if missing:
        raise WeightsError(
            f"the weights of {', '.join(missing)} are not here; "
            f"run: veilface recognizers fetch {' '.join(missing)}"
        )
    return AttributeNetworks(
        _network(faceres, ("age_pred/Softmax", "gender_pred/Sigmoid")),
        _face_network(FACEMESH),
        _face_network(EMOTION),
    )


def attributes(faces: Tensor, networks: AttributeNetworks | None = None) -> FaceAttributes:
    """Measure aligned faces.

    Args:
        faces: (N, 3, 112, 112) float RGB in [0, 1], on any device.
        networks: From `load_attributes`, on the device to compute on; loaded for this call by
            default.

    Returns:
        The attributes, on the CPU.

    Raises:
        ShapeError: Another shape, or no face.
        WeightsError: As in `load_attributes`.
    """
    if faces.ndim != 4 or tuple(faces.shape[1:]) != (3, SIDE, SIDE) or not len(faces):
        raise ShapeError(f"faces must be (N, 3, {SIDE}, {SIDE}), got {tuple(faces.shape)}")
    run = load_attributes() if networks is None else networks
    with torch.inference_mode():
        found = [run(part.to(run.luma)) for part in torch.split(faces, _BATCH)]
    joined = {
        name: torch.cat([getattr(part, name) for part in found]).cpu()
        for name in ("age", "sex", "expression", "mesh", "presence")
    }
    return FaceAttributes(**joined)


def _face_network(network: FaceNetwork) -> GraphNetwork:
    return _network(network, network.outputs)


def _network(spec: Fetchable, outputs: tuple[str, ...]) -> GraphNetwork:
    topology, *shards = store.locate(spec)
    return GraphNetwork([read_tfjs(topology, shards, output=name) for name in outputs])
