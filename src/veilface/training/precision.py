"""In which precision a device multiplies fastest."""

from __future__ import annotations

import torch


def fast_type(device: torch.device) -> torch.dtype:
    """bfloat16 where PyTorch says that a device has instructions for it, else float32.

    A U-Net then takes half the time a step. Where it has none, as on CPUs without AVX-512 BF16,
    bfloat16 is emulated and takes longer.
    """
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        # Not part of PyTorch's interface; a version without it computes in float32.
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        native = device.type == "cpu" and ask is not None and bool(ask())
    return torch.bfloat16 if native else torch.float32
