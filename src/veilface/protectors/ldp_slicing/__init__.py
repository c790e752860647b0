"""LDP-Slicing: see README.md of this folder."""

from veilface.protectors.ldp_slicing.protector import LdpSlicing
from veilface.protectors.spec import MethodSpec

SPEC = MethodSpec(
    name="ldp_slicing",
    summary="the fine detail of a face, each bit told truthfully or not by chance",
    paper="LDP-Slicing, CVPR 2026, arXiv 2603.03711",
    licence="Apache-2.0; written from the paper (the authors' code is Apache-2.0)",
    build=LdpSlicing,
)
