"""Linear inversion of the methods that send channels of a block DCT, whatever they drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from veilface.attacks.base import Fitted, Setting
from veilface.attacks.linear import invert
from veilface.attacks.nulls import mean_face
from veilface.errors import AttackError
from veilface.protectors.duetface.transform import SERVER
from veilface.protectors.partialface.transform import variants
from veilface.types import Protected

CANDIDATES: Mapping[str, Callable[[], Sequence[Sequence[int]]]] = MappingProxyType(
    {
        "duetface": lambda: (SERVER,),
        "partialface": lambda: variants().flatten(0, 1).tolist(),
    }
)
"""By protector every list of frequencies that it may have sent."""

_AT_ONCE = 16  # faces: DuetFace's channels of one take 16 MB in double precision, several times


def linear(setting: Setting) -> Fitted:
    """Solve for the face; every secret is tried, the one that fits best is kept.

    What no channel tells is that of the average of other people's faces where there are some,
    else mid-grey.

    Raises:
        AttackError: The protector does not send channels of a block DCT.
    """
    name = setting.victim.name
    if name not in CANDIDATES:
        raise AttackError(
            f"linear inversion needs the channels of a block DCT, which {', '.join(CANDIDATES)} "
            f"send and {name} does not"
        )
    lists = CANDIDATES[name]()
    start = None if setting.faces is None else mean_face(setting.training_faces())

    def recover(protected: Protected) -> Tensor:
        if protected.data is None:
            raise AttackError(f"{name} sent an image, not channels")
        parts = torch.split(protected.data, _AT_ONCE)
        return torch.cat([invert(part, lists, start=start).images for part in parts])

    return Fitted(recover, {"candidates": len(lists), "start": "grey" if start is None else "mean"})
