"""The values that the paper prints, copied: data only.

Source: Liu et al., Local Features Meet Stochastic Anonymization, arXiv 2412.08276. Shares are in
[0, 1]; PSNR is in dB. The text calls 96.71 % its average on LFW (Table 2) and 94.21 % that of all
sets (Table 4).
"""

from __future__ import annotations

from collections.abc import Mapping

SETS: Mapping[str, str] = {
    "LFW": "lfw",
    "CELEBA": "celeba",
    "AGEDB": "agedb",
    "CPLFW": "cplfw",
    "CALFW": "calfw",
}
"""The paper's sets to the names of `veilface.datasets.registry`."""

FAMILIES: Mapping[str, str] = {
    "ArcFace": "ArcFace",
    "Mobilenet": "MobileFaceNet",
    "Resnet": "ResNet",
    "IR": "IR",
    "FaceNet": "FaceNet",
    "CosFace": "CosFace",
}
"""The paper's recognisers to the families of the registry; Mobilenet and IR as read there."""

METHODS: Mapping[str, str] = {
    "DuetFace": "duetface",
    "ProFace": "proface",
    "PartialFace": "partialface",
    "MinusFace": "minusface",
}
"""The compared methods to the names of the protector registry; ``proface`` is there once for each
obfuscation that it is trained for, as ``proface-blur``."""

OURS = "Ours"

TABLE_1: Mapping[str, Mapping[str, float]] = {
    method: dict(zip(SETS, values, strict=True))
    for method, values in {
        "DuetFace": (0.37, 0.32, 0.31, 0.37, 0.31),
        "ProFace": (0.22, 0.30, 0.29, 0.31, 0.24),
        "PartialFace": (0.35, 0.31, 0.32, 0.35, 0.30),
        "MinusFace": (0.34, 0.29, 0.30, 0.36, 0.29),
        OURS: (0.11, 0.07, 0.09, 0.12, 0.15),
    }.items()
}
"""SSIM of X and X', by method and set."""

TABLE_2: Mapping[str, Mapping[str, float]] = {
    method: dict(zip(FAMILIES, values, strict=True))
    for method, values in {
        "DuetFace": (0.0, 0.0, 0.0, 0.0, 0.005, 0.0),
        "ProFace": (0.0175, 0.0075, 0.0, 0.0, 0.01, 0.005),
        "PartialFace": (0.0, 0.0025, 0.0075, 0.0, 0.0, 0.0075),
        "MinusFace": (0.0, 0.0, 0.0, 0.0025, 0.015, 0.0),
        OURS: (0.9475, 0.985, 0.9875, 0.965, 0.92, 0.9975),
    }.items()
}
"""Source match on LFW, by method and recogniser."""

TABLE_4: Mapping[str, Mapping[str, float]] = {
    family: dict(zip(SETS, values, strict=True))
    for family, values in {
        "ArcFace": (0.9475, 0.8486, 0.9013, 0.8612, 0.9198),
        "Mobilenet": (0.985, 0.9093, 0.9899, 0.964, 0.995),
        "Resnet": (0.9875, 0.9345, 0.9924, 0.964, 0.995),
        "IR": (0.965, 0.8539, 0.9848, 0.91, 0.9649),
        "FaceNet": (0.92, 0.8598, 0.9215, 0.8535, 0.9298),
        "CosFace": (0.9975, 0.9572, 0.9975, 0.9589, 0.995),
    }.items()
}
"""Source match of the paper's method, by recogniser and set."""

TABLE_5: Mapping[int, Mapping[str, float]] = {
    size: dict(zip(FAMILIES, values, strict=True))
    for size, values in {
        1: (0.14, 0.5525, 0.18, 0.7675, 0.30, 0.83),
        2: (0.495, 0.7975, 0.485, 0.78, 0.37, 0.885),
        3: (0.9475, 0.985, 0.9875, 0.965, 0.61, 0.9525),
        4: (0.9625, 0.9775, 0.99, 0.925, 0.92, 0.9975),
    }.items()
}
"""Source match on LFW by number of surrogates and target."""

TABLE_6: Mapping[str, Mapping[str, float]] = {
    variant: dict(zip(("SSIM", "PSNR", "rebuilt SSIM", "rebuilt PSNR"), values, strict=True))
    for variant, values in {
        "w/o F": (0.39, 21.73, 0.62, 16.75),
        "w/o C": (0.09, 25.58, 0.60, 14.98),
        "w/o P": (0.13, 18.32, 0.57, 16.82),
        OURS: (0.11, 17.75, 0.45, 12.20),
    }.items()
}
"""Image similarity without a module: of X', and of its reconstruction by a U-Net."""
