"""Which networks measure faces, and where their weights are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from veilface.errors import UnknownNameError
from veilface.recognizers.own.onnx_text import is_onnx
from veilface.recognizers.registry import RECOGNIZERS, get_spec
from veilface.weights.spec import Fetchable, WeightFile, WeightSource

_PACKAGE, _VERSION = "@vladmandic/human", "3.3.6"


@dataclass(frozen=True, slots=True)
class FaceNetwork:
    """A network that measures faces and is never optimised against.

    Attributes:
        name: What `veilface recognizers fetch` calls it.
        source: Where the weights come from.
        outputs: Names of the wanted outputs in the file.
        crop: Left, top and side of the square of the aligned face that fills its input, in pixels.
        side: Side of its input in pixels.
        training_set: What it was trained on, as its publisher says.
        licence: As stated by the source.
        research_only: Whether weights or images are for research only, or nobody says that they
            are not.
        verified: Whether it was compared with TensorFlow.js here.
    """

    name: str
    source: WeightSource
    outputs: tuple[str, ...]
    crop: tuple[float, float, float]
    side: int
    training_set: str
    licence: str
    research_only: bool = True
    verified: bool = True


FACEMESH = FaceNetwork(
    name="facemesh",
    source=WeightSource(
        registry="npm",
        package=_PACKAGE,
        version=_VERSION,
        files=(
            WeightFile(
                "package/models/facemesh.json",
                95_845,
                "b60ca26f404724f43bd2b1575761d8265180e1f053cc0731caa68462927309e7",
            ),
            WeightFile(
                "package/models/facemesh.bin",
                1_477_958,
                "3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b",
            ),
        ),
    ),
    outputs=("Identity_2", "Identity_1"),  # the mesh, and whether there is a face
    # The network wants the face with some air around it. Of eight crops, on 40 LFW faces, this and
    # the next smaller one put eyes, nose and mouth nearest to YuNet's and to the template's.
    crop=(-14.0, -14.0, 140.0),
    side=192,
    training_set="not stated (MediaPipe Face Mesh)",
    licence="MIT",
)
"""Kartynnik et al., Real-time facial surface geometry, 2019, arXiv:1907.06724."""

EMOTION = FaceNetwork(
    name="emotion",
    source=WeightSource(
        registry="npm",
        package=_PACKAGE,
        version=_VERSION,
        files=(
            WeightFile(
                "package/models/emotion.json",
                17_980,
                "56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2",
            ),
            WeightFile(
                "package/models/emotion.bin",
                820_516,
                "927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987",
            ),
        ),
    ),
    outputs=("Identity",),
    crop=(0.0, 0.0, 112.0),
    side=64,
    training_set="not stated (after oarriaga/face_classification, which used FER-2013)",
    licence="MIT",
)
"""After Arriaga et al., Real-time convolutional networks for emotion, 2017, arXiv:1710.07557."""

FACE_NETWORKS: Mapping[str, FaceNetwork] = MappingProxyType(
    {network.name: network for network in (FACEMESH, EMOTION)}
)


def fetchable(name: str) -> Fetchable:
    """A recogniser or one of `FACE_NETWORKS` by its name.

    Raises:
        UnknownNameError: There is neither; the message lists the names.
        WeightsError: As in `get_spec`.
    """
    if name in FACE_NETWORKS:
        return FACE_NETWORKS[name]
    if name in RECOGNIZERS or is_onnx(name):
        return get_spec(name)
    raise UnknownNameError("recognizer", name, [*RECOGNIZERS, *FACE_NETWORKS])
