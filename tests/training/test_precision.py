"""Which precision is fast where."""

from __future__ import annotations

import pytest
import torch

from veilface.training.precision import fast_type


def test_a_cpu_computes_in_bfloat16_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, query = torch.device("cpu"), "_is_avx512_bf16_supported"
    monkeypatch.setattr(torch.cpu, query, lambda: True, raising=False)
    assert fast_type(cpu) == torch.bfloat16
    monkeypatch.setattr(torch.cpu, query, lambda: False)
    assert fast_type(cpu) == torch.float32
    monkeypatch.delattr(torch.cpu, query)
    assert fast_type(cpu) == torch.float32


@pytest.mark.parametrize(
    ("generation", "found"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16)]
)
def test_a_gpu_does_from_ampere_on(
    generation: tuple[int, int], found: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: generation)
    assert fast_type(torch.device("cuda")) == found
