"""PartialFace: see README.md of this folder."""

from veilface.protectors.partialface.protector import PartialFace
from veilface.protectors.partialface.train import taught
from veilface.protectors.spec import MethodSpec

SPEC = MethodSpec(
    name="partialface",
    summary="9 of 54 weak DCT frequencies of each plane, drawn anew for each image",
    paper=(
        "Mi et al., Privacy-Preserving Face Recognition Using Random Frequency Components, "
        "ICCV 2023, arXiv 2308.10461"
    ),
    licence="Apache-2.0; written from the paper (the authors' code is Apache-2.0)",
    build=PartialFace,
    in_channels=27,
    taught=taught,
)
