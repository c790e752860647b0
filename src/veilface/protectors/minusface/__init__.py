"""MinusFace: see README.md of this folder."""

from veilface.protectors.minusface.protector import MinusFace
from veilface.protectors.spec import MethodSpec

SPEC = MethodSpec(
    name="minusface",
    summary="what a generator leaves of a face, its 192 DCT channels shuffled for each image",
    paper=(
        "Mi et al., Privacy-Preserving Face Recognition Using Trainable Feature Subtraction, "
        "CVPR 2024, arXiv 2403.12457"
    ),
    licence="Apache-2.0; written from the paper (the authors' code is Apache-2.0)",
    build=MinusFace.trained,
    requires_training=True,
)
