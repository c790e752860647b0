"""The table of attacks."""

from __future__ import annotations

from collections.abc import Mapping

from veilface.attacks import (
    channels,
    denoising,
    inversion,
    nulls,
    portraits,
    purification,
    reconstruction,
    unmasking,
)
from veilface.attacks.base import Attack
from veilface.core.plugins import Registry
from veilface.errors import UnknownNameError

_TABLE = (
    Attack("look", "the protected image as it is", "viewer", nulls.look),
    Attack("grey", "mid-grey for everybody", "null", nulls.grey_card),
    Attack(
        "average",
        "the mean of other people's faces for everybody",
        "null",
        nulls.average_face,
        needs_faces=True,
    ),
    Attack(
        "shuffled",
        "the U-Net, trained on pairs of different people",
        "null",
        reconstruction.shuffled,
        needs_faces=True,
    ),
    Attack(
        "highpass", "fine structure alone, stretched to grey", "bystander", unmasking.high_passed
    ),
    Attack(
        "portrait",
        "the stranger, found in the public bank, taken away",
        "bystander",
        portraits.subtracted,
    ),
    Attack(
        "graft",
        "what is left without the stranger, on the average face",
        "bystander",
        portraits.grafted,
        needs_faces=True,
    ),
    Attack("blur", "a Gaussian of 1.5 pixels", "bystander", purification.blurred),
    Attack("jpeg", "JPEG of quality 50", "bystander", purification.recompressed),
    Attack("median", "the median of 3x3 pixels", "bystander", purification.median_filtered),
    Attack(
        "denoise",
        "a network that takes noise off clean photos",
        "bystander",
        denoising.denoised,
        needs_faces=True,
    ),
    Attack(
        "unet",
        "a U-Net, beside a convolution, from what is sent to the photo (Table 3)",
        "trainer",
        reconstruction.reconstruct,
        control="planted",
        needs_faces=True,
    ),
    Attack(
        "linear",
        "least squares on channels of a block DCT, every secret tried",
        "insider",
        channels.linear,
    ),
    Attack(
        "embedding",
        "a face from the embedding alone, among eigenfaces",
        "embedding holder",
        inversion.invert_embedding,
        control="clean",
        needs_faces=True,
    ),
)
ATTACKS: Mapping[str, Attack] = Registry(
    {attack.name: attack for attack in _TABLE}, group="veilface.attacks", kind=Attack
)
"""Ours and those of other packages; averaging several versions comes before any of them."""


def get_attack(name: str) -> Attack:
    """An attack of the table.

    Raises:
        UnknownNameError: There is none of this name.
        PluginError: A package adds an attack of this name that does not work.
    """
    if name not in ATTACKS:
        raise UnknownNameError("attack", name, ATTACKS)
    return ATTACKS[name]
