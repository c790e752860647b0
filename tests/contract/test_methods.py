"""What every method of other authors keeps beyond the contract of all protectors."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.core.randomness import entropic_generator
from veilface.errors import UntrainedError
from veilface.protectors.registry import METHODS, PROTECTORS
from veilface.protectors.spec import MethodSpec
from veilface.types import Protected

each_method = pytest.mark.parametrize("spec", METHODS.values(), ids=lambda spec: spec.name)


# The contract does not ask what they learnt.
pytestmark = pytest.mark.usefixtures("drawn_weights")


def streams(*names: str) -> list[Generator]:
    return [entropic_generator(name.encode()) for name in names]


def protect(spec: MethodSpec, x: Tensor, generator: Sequence[Generator] | None) -> Protected:
    return spec.build().protect(x, generator=generator)


def sent(protected: Protected) -> Tensor:
    return protected.images if protected.data is None else protected.data


@each_method
def test_an_untrained_method_names_its_command(
    spec: MethodSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path))
    if not spec.requires_training:
        spec.build()
        return
    with pytest.raises(UntrainedError, match=f"veilface train {spec.name}"):
        spec.build()


@each_method
def test_table_and_folder_agree(spec: MethodSpec) -> None:
    assert PROTECTORS[spec.name] == spec.summary
    folder = spec.name.partition("-")[0]  # a variant stands behind the hyphen
    page = resources.files("veilface.protectors").joinpath(folder, "README.md")
    text = page.read_text(encoding="utf-8")
    for heading in ("## Published", "## Measured here", "## Deviations"):
        assert heading in text


@each_method
def test_what_is_sent(spec: MethodSpec) -> None:
    x = synthetic_faces(2)
    protected = protect(spec, x, streams("a", "b"))
    data = sent(protected)
    assert data.shape == (2, spec.in_channels, *x.shape[2:])
    assert data.dtype == torch.float32
    assert bool(data.isfinite().all())
    assert not data.requires_grad
    width = 1 if protected.data is None else 4
    assert protected.transmitted_bytes == width * spec.in_channels * 112 * 112
    assert spec.build().name == spec.name
    for kept in protected.secret.values():
        assert kept.shape[0] == 2
        assert repr(kept) not in repr(protected)


@each_method
def test_one_generator_is_one_result_and_two_are_two(spec: MethodSpec) -> None:
    x = synthetic_faces(1)
    first = sent(protect(spec, x, streams("a")))
    assert torch.equal(first, sent(protect(spec, x, streams("a"))))
    others = [sent(protect(spec, x, streams(name))) for name in "bcdef"]
    others += [sent(protect(spec, x, None)) for _ in range(3)]
    assert all(torch.equal(first, other) for other in others) is not spec.randomised


@each_method
def test_order_of_the_batch_does_not_matter(spec: MethodSpec) -> None:
    x = synthetic_faces(3)
    x[1] *= 0.1  # a dark one beside others
    forwards = protect(spec, x, streams("a", "b", "c"))
    backwards = protect(spec, x.flip(0), streams("c", "b", "a"))
    alone = protect(spec, x[1:2], streams("b"))
    # Coefficients reach 1024.
    torch.testing.assert_close(sent(forwards), sent(backwards).flip(0), atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(sent(forwards)[1:2], sent(alone), atol=1e-3, rtol=1e-5)
    for name, drawn in forwards.secret.items():
        assert torch.equal(drawn, backwards.secret[name].flip(0))
    assert float((forwards.images[1:2] - alone.images).abs().max()) < 1.5 / 255


@each_method
def test_follows_the_type_of_its_input(spec: MethodSpec) -> None:
    x = synthetic_faces(1)
    half = protect(spec, x.to(torch.float64), streams("a"))
    assert half.images.dtype == torch.float64
    close = (half.images - protect(spec, x, streams("a")).images).abs()
    assert float(close.max()) < 1.5 / 255


@each_method
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_face_without_detail_is_no_error(spec: MethodSpec, level: float) -> None:
    protected = protect(spec, torch.full((1, 3, 112, 112), level), streams("a"))
    assert bool(protected.images.isfinite().all())
    if protected.degenerate is not None:
        assert bool(protected.degenerate.all())
        assert torch.equal(protected.images, torch.full_like(protected.images, 128 / 255))


@each_method
def test_an_empty_batch_is_no_error(spec: MethodSpec) -> None:
    assert protect(spec, torch.zeros(0, 3, 112, 112), []).images.shape == (0, 3, 112, 112)
