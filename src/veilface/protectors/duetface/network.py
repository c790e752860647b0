"""DuetFace's two parties: a client that says where to look, and a server that looks there.

The client runs a MobileFaceNet on its strong frequencies and makes four small masks of its maps.
The server runs an IR-18 on the weak frequencies, and each stage is brightened where a mask says so.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.core.template import SIDE
from veilface.protectors.dct.front_end import PLANES
from veilface.protectors.duetface.transform import CLIENT, SERVER
from veilface.training.ir18 import STAGES, Ir18
from veilface.training.mobilefacenet import MobileFaceNet

SIDES = tuple(SIDE // 2 ** (k + 1) for k in range(len(STAGES)))
"""Of the four masks: those of the server's stages."""

# From the brows down to the chin, of a face in the template. House rule: the original takes the
# hull of 98 landmarks of each face.
_HULL = (
    (12, 54), (20, 42), (32, 36), (80, 36), (92, 42), (100, 54),
    (98, 72), (90, 92), (76, 107), (56, 111), (36, 107), (22, 92), (14, 72),
)  # fmt: skip

_FLAT = 1e-6  # range below which a mask has nothing to say; the original divides by it


class Client(nn.Module):
    """Maps (N, 30, 112, 112) client channels to the four masks that are sent.

    Args:
        width: Multiplies the channels of the network.

    Attributes:
        network: Trained alone, on its own embedding, and frozen then.
        heads: One convolution for each mask. The original convolves to as many channels as the
            server has and takes their mean, which is one channel.
    """

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        self.network = MobileFaceNet(PLANES * len(CLIENT), width=width)
        # An offset would be taken away again: each mask is stretched to its range.
        self.heads = nn.ModuleList(
            nn.Conv2d(wide, 1, 1, bias=False) for wide in self.network.widths
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Each mask is (N, 1, S, S) in [0, 1], 0 outside of the face, with S of `SIDES`."""
        masks = []
        for head, found, side in zip(self.heads, self.network.maps(x), SIDES, strict=True):
            # A 1x1 convolution and a linear interpolation can change places.
            raw = F.interpolate(head(found), size=(side, side), mode="bilinear")
            region = face_region(side).to(raw)
            masks.append(_stretched(_stretched(raw) * region))
        return tuple(masks)

    def train(self, mode: bool = True) -> Client:
        """The network stays as it is: its statistics are not those of the second training."""
        super().train(mode)
        self.network.eval()
        return self


class Server(nn.Module):
    """Maps (N, 162, 112, 112) server channels and four masks to unit embeddings (N, 512).

    Args:
        width: Multiplies the channels of every stage.

    Source:
        DuetFace (MM 2022), Sec. 3.3: ``sigmoid(F) + w sigmoid(F) M`` after each stage.
    """

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        self.network = Ir18(PLANES * len(SERVER), width=width)
        self.strength = nn.Parameter(torch.zeros(len(STAGES)))

    def forward(self, x: Tensor, *masks: Tensor) -> Tensor:
        """(N, 512) unit vectors of channels and the masks that were sent with them."""
        network = self.network
        x = network.first(x)
        for stage, strength, mask in zip(network.stages(), self.strength, masks, strict=True):
            x = stage(x).sigmoid()
            x = x + strength * x * mask
        return F.normalize(network.last(x), dim=1)


@cache
def face_region(side: int) -> Tensor:
    """(1, 1, side, side) in [0, 1]: where an aligned face is."""
    region = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.float32), np.array(_HULL, np.int32), 1.0)
    whole = torch.from_numpy(np.asarray(region, np.float32))[None, None]
    return F.adaptive_avg_pool2d(whole, side)


def _stretched(mask: Tensor) -> Tensor:
    """Each image to its range; a flat one to 0."""
    low, high = mask.amin(dim=(1, 2, 3), keepdim=True), mask.amax(dim=(1, 2, 3), keepdim=True)
    return (mask - low) / (high - low).clamp_min(_FLAT)
