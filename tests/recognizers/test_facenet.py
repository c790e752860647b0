"""FaceNet's network against the published layout and a computation with nothing folded.

The layout is written down here a second time, as a table of the published structure. Its number
of parameters, 23,482,624 without the layer of the classes and 27,910,327 with the 8,631 of
VGGFace2, is the one that is reported for the public network.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from veilface.errors import WeightsError
from veilface.recognizers import get_spec
from veilface.recognizers.building import build_network
from veilface.recognizers.networks.inception_resnet import InceptionResnetV1, build
from veilface.recognizers.recognizer import Recognizer
from veilface.weights.state_dict import read_state_dict

Shape = tuple[int, ...]
# (path, weight shape) of a convolution with a batch norm.
STEM = [
    ("conv2d_1a", (32, 3, 3, 3)),
    ("conv2d_2a", (32, 32, 3, 3)),
    ("conv2d_2b", (64, 32, 3, 3)),
    ("conv2d_3b", (80, 64, 1, 1)),
    ("conv2d_4a", (192, 80, 3, 3)),
    ("conv2d_4b", (256, 192, 3, 3)),
]
BLOCK35 = [
    ("branch0", (32, 256, 1, 1)),
    ("branch1.0", (32, 256, 1, 1)),
    ("branch1.1", (32, 32, 3, 3)),
    ("branch2.0", (32, 256, 1, 1)),
    ("branch2.1", (32, 32, 3, 3)),
    ("branch2.2", (32, 32, 3, 3)),
]
MIXED_6A = [
    ("mixed_6a.branch0", (384, 256, 3, 3)),
    ("mixed_6a.branch1.0", (192, 256, 1, 1)),
    ("mixed_6a.branch1.1", (192, 192, 3, 3)),
    ("mixed_6a.branch1.2", (256, 192, 3, 3)),
]
BLOCK17 = [
    ("branch0", (128, 896, 1, 1)),
    ("branch1.0", (128, 896, 1, 1)),
    ("branch1.1", (128, 128, 1, 7)),
    ("branch1.2", (128, 128, 7, 1)),
]
MIXED_7A = [
    ("mixed_7a.branch0.0", (256, 896, 1, 1)),
    ("mixed_7a.branch0.1", (384, 256, 3, 3)),
    ("mixed_7a.branch1.0", (256, 896, 1, 1)),
    ("mixed_7a.branch1.1", (256, 256, 3, 3)),
    ("mixed_7a.branch2.0", (256, 896, 1, 1)),
    ("mixed_7a.branch2.1", (256, 256, 3, 3)),
    ("mixed_7a.branch2.2", (256, 256, 3, 3)),
]
BLOCK8 = [
    ("branch0", (192, 1792, 1, 1)),
    ("branch1.0", (192, 1792, 1, 1)),
    ("branch1.1", (192, 192, 1, 3)),
    ("branch1.2", (192, 192, 3, 1)),
]
# (path, branches, shape of the joining convolution)
BLOCKS = [
    *((f"repeat_1.{k}", BLOCK35, (256, 96, 1, 1)) for k in range(5)),
    *((f"repeat_2.{k}", BLOCK17, (896, 256, 1, 1)) for k in range(10)),
    *((f"repeat_3.{k}", BLOCK8, (1792, 384, 1, 1)) for k in range(5)),
    ("block8", BLOCK8, (1792, 384, 1, 1)),
]


def manifest(classes: int) -> dict[str, Shape]:
    """Names and shapes of the public state dict."""
    found: dict[str, Shape] = {}
    norms = ["last_bn"]
    widths = {"last_bn": 512}
    normed = [*STEM, *MIXED_6A, *MIXED_7A]
    for path, branches, joined in BLOCKS:
        normed += [(f"{path}.{name}", shape) for name, shape in branches]
        found |= {f"{path}.conv2d.weight": joined, f"{path}.conv2d.bias": joined[:1]}
    for path, shape in normed:
        found[f"{path}.conv.weight"] = shape
        norms.append(f"{path}.bn")
        widths[f"{path}.bn"] = shape[0]
    for norm in norms:
        parts = ("weight", "bias", "running_mean", "running_var")
        found |= {f"{norm}.{part}": (widths[norm],) for part in parts}
        found[f"{norm}.num_batches_tracked"] = ()
    found["last_linear.weight"] = (512, 1792)
    return found | {"logits.weight": (classes, 512), "logits.bias": (classes,)}


State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    """Random weights in the public layout, scaled so that every layer matters."""
    generator = torch.Generator().manual_seed(0)
    result: State = {}
    for name, shape in manifest(8631).items():
        if name.endswith("num_batches_tracked"):
            result[name] = torch.tensor(7)
        elif name.endswith(("running_var", "bn.weight")):
            result[name] = 0.5 + torch.rand(shape, generator=generator)
        elif len(shape) == 1:
            result[name] = 0.2 * torch.randn(shape, generator=generator)
        else:
            fan = shape[1] * (shape[2] * shape[3] if len(shape) == 4 else 1)
            result[name] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
    return result


def conv(state: State, path: str, x: Tensor, *, stride: int = 1, same: bool = False) -> Tensor:
    weight = state[f"{path}.conv.weight"].double()
    padding = [side // 2 for side in weight.shape[2:]] if same else [0, 0]
    y = F.conv2d(x, weight, None, stride, padding)
    return F.relu(norm(state, f"{path}.bn", y))


def norm(state: State, path: str, x: Tensor) -> Tensor:
    mean, variance, gamma, beta = (
        state[f"{path}.{part}"].double()
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, gamma, beta, training=False, eps=1e-3)


def block(state: State, path: str, x: Tensor, *, scale: float, relu: bool = True) -> Tensor:
    names = {name.removeprefix(path + ".") for name in state if name.startswith(path + ".branch")}
    outputs = [conv(state, f"{path}.branch0", x)]
    for branch in sorted({name.split(".")[0] for name in names} - {"branch0"}):
        y = x
        for step in sorted({name.split(".")[1] for name in names if name.startswith(branch)}):
            y = conv(state, f"{path}.{branch}.{step}", y, same=True)
        outputs.append(y)
    weight, bias = (state[f"{path}.conv2d.{part}"].double() for part in ("weight", "bias"))
    y = x + scale * F.conv2d(torch.cat(outputs, 1), weight, bias)
    return F.relu(y) if relu else y


def straightforward(state: State, x: Tensor) -> Tensor:
    """The published network in float64, layer by layer, nothing folded."""
    y = conv(state, "conv2d_1a", x, stride=2)
    y = conv(state, "conv2d_2b", conv(state, "conv2d_2a", y), same=True)
    y = conv(state, "conv2d_3b", F.max_pool2d(y, 3, 2))
    y = conv(state, "conv2d_4b", conv(state, "conv2d_4a", y), stride=2)
    for k in range(5):
        y = block(state, f"repeat_1.{k}", y, scale=0.17)
    middle = conv(state, "mixed_6a.branch1.1", conv(state, "mixed_6a.branch1.0", y), same=True)
    y = torch.cat(
        [
            conv(state, "mixed_6a.branch0", y, stride=2),
            conv(state, "mixed_6a.branch1.2", middle, stride=2),
            F.max_pool2d(y, 3, 2),
        ],
        1,
    )
    for k in range(10):
        y = block(state, f"repeat_2.{k}", y, scale=0.10)
    heads = [conv(state, f"mixed_7a.branch{k}.0", y) for k in range(3)]
    heads[2] = conv(state, "mixed_7a.branch2.1", heads[2], same=True)
    last = ("branch0.1", "branch1.1", "branch2.2")
    ends = [
        conv(state, f"mixed_7a.{name}", head, stride=2)
        for name, head in zip(last, heads, strict=True)
    ]
    y = torch.cat([*ends, F.max_pool2d(y, 3, 2)], 1)
    for k in range(5):
        y = block(state, f"repeat_3.{k}", y, scale=0.20)
    y = block(state, "block8", y, scale=1.0, relu=False).mean((2, 3))
    return norm(state, "last_bn", y @ state["last_linear.weight"].double().T)


@pytest.fixture(scope="module")
def images() -> Tensor:
    """(2, 3, 112, 112) in [0, 1]."""
    return torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network(state: State) -> InceptionResnetV1:
    built = build()
    built.load(state)
    return built


def test_the_table_has_the_published_number_of_parameters() -> None:
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    sizes = {
        name: torch.Size(shape).numel()
        for name, shape in manifest(8631).items()
        if not name.endswith(buffers)
    }
    assert sum(sizes.values()) == 27_910_327
    assert sum(n for name, n in sizes.items() if not name.startswith("logits")) == 23_482_624


def test_folded_network_equals_the_unfolded_computation(
    network: InceptionResnetV1, state: State, images: Tensor
) -> None:
    x = F.interpolate(images, (160, 160), mode="bilinear") * 2 - 1
    with torch.inference_mode():
        raw = network(x)
        expected = straightforward(state, x.double())
    assert raw.shape == (2, 512)
    assert float(expected.std()) > 0.1  # the embedding is not the last bias alone
    assert float((expected[0] - expected[1]).abs().max()) > 0.01
    distance = F.normalize(raw.double()) - F.normalize(expected)
    assert float(distance.abs().max()) < 1e-5


def test_every_scale_and_layer_counts(
    network: InceptionResnetV1, state: State, images: Tensor
) -> None:
    """A changed tensor changes the raw output, so none of them is read into nowhere."""
    x = F.interpolate(images[:1], (160, 160), mode="bilinear") * 2 - 1
    with torch.inference_mode():
        before = network(x)
        for name in ("conv2d_1a.bn.running_mean", "repeat_2.9.conv2d.bias", "last_bn.running_var"):
            other = build()
            other.load(state | {name: state[name] + 0.5})
            assert float((other(x) - before).abs().max()) > 1e-4


def test_recogniser_from_a_file(state: State, images: Tensor, tmp_path: Path) -> None:
    spec = get_spec("facenet-vggface2")
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    network = build_network(spec, (path,))
    assert isinstance(network, InceptionResnetV1)
    assert network.macs == spec.macs
    assert sum(p.numel() for p in network.parameters()) == spec.parameters
    recognizer = Recognizer(spec, network)
    x = images.clone().requires_grad_()
    embeddings = recognizer.embed(x)
    enlarged = F.interpolate(images, (160, 160), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        expected = straightforward(state, ((enlarged * 255 - 127.5) / 128).double())
    assert torch.allclose(embeddings.double(), F.normalize(expected), atol=1e-5)
    (gradient,) = torch.autograd.grad(embeddings[:, 0].sum(), x)
    assert bool(gradient.isfinite().all())
    assert bool((gradient.flatten(1).abs().amax(1) > 0).all())


@pytest.mark.parametrize("classes", [8631, 10575])
def test_key_manifest_is_exact(classes: int) -> None:
    """Every tensor of the table is read or known to be of no use, and no other is."""
    table = {name: torch.ones(shape) for name, shape in manifest(classes).items()}
    build().load(table)
    free = {name for name in table if name.endswith("num_batches_tracked")}
    free |= {"logits.weight", "logits.bias"}
    network = build()
    missing = sorted(set(table) - free)
    for name in (missing[0], missing[len(missing) // 2], missing[-1]):
        with pytest.raises(WeightsError, match=f"has no {name}"):
            network.load({key: value for key, value in table.items() if key != name})
    with pytest.raises(WeightsError, match=r"has repeat_1\.5\.branch0\.conv\.weight, which is not"):
        network.load(table | {"repeat_1.5.branch0.conv.weight": torch.ones(32, 256, 1, 1)})
    with pytest.raises(WeightsError, match=r"shape \(128, 128, 7, 1\), not \(128, 128, 1, 7\)"):
        network.load(table | {"repeat_2.0.branch1.1.conv.weight": torch.ones(128, 128, 7, 1)})
    with pytest.raises(WeightsError, match="negative variance in conv2d_1a"):
        network.load(table | {"conv2d_1a.bn.running_var": -torch.ones(32)})


class _Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch evil",)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (pickle.dumps(_Evil(), protocol=2), "no PyTorch state dict"),
        (b"", "no PyTorch state dict"),
        (b"<html>not found</html>", "no PyTorch state dict"),
        (pickle.dumps({"a": 1}, protocol=2), "state dict"),
    ],
    ids=["code", "empty", "page", "plain pickle"],
)
def test_other_files_are_refused(
    content: bytes, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=word):
        read_state_dict(path)
    assert not (tmp_path / "evil").exists()


def test_tables_that_are_no_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    for value, word in (
        ([torch.ones(1)], "no table of tensors"),
        ({}, "no table of tensors"),
        ({"epoch": 3}, "'epoch', which is no named tensor"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a has values that are not finite"),
    ):
        torch.save(value, path)
        with pytest.raises(WeightsError, match=word):
            read_state_dict(path)
    torch.save({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(WeightsError, match="no PyTorch state dict"):
        read_state_dict(path)


def test_the_entries_differ_in_the_file_only() -> None:
    first, second = get_spec("facenet-vggface2"), get_spec("facenet-casia")
    assert (
        dataclasses.replace(
            first,
            name=second.name,
            source=second.source,
            training_set=second.training_set,
            notes=second.notes,
        )
        == second
    )
    assert first.source.files[0].name == "20180402-114759-vggface2.pt"
    assert second.source.files[0].name == "20180408-102900-casia-webface.pt"
