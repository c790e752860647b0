"""The table of the paper's six families with their public weights: data only.

None of these was ever run here with its real weights: they are not verified and not calibrated.
The paper names ArcFace, Mobilenet, Resnet, IR, FaceNet and CosFace without weights or depths;
reading Mobilenet as MobileFaceNet and IR as the improved residual network of the ArcFace code line
is this project's reading.
"""

from __future__ import annotations

from veilface.recognizers.spec import Preprocessing, RecognizerSpec
from veilface.weights.spec import WeightFile, WeightSource

_NETWORKS = "veilface.recognizers.networks"
_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
_MS1M = "MS1M (MS-Celeb-1M, cleaned)"
_FLOAT = 4  # bytes


def _facenet(name: str, *, file: str, about: int, trained_on: str, lfw: str) -> RecognizerSpec:
    return RecognizerSpec(
        name=name,
        family="FaceNet",
        architecture="InceptionResnetV1",
        training_set=trained_on,
        loss="softmax over identities",
        dim=512,
        parameters=23_467_824,
        macs=1_417_662_304,
        preprocessing=Preprocessing(side=160, order="rgb", mean=(127.5, 127.5, 127.5), std=128.0),
        source=WeightSource(
            registry="http",
            package="timesler/facenet-pytorch",
            version="v2.2.9",
            files=(WeightFile(file, None, None, about),),
            address=_RELEASE,
        ),
        format="facenet",
        network=f"{_NETWORKS}.inception_resnet:build",
        licence="MIT (code); the weights' own terms are not stated",
        research_only=True,
        calibration=None,
        verified=False,
        notes=(
            f"Publisher's LFW accuracy: {lfw}, with looser crops than the aligned 112x112 face "
            "that is enlarged here; the box is not calibrated, so expect less."
        ),
    )


def _frbench(
    name: str,
    *,
    family: str,
    architecture: str,
    key: str,
    parameters: int,
    macs: int,
    publisher: str,
    notes: str = "",
) -> RecognizerSpec:
    weight = WeightFile("weight", None, None, parameters * _FLOAT)
    return RecognizerSpec(
        name=name,
        family=family,
        architecture=architecture,
        training_set=_MS1M,
        loss={"arcface": "ArcFace", "cosface": "CosFace"}[key.split("_")[1]],
        dim=512,
        parameters=parameters,
        macs=macs,
        # The asset's own configuration normalises, so the network gets 0..255.
        preprocessing=Preprocessing(side=112, order="rgb", mean=(0.0, 0.0, 0.0), std=1.0),
        source=WeightSource(
            registry="frbench",
            package=key,
            version="weights-v1.0.0",
            files=(WeightFile("config", None, None, 10_000), weight),
        ),
        format="frbench",
        network=f"{_NETWORKS}.frbench:build",
        licence="MIT (package); the weights' own terms are not stated",
        research_only=True,
        calibration=None,
        verified=False,
        notes=(
            "Needs the package frbench. "
            f"Publisher's LFW / CFP-FP / AgeDB-30: {publisher} %. {notes}"
        ).rstrip(),
    )


FACENET_VGGFACE2 = _facenet(
    "facenet-vggface2",
    file="20180402-114759-vggface2.pt",
    about=112_000_000,
    trained_on="VGGFace2",
    lfw="0.9965",
)
FACENET_CASIA = _facenet(
    "facenet-casia",
    file="20180408-102900-casia-webface.pt",
    about=116_000_000,
    trained_on="CASIA-WebFace",
    lfw="0.9905",
)
ARCFACE_100 = _frbench(
    "arcface-irse-100",
    family="ArcFace",
    architecture="IR-SE-100",
    key="irse-100_arcface_ms1m",
    parameters=65_502_016,
    macs=12_077_133_312,
    publisher="99.77 / 98.30 / 97.70",
)
ARCFACE_50 = _frbench(
    "arcface-irse-50",
    family="ArcFace",
    architecture="IR-SE-50",
    key="irse-50_arcface_ms1m",
    parameters=43_797_696,
    macs=6_296_708_608,
    publisher="99.80 / 98.21 / 97.73",
)
IRSE_34 = _frbench(
    "irse-34",
    family="IR",
    architecture="IR-SE-34: improved residual network with squeeze-excitation",
    key="irse-34_arcface_ms1m",
    parameters=34_284_736,
    macs=4_446_955_008,
    publisher="99.80 / 97.93 / 97.72",
    notes="No weights of the plain IR network, without squeeze-excitation, are published there.",
)
RESNET_100 = _frbench(
    "resnet-100",
    family="ResNet",
    architecture="ResNet-100",
    key="resnet-100_arcface_ms1m",
    parameters=69_623_872,
    macs=2_894_147_584,
    publisher="99.75 / 97.30 / 96.37",
)
COSFACE_100 = _frbench(
    "cosface-irse-100",
    family="CosFace",
    architecture="IR-SE-100",
    key="irse-100_cosface_ms1m",
    parameters=65_502_016,
    macs=12_077_133_312,
    publisher="99.80 / 98.89 / 98.28",
)
MOBILEFACENET_ECA = _frbench(
    "mobilefacenet-eca",
    family="MobileFaceNet",
    architecture="MobileFaceNet with efficient channel attention",
    key="mobilefacenet_arcface_ms1m",
    parameters=1_200_577,
    macs=221_169_344,
    publisher="99.68 / 95.20 / 96.82",
)

SPECS = (
    FACENET_VGGFACE2,
    FACENET_CASIA,
    ARCFACE_50,
    ARCFACE_100,
    IRSE_34,
    RESNET_100,
    COSFACE_100,
    MOBILEFACENET_ECA,
)
