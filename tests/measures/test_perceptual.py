"""LPIPS with drawn weights against torchmetrics, and the files that weights come in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchmetrics.functional.image import lpips as reference

from tests.fixtures.faces import synthetic_faces
from veilface.errors import ShapeError, WeightsError
from veilface.measures.perceptual import VARIABLE, load_lpips, named_lpips

State = dict[str, Tensor]


def alexnet_features() -> nn.Sequential:
    """torchvision's AlexNet.features, which is not installed here, with drawn weights."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        layers = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
        )
    layers.to_empty(device="cpu")
    for value in layers.parameters():
        nn.init.normal_(value, std=0.05, generator=generator)
    return layers


@pytest.fixture
def torchvision_state() -> State:
    return {f"features.{name}": value for name, value in alexnet_features().state_dict().items()}


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    monkeypatch.setattr(reference, "_get_tv_model_features", lambda *_: alexnet_features())
    with torch.random.fork_rng():
        return reference._LPIPS(net="alex")


def test_distance_equals_torchmetrics(
    torchvision_state: State, oracle: nn.Module, tmp_path: Path
) -> None:
    torch.save(torchvision_state, tmp_path / "alexnet.pth")
    x, y = synthetic_faces(6).chunk(2)
    found = load_lpips(tmp_path / "alexnet.pth")(x, y)
    expected = oracle(x, y, normalize=True).flatten()
    assert expected.min() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_layout_of_the_lpips_package_and_its_own_heads(oracle: nn.Module, tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in oracle.state_dict().items()}
    for name in state:
        if name.startswith("lin"):
            state[name] *= 2
    x, y = synthetic_faces(2).chunk(2)
    torch.save(state, tmp_path / "lpips.pth")
    save_file(state, tmp_path / "lpips.safetensors")
    for name in ("lpips.pth", "lpips.safetensors"):
        found = load_lpips(tmp_path / name)(x, y)
        torch.testing.assert_close(
            found, 2 * oracle(x, y, normalize=True).flatten(), rtol=1e-4, atol=1e-6
        )


def test_equal_images_are_at_no_distance_and_order_does_not_matter(
    torchvision_state: State, tmp_path: Path
) -> None:
    torch.save(torchvision_state, tmp_path / "alexnet.pth")
    distance = load_lpips(tmp_path / "alexnet.pth")
    x, y = synthetic_faces(4).chunk(2)
    assert distance(x, x).tolist() == [0, 0]
    torch.testing.assert_close(distance(x, y), distance(y, x))
    torch.testing.assert_close(distance(x, y)[1:], distance(x[1:], y[1:]))
    with pytest.raises(ShapeError, match="31 pixels"):
        distance(x[..., :30], y[..., :30])


def test_a_name_with_a_hash_is_held_to_it(torchvision_state: State, tmp_path: Path) -> None:
    wrong = tmp_path / "alexnet-owt-7be5be79.pth"
    torch.save(torchvision_state, wrong)
    with pytest.raises(WeightsError, match="is not what its name says"):
        load_lpips(wrong)
    right = tmp_path / f"alexnet-owt-{hashlib.sha256(wrong.read_bytes()).hexdigest()[:8]}.pth"
    wrong.rename(right)
    load_lpips(right)


def test_wrong_files_are_named(
    torchvision_state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.pth"
    with pytest.raises(WeightsError, match=r"other\.pth.* does not exist"):
        load_lpips(path)
    del torchvision_state["features.6.bias"]
    torch.save(torchvision_state, path)
    with pytest.raises(WeightsError, match=r"no AlexNet for LPIPS: features\.6\.bias is missing"):
        load_lpips(path)
    torchvision_state["features.6.weight"] = torch.zeros(2)
    torch.save(torchvision_state, path)
    with pytest.raises(WeightsError, match=r"features\.6\.weight has shape \(2,\)"):
        load_lpips(path)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="is no safetensors file"):
        load_lpips(broken)
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(WeightsError, match=f"set {VARIABLE} to"):
        named_lpips()
    monkeypatch.setenv(VARIABLE, str(broken))
    with pytest.raises(WeightsError, match="is no safetensors file"):
        named_lpips()
