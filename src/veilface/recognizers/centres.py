"""The mean embedding of a recogniser over many faces, shipped as a few kilobytes.

Embeddings of different people share a large common part in some recognisers (dlib's impostors
average a cosine of 0.83); subtracting the centre removes it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import torch
from safetensors.torch import load
from torch import Tensor

from veilface.errors import WeightsError
from veilface.recognizers.spec import RecognizerSpec

FILE = "centres.safetensors"


@lru_cache(maxsize=1)
def _centres() -> dict[str, Tensor]:
    resource = resources.files("veilface") / "data" / FILE
    if not resource.is_file():
        return {}
    stored: dict[str, Tensor] = load(resource.read_bytes())
    return stored


def load_centre(spec: RecognizerSpec) -> Tensor | None:
    """The mean unit embedding (D,) of a recogniser, or None when it was not measured.

    Raises:
        WeightsError: The shipped vector has another width than the recogniser.
    """
    centre = _centres().get(spec.name)
    if centre is not None and tuple(centre.shape) != (spec.dim,):
        msg = f"the shipped centre of {spec.name} has shape {tuple(centre.shape)}, not {spec.dim}"
        raise WeightsError(msg)
    return None if centre is None else centre.to(torch.float64)
