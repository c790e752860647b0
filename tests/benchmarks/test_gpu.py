"""The parts of the CUDA experiment that can be checked without a CUDA device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import gpu
from benchmarks.captured import HalfNetwork, Step, halved, replayed_steps
from tests.fixtures.faces import synthetic_faces
from tests.fixtures.surrogate import TinySurrogate
from tests.recognizers.conftest import load_or_skip
from veilface.measures.intervals import Estimate
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.optimizer import MomentumRule
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.registry import load_recognizer

SPEED = gpu.Speed(images=1.0, step=1.0, memory=1)


@pytest.mark.parametrize("name", PRESETS)
def test_steps_on_fixed_buffers_are_those_of_the_optimiser(name: str) -> None:
    """What the graph records, run without recording, gives the images of the package."""
    preset = replace(PRESETS[name], steps=5)
    x = synthetic_faces(2)
    protector = build_protector(preset, [TinySurrogate("a"), TinySurrogate("b", seed=1)])

    def images() -> torch.Tensor:
        return protector.protect(x, generator=torch.Generator().manual_seed(3)).images

    expected = images()
    recorded: list[Step] = []

    def recorder(step: Step) -> Step:
        step()  # as the warm-up before a recording does, without its draws
        step.begin_again()
        recorded.append(step)
        return step

    def without_warm_up(step: Step) -> Step:
        recorded.append(step)
        return step

    with replayed_steps(without_warm_up):
        torch.testing.assert_close(images(), expected, atol=1.01 / 255, rtol=0)
    with replayed_steps(recorder):
        assert not torch.equal(images(), expected)  # the warm-up took random numbers
    torch.testing.assert_close(images(), expected)
    assert len(recorded) == 2


class Ops(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The names of all operations."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        self.names.add(str(func.overloadpacket))
        return func(*args, **(kwargs or {}))


# luma(), which the other presets' penalties call, still copies its three weights in every step.
@pytest.mark.parametrize("name", PRESETS)
def test_a_step_does_not_talk_to_the_host_which_no_graph_can_record(name: str) -> None:
    def recorder(step: Step) -> Step:
        step()  # fills the caches
        with Ops() as ops:
            step()
        assert "aten.convolution_backward" in ops.names
        # Numbers out of Python into a tensor, and back.
        assert not ops.names & {"aten.lift_fresh", "aten._local_scalar_dense", "aten.nonzero"}
        return step

    protector = build_protector(replace(PRESETS[name], steps=1), [TinySurrogate()])
    with replayed_steps(recorder):
        protector.protect(synthetic_faces(1))


def test_going_back_forgets_the_steps() -> None:
    start = synthetic_faces(1)
    rule = MomentumRule(step_size=0.01, momentum=0.9)
    step = Step(start, lambda x: -x.mean(dim=(1, 2, 3)), rule=rule, radius=0.1, band=None)
    step()
    first = step.x.clone()
    step()
    assert not torch.equal(step.x, first)
    assert float((step.x - start).abs().max()) <= 0.1 + 1e-6
    step.begin_again()
    assert torch.equal(step.x, start)
    step()
    assert torch.equal(step.x, first)


@pytest.mark.parametrize("name", ["dlib", "sface"])
def test_half_precision_embeds_like_single(name: str) -> None:
    recognizer = load_or_skip(name)
    x = synthetic_faces(2).requires_grad_(True)
    twin = halved(recognizer)
    assert isinstance(twin.network, HalfNetwork)
    assert next(recognizer.network.parameters()).dtype == torch.float32
    assert next(twin.network.parameters()).dtype == torch.bfloat16
    single, half = recognizer.embed(x), twin.embed(x)
    assert half.dtype == torch.float32
    assert float((single * half).detach().sum(dim=1).min()) > 0.99
    towards = torch.randn(single.shape[1], generator=torch.Generator().manual_seed(0))
    first, second = (
        torch.autograd.grad((embedded @ towards).sum(), x)[0].flatten()
        for embedded in (single, half)
    )
    assert float(torch.cosine_similarity(first, second, dim=0)) > 0.9


def test_quality_tells_the_photo_from_a_stranger() -> None:
    recognizer = load_or_skip("sface")
    photos = synthetic_faces(12)
    same = gpu.quality(photos[:6], photos[:6], photos[:6], recognizer)
    other = gpu.quality(photos[:6], photos[6:], photos[6:], recognizer)
    assert same["ssim"] == pytest.approx(1)
    for name in ("source", "xdr"):
        assert isinstance(estimate := same[name], Estimate)
        assert estimate.value == 1
        assert isinstance(estimate := other[name], Estimate)
        assert estimate.value < 1


def test_sweep_ends_at_the_first_batch_that_does_not_fit() -> None:
    asked: list[int] = []

    def measured(batch: int) -> gpu.Speed:
        asked.append(batch)
        if batch > 8:
            raise torch.cuda.OutOfMemoryError("full")
        return SPEED

    assert list(gpu.sweep([1, 8, 32, 64], measured)) == [(1, SPEED), (8, SPEED), (32, None)]
    assert asked == [1, 8, 32]


def test_sweep_hides_no_other_error() -> None:
    def broken(batch: int) -> gpu.Speed:
        raise RuntimeError(f"no kernel for {batch}")

    with pytest.raises(RuntimeError, match="no kernel for 1"):
        list(gpu.sweep([1], broken))


def test_without_a_cuda_device_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["gpu"])
    assert gpu.main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "no CUDA device here: this experiment needs one, an H100 or alike\n"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("variant", gpu.VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_climbs_on_a_cuda_device(variant: gpu.Variant) -> None:
    x = synthetic_faces(4).cuda()
    recognizers = [load_recognizer(name, device="cuda") for name in ("dlib", "sface")]
    surrogates = variant.surrogates(recognizers)

    def similarity(steps: int) -> list[float]:
        preset = replace(PRESETS["persona"], steps=steps)
        images = gpu.protect(preset, surrogates, x, captured=variant.captured)
        return [float((r.embed(images) * r.embed(x)).sum(dim=1).mean()) for r in recognizers]

    assert all(after > before for after, before in zip(similarity(30), similarity(0), strict=True))
