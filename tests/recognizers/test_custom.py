"""Recognisers of the user's own: ONNX files as targets and surrogates, Python functions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import veilface
from tests.fixtures.onnx_user import write_onnx
from tests.recognizers.conftest import load_or_skip
from veilface.errors import (
    MissingExtraError,
    NotDifferentiableError,
    ShapeError,
    UnknownNameError,
    WeightsError,
)
from veilface.pipeline.ensemble import assemble
from veilface.recognizers import available, get_spec, load_recognizer
from veilface.recognizers.own.build import from_callable
from veilface.recognizers.own.foreign import unconvertible
from veilface.recognizers.own.onnx_file import read_onnx_file
from veilface.recognizers.own.onnx_text import OnnxText, parse_onnx
from veilface.weights import store


@pytest.fixture
def faces() -> Tensor:
    return torch.rand(5, 3, 112, 112, generator=torch.Generator().manual_seed(0))


def reference(path: Path, x: Tensor) -> Tensor:
    """Unit embeddings of ready inputs, one image at a time, straight from ONNX Runtime."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    raw = [session.run(None, {"x": image[None].numpy()})[0] for image in x]
    return F.normalize(torch.from_numpy(np.concatenate(raw)), dim=1)


def test_parse() -> None:
    assert parse_onnx("onnx:a/b.onnx") == OnnxText(Path("a/b.onnx"))
    full = parse_onnx("onnx:a,b/c=d.onnx,size=160,order=bgr,mean=1/2.5/3,std=256")
    assert full == OnnxText(Path("a,b/c=d.onnx"), 160, "bgr", (1.0, 2.5, 3.0), 256.0)
    assert parse_onnx("onnx:x.onnx,mean=0,std=1").mean == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("onnx:", WeightsError, "names no file"),
        ("onnx:a.onnx,sise=3", UnknownNameError, "did you mean 'size'.*mean, order, size, std"),
        ("onnx:a.onnx,order=gbr", UnknownNameError, "channel order 'gbr'"),
        ("onnx:a.onnx,size=7", WeightsError, "size=7 .* 16 to 1024"),
        ("onnx:a.onnx,size=112.5", WeightsError, r"size=112\.5"),
        ("onnx:a.onnx,mean=1/2", WeightsError, "mean=1/2 .* a number or 3 with slashes"),
        ("onnx:a.onnx,std=0", WeightsError, "above 0"),
        ("onnx:a.onnx,std=nan", WeightsError, "a number is expected"),
        ("onnx:a.onnx,std=1,std=2", WeightsError, "gives std twice"),
    ],
)
def test_parse_errors(text: str, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        parse_onnx(text)


@pytest.mark.parametrize("batch", ["N", 1, 2])
@pytest.mark.parametrize("differentiable", [False, True])
def test_any_batch_size_and_the_preprocessing(
    tmp_path: Path, faces: Tensor, batch: int | str, differentiable: bool
) -> None:
    path = write_onnx(tmp_path / "mine.onnx", batch=batch)
    text = f"onnx:{path},order=bgr,mean=10/20/30,std=50"
    mine = load_recognizer(text, differentiable=differentiable)
    assert (mine.name, mine.spec.dim, mine.differentiable) == ("mine", 6, differentiable)
    assert mine.spec.parameters == 4 * 3 * 256 + 4 + 4 + 24
    ready = (faces * 255 - torch.tensor([10.0, 20, 30]).view(3, 1, 1)) / 50
    one = write_onnx(tmp_path / "one.onnx")
    with torch.inference_mode():
        found = mine.embed(faces)
        assert torch.allclose(found, reference(one, ready.flip(1)), atol=1e-5)
        assert mine.embed(faces[:0]).shape == (0, 6)


def test_surrogate_has_gradients_and_target_refuses_them(tmp_path: Path, faces: Tensor) -> None:
    path = write_onnx(tmp_path / "mine.onnx", batch=1)
    x = faces.clone().requires_grad_()
    surrogate = load_recognizer(f"onnx:{path}")
    (gradient,) = torch.autograd.grad(surrogate.embed(x)[:, 0].sum(), x)
    assert bool((gradient.flatten(1).abs().sum(1) > 0).all())
    exact = load_recognizer(f"onnx:{path}", dtype=torch.float64)
    assert torch.allclose(exact.embed(faces.double()).float(), surrogate.embed(faces), atol=1e-5)
    target = load_recognizer(f"onnx:{path}", differentiable=False)
    with pytest.raises(NotDifferentiableError, match="mine gives no gradient"):
        target.embed(x)


def test_side_comes_from_the_file_or_the_option(tmp_path: Path, faces: Tensor) -> None:
    fixed = write_onnx(tmp_path / "fixed.onnx", shape=(3, 64, 64))
    assert get_spec(f"onnx:{fixed}").preprocessing.side == 64
    with pytest.raises(WeightsError, match=r"size=112 for .*, which reads 64×64"):
        get_spec(f"onnx:{fixed},size=112")
    free = write_onnx(tmp_path / "free.onnx", shape=(3, "H", "W"), output=("N", "D"))
    spec = get_spec(f"onnx:{free},size=96")
    assert (spec.preprocessing.side, spec.dim) == (96, 6)
    assert get_spec(f"onnx:{free}").preprocessing.side == 112
    target = load_recognizer(f"onnx:{free},size=96", differentiable=False)
    assert target.embed(faces).shape == (5, 6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"shape": (112, 112, 3)}, r"reads \?×112×112×3, channels last \(NHWC\)"),
        ({"shape": (1, 112, 112)}, "1 channels instead of 3"),
        ({"shape": (3, 112, 96)}, "a square image"),
        ({"inputs": 2}, r"2 inputs \(x, z\); one batch of images"),
        ({"outputs": 2}, r"2 outputs \(y, f2\); one matrix"),
        ({"output": ("N", 6, 1, 1)}, r"writes \?×6×1×1; embeddings N×D"),
    ],
)
def test_files_of_another_form(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    path = write_onnx(tmp_path / "odd.onnx", **change)
    with pytest.raises(WeightsError, match=sentence):
        get_spec(f"onnx:{path}")


def test_no_file_and_no_onnx(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot read .*none\.onnx"):
        get_spec(f"onnx:{tmp_path / 'none.onnx'}")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(WeightsError, match="is not an ONNX file"):
        get_spec(f"onnx:{tmp_path / 'text.onnx'}")


def test_every_operator_that_does_not_convert_is_listed(tmp_path: Path) -> None:
    file = read_onnx_file(write_onnx(tmp_path / "softsign.onnx", extra="Softsign"))

    def find(*, operation_type: str, version: int, domain: str) -> object:
        assert (version, domain) == (13, "")
        if operation_type in ("Softsign", "Gemm"):
            raise NotImplementedError
        return object()

    assert unconvertible(file, find) == {"Gemm-13": 1, "Softsign-13": 1}


def test_surrogate_through_the_converter(tmp_path: Path, faces: Tensor) -> None:
    """An operator that veilface's own reader does not know, with a fixed batch size."""
    try:
        importlib.import_module("onnx2torch")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"onnx2torch does not load here: {error}")
    path = write_onnx(tmp_path / "elu.onnx", extra="Elu", batch=1)
    surrogate = load_recognizer(f"onnx:{path}")
    target = load_recognizer(f"onnx:{path}", differentiable=False)
    x = faces.clone().requires_grad_()
    found = surrogate.embed(x)
    assert torch.allclose(found.detach(), target.embed(faces), atol=1e-5)
    assert float(torch.autograd.grad(found[:, 0].sum(), x)[0].abs().sum()) > 0
    bad = write_onnx(tmp_path / "shrink.onnx", extra="Shrink")
    with pytest.raises(WeightsError, match=r"does not convert Shrink-13 \(1×\); it can still be a"):
        load_recognizer(f"onnx:{bad}")


@pytest.mark.parametrize("extra", [None, "Elu"])
def test_missing_extra_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str | None
) -> None:
    path = write_onnx(tmp_path / "mine.onnx", extra=extra)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    sentence = "is not installed; run: pip install onnx2torch onnxruntime"
    with pytest.raises(MissingExtraError, match=f"onnxruntime is needed to run .* {sentence}"):
        load_recognizer(f"onnx:{path}", differentiable=False)
    if extra is None:
        assert load_recognizer(f"onnx:{path}").differentiable  # needs neither
    else:
        with pytest.raises(MissingExtraError, match=f"onnx2torch is needed .* {sentence}"):
            load_recognizer(f"onnx:{path}")


def test_converted_network_that_computes_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_onnx(tmp_path / "elu.onnx", extra="Elu")
    wrong = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(6))
    with torch.random.fork_rng():
        wrong(torch.zeros(1, 3, 112, 112))
    registry = SimpleNamespace(get_converter=lambda **_: None)
    fake = SimpleNamespace(
        convert=lambda _: wrong, node_converters=SimpleNamespace(registry=registry)
    )
    monkeypatch.setattr("veilface.recognizers.optional.onnx2torch", lambda: fake)
    with pytest.raises(WeightsError, match="converts to something else"):
        load_recognizer(f"onnx:{path}")


def test_a_stem_of_the_table_keeps_the_suffix(tmp_path: Path) -> None:
    assert get_spec(f"onnx:{write_onnx(tmp_path / 'dlib.onnx')}").name == "dlib.onnx"


def test_names_in_the_pipeline(tmp_path: Path) -> None:
    text = f"onnx:{write_onnx(tmp_path / 'mine.onnx')},mean=0"
    assert available([text]) == [text]
    (surrogate,) = assemble([text], torch.device("cpu"))
    assert surrogate.name == "mine"
    (tmp_path / "b").mkdir()
    twin = f"onnx:{write_onnx(tmp_path / 'b' / 'mine.onnx')}"
    with pytest.raises(WeightsError, match="two recognisers are called mine"):
        assemble([text, twin], torch.device("cpu"))


def test_callable_as_target(faces: Tensor) -> None:
    seen: list[Tensor] = []

    def embed(images: Tensor) -> object:
        seen.append(images)
        return images.mean((2, 3)).double().numpy()

    colour = from_callable(embed, name="colour", dim=3)  # type: ignore[arg-type]
    found = colour.embed(faces)
    assert torch.allclose(seen[0], faces, atol=1e-6)
    assert torch.allclose(found, F.normalize(faces.mean((2, 3)), dim=1), atol=1e-6)
    pixels = (faces[0] * 255).round().byte().permute(1, 2, 0).numpy()
    result = veilface.verify(pixels, pixels, recognizer=colour, aligned=True, device="cpu")
    assert result.score == pytest.approx(1.0)
    assert result.match is None
    assert (result.recognizer, result.decision) == ("colour", "uncalibrated")


def test_callable_is_no_surrogate(faces: Tensor) -> None:
    colour = from_callable(lambda x: x.mean((2, 3)), name="colour", dim=3)
    with pytest.raises(NotDifferentiableError, match="colour gives no gradient"):
        colour.embed(faces.requires_grad_())
    with pytest.raises(NotDifferentiableError, match="cannot be a surrogate"):
        assemble([colour], torch.device("cpu"))


def test_callables_that_misbehave(faces: Tensor) -> None:
    with pytest.raises(ShapeError, match=r"odd gave \(5, 3\) for 5 images; .*\(5, 4\)"):
        from_callable(lambda x: x.mean((2, 3)), name="odd", dim=4).embed(faces)
    with pytest.raises(ShapeError, match="not finite"):
        from_callable(lambda x: x.mean((2, 3)) / 0, name="odd", dim=3).embed(faces)
    with pytest.raises(WeightsError, match="'dlib' cannot be the name"):
        from_callable(lambda x: x, name="dlib", dim=3)
    with pytest.raises(ShapeError):
        from_callable(lambda x: x, name="none", dim=0)


def test_real_file_in_both_roles(faces: Tensor) -> None:
    """A published file with a fixed batch size and 63 operators equals the built-in network."""
    built_in = load_or_skip("fr_feature")
    (path,) = store.paths(built_in.spec)
    for differentiable in (False, True):
        mine = load_recognizer(f"onnx:{path},mean=127", differentiable=differentiable)
        with torch.inference_mode():
            assert torch.allclose(mine.embed(faces), built_in.embed(faces), atol=1e-5)
