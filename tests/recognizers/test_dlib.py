"""The reader of dlib's format and its network, on generated files, against plain PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.fixtures import dlib_file
from veilface.errors import WeightsError
from veilface.recognizers.networks.dlib_resnet import DlibResNet, add_extended
from veilface.recognizers.readers.dlib import read_dlib

Array = npt.NDArray[np.float64]


def small_file(rng: np.random.Generator) -> tuple[bytes, dict[str, Array]]:
    arrays = {
        "w": rng.normal(size=(4, 3, 3, 2)),
        "b": rng.normal(size=4),
        "scale": rng.normal(size=4),
        "shift": rng.normal(size=4),
        "fc": rng.normal(size=(5, 4)),
    }
    layers = [
        dlib_file.con(arrays["w"], arrays["b"], stride=2, padding=1),
        dlib_file.affine(arrays["scale"], arrays["shift"]),
        dlib_file.string("relu_"),
        dlib_file.pool("max_pool_2", 3, 2),
        dlib_file.string("add_prev_"),
        dlib_file.pool("avg_pool_2", 0, 1),
        dlib_file.fully_connected(arrays["fc"]),
    ]
    return dlib_file.network(layers), arrays


def save(data: bytes, folder: Path) -> Path:
    path = folder / "tiny.dat"
    path.write_bytes(data)
    return path


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    data, arrays = small_file(np.random.default_rng(0))
    model = read_dlib(save(data, tmp_path))
    assert model.mean == (122.75, 117.0, 104.5)
    assert model.size == (150, 150)
    kinds = ["con_4", "affine_", "relu_", "max_pool_2", "add_prev_", "avg_pool_2", "fc_2"]
    assert [layer.kind for layer in model.layers] == kinds
    con, affine, _, pool, _, mean, dense = model.layers
    assert (con.window, con.stride, con.padding) == ((3, 2), (2, 2), (1, 1))
    assert (pool.window, pool.stride) == ((3, 3), (2, 2))
    assert mean.window == (0, 0)
    for found, name in (
        (con.arrays["weight"], "w"),
        (con.arrays["bias"], "b"),
        (affine.arrays["scale"], "scale"),
        (affine.arrays["shift"], "shift"),
        (dense.arrays["weight"], "fc"),
    ):
        assert np.array_equal(found, arrays[name].astype(np.float32))


@pytest.mark.parametrize("value", [0, 1, -1, 127, 255, 256, -70_000, 2**40])
def test_integers(value: int, tmp_path: Path) -> None:
    """Through the only integers that a file carries without a check: the size of the input."""
    data = dlib_file.network([dlib_file.string("relu_")], size=(value, 5))
    assert read_dlib(save(data, tmp_path)).size == (value, 5)


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 1e-30, 122.782])
def test_reals(value: float, tmp_path: Path) -> None:
    data = dlib_file.network([dlib_file.string("relu_")], mean=(value, 0.0, 1.0))
    assert read_dlib(save(data, tmp_path)).mean[0] == value


def test_damage_is_named(tmp_path: Path) -> None:
    def fails(message: str, data: bytes) -> None:
        with pytest.raises(WeightsError, match=message):
            read_dlib(save(data, tmp_path))

    data, _ = small_file(np.random.default_rng(0))
    fails("3 bytes follow the last layer", data + b"abc")
    fails("unknown layer 'elu_'", dlib_file.network([dlib_file.string("elu_")]))
    fails("expected", data.replace(b"loss_metric_2", b"loss_metric_9"))
    huge = dlib_file.integer(2) + dlib_file.integer(2**40) * 4
    fails("are claimed", dlib_file.network([dlib_file.string("con_4") + huge]))
    negative = dlib_file.integer(2) + dlib_file.integer(-4) * 4
    fails("a tensor of shape", dlib_file.network([dlib_file.string("affine_") + negative]))
    cached = dlib_file.tensor(np.ones(1), (1, 1, 1, 1))
    fails("cached", data.replace(dlib_file.EMPTY, cached, 1))
    fails("begin an integer", b"\x19" + data[1:])


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data, _ = small_file(np.random.default_rng(0))
    for end in range(len(data)):
        with pytest.raises(WeightsError):
            read_dlib(save(data[:end], tmp_path))


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    data, _ = small_file(np.random.default_rng(0))
    with pytest.raises(WeightsError, match="where"):
        DlibResNet().load(read_dlib(save(data, tmp_path)))


def test_sum_of_different_shapes() -> None:
    first, second = torch.ones(1, 4, 3, 3), 10 * torch.ones(1, 2, 4, 2)
    total = add_extended(first, second)
    assert total.shape == (1, 4, 4, 3)
    assert total[0, 0].tolist() == [[11, 11, 1], [11, 11, 1], [11, 11, 1], [10, 10, 0]]
    assert total[0, 3].tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 0, 0]]


class Writer:
    """Writes a full network layer by layer and computes it beside, in float64."""

    def __init__(self, x: Tensor) -> None:
        self.rng = np.random.default_rng(0)
        self.layers: list[bytes] = []
        self.x = x

    def con(self, x: Tensor, out: int, kernel: int, stride: int, padding: int) -> Tensor:
        fan = x.shape[1] * kernel * kernel
        weight = self.rng.normal(size=(out, x.shape[1], kernel, kernel)) * (2 / fan) ** 0.5
        bias, scale = self.rng.normal(size=out) * 0.1, self.rng.uniform(0.5, 1.0, out)
        shift = self.rng.normal(size=out) * 0.1
        self.layers.append(dlib_file.con(weight, bias, stride=stride, padding=padding))
        self.layers.append(dlib_file.affine(scale, shift))
        y = F.conv2d(x, torch.from_numpy(weight), torch.from_numpy(bias), stride, padding)
        factors = torch.from_numpy(scale).view(1, -1, 1, 1), torch.from_numpy(shift)
        return y * factors[0] + factors[1].view(1, -1, 1, 1)

    def relu(self, x: Tensor) -> Tensor:
        self.layers.append(dlib_file.string("relu_"))
        return x.relu()

    def block(self, x: Tensor, width: int, *, halves: bool) -> Tensor:
        y = self.relu(self.con(x, width, 3, 2 if halves else 1, 0 if halves else 1))
        y = self.con(y, width, 3, 1, 1)
        if halves:
            self.layers.append(dlib_file.pool("avg_pool_2", 2, 2))
            x = F.avg_pool2d(x, 2, 2)
        side = max(x.shape[2], y.shape[2])
        total = torch.zeros(len(x), max(x.shape[1], y.shape[1]), side, side, dtype=x.dtype)
        for part in (x, y):
            total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
        self.layers.append(dlib_file.string("add_prev_"))
        return self.relu(total)


def test_the_network_computes_what_the_file_says(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 150, 150, generator=generator, dtype=torch.float64)
    writer = Writer(x)
    y = writer.relu(writer.con(x, 32, 7, 2, 0))
    writer.layers.append(dlib_file.pool("max_pool_2", 3, 2))
    y = F.max_pool2d(y, 3, 2)
    sides = []
    for width, halves in (
        *[(32, False)] * 3,
        (64, True),
        *[(64, False)] * 3,
        (128, True),
        *[(128, False)] * 2,
        (256, True),
        *[(256, False)] * 2,
        (256, True),
    ):
        y = writer.block(y, width, halves=halves)
        sides.append(y.shape[2])
    assert sides == [35, 35, 35, 17, 17, 17, 17, 8, 8, 8, 4, 4, 4, 2]
    weight = writer.rng.normal(size=(128, 256))
    writer.layers.append(dlib_file.pool("avg_pool_2", 0, 1))
    writer.layers.append(dlib_file.fully_connected(weight))
    expected = y.mean((2, 3)) @ torch.from_numpy(weight).T

    module = DlibResNet().double()
    module.load(read_dlib(save(dlib_file.network(writer.layers, passing=22), tmp_path)))
    with torch.inference_mode():
        found = module(x)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert module.macs == 270_854_144
