"""The frbench adapter: logic with a stand-in package, and the package itself where installed.

No published weights are used, and nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from veilface.errors import WeightsError
from veilface.recognizers import get_spec
from veilface.recognizers.building import build_network
from veilface.recognizers.networks.frbench import FrbenchNetwork
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer
from veilface.recognizers.spec import RecognizerSpec
from veilface.weights import frbench_assets, store
from veilface.weights.downloads import plan

yaml = pytest.importorskip("yaml", reason="PyYAML comes with frbench")
SPEC = get_spec("mobilefacenet-eca")
KEY = SPEC.source.package

STAND_IN = """
import torch
from torch import nn


class Backbone(nn.Module):
    def __init__(self, num_features):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, 8)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.4)
        self.head = nn.Linear(4 * 14 * 14, num_features)

    def forward(self, x):
        return self.head(self.dropout(self.norm(self.conv(x)).flatten(1)))


def build_backbone(name, kwargs, device):
    if name != "mobilefacenet":
        raise ValueError("Backbone is not registered")
    return Backbone(**kwargs).to(device)
"""
DOWNLOAD = """
import json, os, pathlib


def get_asset(key):
    served = pathlib.Path(os.environ["SERVED"])
    if not served.exists():
        raise OSError("no route to the release")
    cache = pathlib.Path(os.environ["FRBENCH_CACHE"])
    served.rename(cache)
    entry = json.loads((cache / "manifest.json").read_text())[key]
    return {"path": str(cache / entry["target_name"]), "contents": entry["contents"]}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VEILFACE_CACHE", str(tmp_path / "veilface"))
    monkeypatch.setenv("FRBENCH_CACHE", str(tmp_path / "frbench-cache"))
    monkeypatch.setenv("FRBENCH_CONFIG", str(tmp_path / "frbench.json"))
    monkeypatch.setenv("FRBENCH_UPDATE_CHECK", "0")
    monkeypatch.delenv("VEILFACE_OFFLINE", raising=False)
    return tmp_path / "frbench-cache"


@pytest.fixture
def package(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package called frbench with one tiny backbone, before any real one."""
    folder = tmp_path / "site" / "frbench"
    (folder / "utils").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "utils" / "__init__.py").touch()
    (folder / "backbones.py").write_text(STAND_IN, encoding="utf-8")
    (folder / "utils" / "download.py").write_text(DOWNLOAD, encoding="utf-8")
    for name in imported():
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(folder.parent)
    yield folder
    for name in imported():
        del sys.modules[name]


def imported() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "frbench"]


def build_with_seed(name: str, kwargs: dict[str, Any]) -> nn.Module:
    from importlib import import_module

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = import_module("frbench.backbones").build_backbone(
            name, kwargs, torch.device("cpu")
        )
        assert isinstance(network, nn.Module)
        for module in network.modules():
            if (
                isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d)
                and module.running_mean is not None
            ):
                module.running_mean.normal_(0, 0.1)
    return network.eval()


def write_asset(cache: Path, **config: object) -> nn.Module:
    """An asset in frbench's own layout, with random weights; returns its bare backbone."""
    network = build_with_seed("mobilefacenet", {"num_features": 512})
    folder = cache / "folder"
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "target_name": "folder",
        "asset_name": "folder.tar.gz",
        "contents": {"config": "config.yaml", "weight": "weight.pth"},
        "sha": None,
        "size": None,
    }
    manifest = {"__release__": "weights-v1.0.0", KEY: entry}
    (cache / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    backbone = {"name": "mobilefacenet", "kwargs": {"num_features": 512}}
    table = {"backbone": backbone, "input": {}, **config}
    (folder / "config.yaml").write_text(yaml.safe_dump(table), encoding="utf-8")
    torch.save(network.state_dict(), folder / "weight.pth")
    return network


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(2))


def loaded(spec: RecognizerSpec = SPEC) -> Recognizer:
    return Recognizer(spec, build_network(spec, store.paths(spec)))


@pytest.mark.usefixtures("package")
def test_embedding_equals_the_bare_backbone(cache: Path, images: Tensor) -> None:
    bare = write_asset(cache)
    with torch.inference_mode():
        found = loaded().embed(images)
        expected = F.normalize(bare((images * 255 / 255 - 0.5) / 0.5))
    assert torch.allclose(found, expected, atol=1e-6)
    assert float((found[0] - found[1]).abs().max()) > 1e-3


@pytest.mark.usefixtures("package")
def test_the_asset_decides_the_normalisation(cache: Path, images: Tensor) -> None:
    template = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655]]
    bare = write_asset(
        cache,
        input={
            "size": [112, 112],
            "mean": [0.1, 0.2, 0.3],
            "var": [0.5, 0.25, 2],
            "channel": "bgr",
            "template": [*template, [70.7299, 92.2041]],
        },
    )
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.1, 0.2, 0.3], [0.5, 0.25, 2.0]))
    with torch.inference_mode():
        expected = F.normalize(bare((images.flip(1) - mean) / std))
        assert torch.allclose(loaded().embed(images), expected, atol=1e-6)


@pytest.mark.usefixtures("package")
def test_frozen_and_always_in_evaluation_mode(cache: Path, images: Tensor) -> None:
    write_asset(cache)
    recognizer = loaded()
    assert not any(parameter.requires_grad for parameter in recognizer.parameters())
    before = recognizer.embed(images)
    recognizer.train()
    recognizer.to(torch.float32)
    assert torch.equal(recognizer.embed(images), before)
    exact = loaded().to(torch.float64)
    assert torch.allclose(exact.embed(images.double()).float(), before, atol=1e-5)
    x = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(recognizer.embed(x)[:, 0].sum(), x)
    assert bool((gradient.flatten(1).abs().amax(1) > 0).all())


@pytest.mark.usefixtures("package")
def test_macs(cache: Path) -> None:
    write_asset(cache)
    network = build_network(SPEC, store.paths(SPEC))
    assert isinstance(network, FrbenchNetwork)
    assert network.macs == 14 * 14 * 4 * 3 * 8 * 8 + 4 * 14 * 14 * 512


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"backbone": {"name": "irse-100"}}, "describes irse-100 .* where mobilefacenet with 512"),
        (
            {"backbone": {"name": "mobilefacenet", "kwargs": {"num_features": 256}}},
            "with 256 values where",
        ),
        ({"backbone": 3}, "no table 'backbone'"),
        ({"input": {"size": [160, 160]}}, "only 112x112"),
        ({"input": {"channel": "gray"}}, "channel order 'gray'"),
        ({"input": {"mean": [0.5, 0.5]}}, "three numbers"),
        ({"input": {"mean": "a"}}, "three numbers"),
        ({"input": {"std": [0.5, 0, 0.5]}}, "divides by"),
        ({"input": {"template": [[0, 0]] * 5}}, "another alignment"),
        (
            {"backbone": {"name": "mobilefacenet", "kwargs": {"num_features": 512, "depth": 3}}},
            "cannot build mobilefacenet",
        ),
    ],
)
def test_other_assets_are_refused(config: dict[str, Any], word: str, cache: Path) -> None:
    write_asset(cache, **config)
    with pytest.raises(WeightsError, match=word):
        loaded()


@pytest.mark.usefixtures("package")
def test_damaged_files_are_refused(cache: Path) -> None:
    write_asset(cache)
    weight, config = cache / "folder" / "weight.pth", cache / "folder" / "config.yaml"
    state = torch.load(weight, weights_only=True)
    torch.save({k: v for k, v in state.items() if k != "head.bias"}, weight)
    with pytest.raises(WeightsError, match=r"head\.bias"):
        loaded()
    weight.write_bytes(b"")
    with pytest.raises(WeightsError, match="no PyTorch state dict"):
        loaded()
    for text in ("a: [", "- 1", "\x00", "!!python/object/apply:os.getcwd []"):
        config.write_text(text, encoding="utf-8")
        with pytest.raises(WeightsError, match=r"config\.yaml"):
            loaded()


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        ("", "cannot read"),
        ("[]", "has no config of"),
        ('{"mobilefacenet_arcface_ms1m": 3}', "has no config of"),
        ('{"mobilefacenet_arcface_ms1m": {"target_name": "a", "contents": {}}}', "has no config"),
        (
            '{"mobilefacenet_arcface_ms1m": {"target_name": "..", "contents": {"config": "a"}}}',
            "may lie outside",
        ),
        (
            '{"mobilefacenet_arcface_ms1m": {"target_name": "a", "contents": {"config": "/a"}}}',
            "may lie outside",
        ),
        (
            '{"mobilefacenet_arcface_ms1m": {"target_name": "a", "contents": {"config": 3}}}',
            "may lie outside",
        ),
    ],
)
def test_manifests(manifest: str, word: str, cache: Path) -> None:
    cache.mkdir()
    (cache / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(WeightsError, match=word):
        frbench_assets.asset_file(KEY, "config")
    assert not store.present(SPEC)
    with pytest.raises(WeightsError, match="run: veilface recognizers fetch mobilefacenet-eca"):
        store.locate(SPEC)


def test_fetch_records_the_hashes(
    package: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert package
    served = tmp_path / "served"
    monkeypatch.setenv("SERVED", str(served))
    with pytest.raises(WeightsError, match=r"could not fetch .*: OSError: no route to the release"):
        store.fetch(SPEC)
    write_asset(served)
    monkeypatch.setenv("VEILFACE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="VEILFACE_OFFLINE"):
        store.fetch(SPEC)
    monkeypatch.delenv("VEILFACE_OFFLINE")
    assert plan(SPEC).needed
    assert not store.present(SPEC)
    config, weight = store.fetch(SPEC)
    assert not plan(SPEC).needed
    assert store.present(SPEC)
    assert (config, weight) == (cache / "folder" / "config.yaml", cache / "folder" / "weight.pth")
    digest = hashlib.sha256(weight.read_bytes()).hexdigest()
    assert store.hashes(SPEC)[1] == digest
    assert load_recognizer(SPEC.name).spec == SPEC
    content = bytearray(weight.read_bytes())
    content[-1] ^= 1
    weight.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match="not the expected file"):
        load_recognizer(SPEC.name)


def test_without_the_package(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install frbench"):
        store.fetch(SPEC)
    with pytest.raises(WeightsError, match="pip install frbench"):
        FrbenchNetwork().load(cache / "a", cache / "b", backbone="mobilefacenet", dim=512)


@pytest.mark.skipif(find_spec("frbench") is None, reason="frbench is not installed")
def test_the_package_itself(cache: Path, images: Tensor) -> None:
    """Random weights of its own backbone, in its own layout."""
    bare = write_asset(cache)
    network = build_network(SPEC, store.paths(SPEC))
    assert isinstance(network, FrbenchNetwork)
    assert network.macs == SPEC.macs
    assert sum(p.numel() for p in network.parameters()) == SPEC.parameters
    recognizer = Recognizer(SPEC, network)
    recognizer.train()
    x = images.clone().requires_grad_()
    found = recognizer.embed(x)
    with torch.inference_mode():
        expected = F.normalize(bare((images - 0.5) / 0.5))
    assert torch.allclose(found, expected, atol=1e-5)
    (gradient,) = torch.autograd.grad(found[:, 0].sum(), x)
    assert bool(gradient.isfinite().all())
    assert bool((gradient.flatten(1).abs().amax(1) > 0).all())
    with pytest.raises(WeightsError, match="where irse-34 with 512"):
        build_network(get_spec("irse-34"), store.paths(SPEC))
