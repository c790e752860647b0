"""DuetFace's split: strong frequencies stay with the client, weak ones go to the server."""

from __future__ import annotations

import torch
from torch import Tensor

from veilface.protectors.dct.front_end import FREQUENCIES, decode, encode, pick, place

CLIENT = (0, 1, 2, 3, 4, 5, 8, 9, 16, 24)  # of each plane; the ten of most energy on faces
SERVER = tuple(k for k in range(FREQUENCIES) if k not in CLIENT)  # the other 54, ascending


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """Faces to the channels of both parties.

    Args:
        x: (N, 3, S, S) float RGB in [0, 1].

    Returns:
        Client (N, 30, S, S) and server (N, 162, S, S): plane after plane, ascending in each.

    Source:
        DuetFace (MM 2022), Sec. 3; the list of channels from the authors' configuration.
    """
    channels = encode(x)
    return pick(channels, torch.tensor(CLIENT)), pick(channels, torch.tensor(SERVER))


def server_picture(server: Tensor) -> Tensor:
    """(N, 3, S, S) picture of (N, 162, S, S) channels, zeros where the client's were."""
    return decode(place(server, torch.tensor(SERVER)))
