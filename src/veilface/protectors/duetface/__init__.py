"""DuetFace: see README.md of this folder."""

from veilface.protectors.duetface.protector import DuetFace
from veilface.protectors.spec import MethodSpec

SPEC = MethodSpec(
    name="duetface",
    summary="54 weak DCT frequencies of each plane go to the server, the ten strong ones do not",
    paper=(
        "Mi et al., DuetFace: Collaborative Privacy-Preserving Face Recognition via Channel "
        "Splitting in the Frequency Domain, MM 2022, arXiv 2207.07340"
    ),
    licence="Apache-2.0; written from the paper (the authors' code is Apache-2.0)",
    build=DuetFace.here,
    randomised=False,
    in_channels=162,
)
