"""DuetFace's two parties: masks, what they do to the server, and what each training changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from tests.fixtures.faces import synthetic_faces
from veilface.protectors.duetface.network import SIDES, Client, Server, face_region
from veilface.protectors.duetface.protector import DuetFace
from veilface.protectors.duetface.transform import split
from veilface.training.mobilefacenet import MobileFaceNet

WIDTH = 1 / 8


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_the_client_s_maps_have_the_shapes_of_its_source() -> None:
    network = MobileFaceNet(30).eval()
    with torch.no_grad():
        maps = network.maps(torch.rand(1, 30, 112, 112))
    shapes = [tuple(found.shape[1:]) for found in maps]
    assert shapes == [(64, 28, 28), (128, 14, 14), (128, 7, 7), (512, 7, 7)]
    assert sum(found[0].numel() for found in maps) == 106_624
    assert [len(list(units.children())) for units in network.units] == [4, 6, 2]


def test_masks_lie_on_the_face_and_count_as_sent() -> None:
    faces = synthetic_faces(2)
    client = Client(width=WIDTH).eval()
    made = DuetFace(client).protect(faces)
    assert [mask.shape for mask in made.hints] == [(2, 1, side, side) for side in SIDES]
    assert made.transmitted_bytes == 4 * (162 * 112 * 112 + 4_165)
    for mask, side in zip(made.hints, SIDES, strict=True):
        assert float(mask.min()) == 0
        assert float(mask.amax(dim=(1, 2, 3)).min()) == pytest.approx(1, abs=1e-5)
        outside = face_region(side).expand_as(mask) == 0
        assert float(mask[outside].abs().max()) == 0
    # The original draws the weights of these convolutions anew in each call.
    again = DuetFace(client).protect(faces.flip(0))
    for first, second in zip(made.hints, again.hints, strict=True):
        torch.testing.assert_close(first, second.flip(0), atol=1e-4, rtol=1e-4)


def test_the_mean_of_many_channels_is_one_convolution() -> None:
    """What the original does: resize, convolve to the server's channels, take their mean."""
    client = Client(width=WIDTH).eval()
    mine = split(synthetic_faces(1))[0]
    many = torch.nn.Conv2d(client.network.widths[1], 6, 1)
    client.heads[1].load_state_dict({"weight": many.weight.mean(dim=0, keepdim=True)})
    with torch.no_grad():
        found = client.network.maps(mine)[1]
        wide = F.interpolate(found, size=(28, 28), mode="bilinear")
        raw = many(wide).mean(dim=1, keepdim=True)
        span = raw.max() - raw.min()
        cut = (raw - raw.min()) / span * face_region(28)
        torch.testing.assert_close(client(mine)[1], cut / cut.max(), atol=1e-4, rtol=1e-4)


def test_a_mask_with_nothing_to_say_is_no_division_by_zero() -> None:
    client = Client(width=WIDTH).eval()
    for parameter in client.heads.parameters():
        torch.nn.init.zeros_(parameter)
    masks = client(split(synthetic_faces(1))[0])
    assert all(bool(mask.isfinite().all()) for mask in masks)


def test_masks_matter_as_soon_as_their_strength_is_learnt() -> None:
    server = Server(width=WIDTH).eval()
    sent = split(synthetic_faces(2))[1]
    dark = [torch.zeros(2, 1, side, side) for side in SIDES]
    bright = [torch.rand(2, 1, side, side) for side in SIDES]
    with torch.no_grad():
        first = server(sent, *dark)
        assert torch.equal(first, server(sent, *bright))
        server.strength.fill_(0.5)
        assert torch.allclose(first, server(sent, *dark), atol=1e-6)
        assert not torch.allclose(first, server(sent, *bright), atol=1e-3)
    assert torch.allclose(first.norm(dim=1), torch.ones(2), atol=1e-5)


def test_a_stage_is_brightened_where_its_mask_says_so() -> None:
    server = Server(width=WIDTH).eval()
    with torch.no_grad():
        server.strength.copy_(torch.tensor([0.7, 0, 0, 0]))
    inputs: list[torch.Tensor] = []
    units = list(server.network.units)
    units[2].register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    units[1].register_forward_hook(lambda _m, _i, out: inputs.append(out))
    mask = torch.rand(1, 1, 56, 56)
    rest = [torch.zeros(1, 1, side, side) for side in SIDES[1:]]
    with torch.no_grad():
        server(split(synthetic_faces(1))[1], mask, *rest)
    before, after = inputs
    torch.testing.assert_close(after, before.sigmoid() * (1 + 0.7 * mask))


def test_the_second_training_leaves_the_client_s_network_alone() -> None:
    client = Client(width=WIDTH)
    client.network.requires_grad_(requires_grad=False)
    client.train()
    assert client.heads.training
    assert not any(module.training for module in client.network.modules())
    kept = {name: value.clone() for name, value in client.network.state_dict().items()}
    server = Server(width=WIDTH).train()
    with torch.no_grad():
        server.strength.fill_(0.5)
    mine, sent = split(synthetic_faces(4))
    server(sent, *client(mine))[:, 0].sum().backward()
    for name, value in client.network.state_dict().items():
        assert torch.equal(value, kept[name])
    for parameter in client.heads.parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.any())
