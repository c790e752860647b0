"""DuetFace's split of channels."""

from __future__ import annotations

import torch

from tests.fixtures.faces import synthetic_faces
from veilface.protectors.dct.front_end import encode
from veilface.protectors.duetface.protector import DuetFace
from veilface.protectors.duetface.transform import CLIENT, SERVER, server_picture, split


def test_client_and_server_share_all_channels_in_ascending_order() -> None:
    """The original takes them out of a set, whose order is nobody's promise."""
    assert sorted({*CLIENT, *SERVER}) == list(range(64))
    assert list(SERVER) == sorted(SERVER)
    client, server = split(synthetic_faces(1))
    assert (client.shape[1], server.shape[1]) == (30, 162)
    channels = encode(synthetic_faces(1))
    for plane in range(3):
        for place, frequency in ((0, 6), (8, 17), (53, 63)):
            assert SERVER[place] == frequency
            wanted = channels[:, 64 * plane + frequency]
            assert torch.equal(server[:, 54 * plane + place], wanted)


def test_client_has_the_channels_of_most_energy() -> None:
    energy = encode(synthetic_faces(8))[:, :64].square().mean(dim=(0, 2, 3))
    client, _ = split(synthetic_faces(8))
    assert set(CLIENT[:3]) <= set(energy.topk(10).indices.tolist())
    assert float(client[:, :10].square().sum() / energy.sum()) > 0.99


def test_the_picture_shows_the_server_channels_and_nothing_else() -> None:
    """The original's padding empties the channels that it should keep, and assumes 112 pixels."""
    x = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    client, server = split(x)
    empty = server_picture(torch.zeros_like(server))
    assert torch.allclose(empty, torch.tensor(128 / 255))
    whole = encode(x)
    whole.view(1, 3, 64, 40, 40)[:, :, list(CLIENT)] = 0
    from veilface.protectors.dct.front_end import decode

    torch.testing.assert_close(server_picture(server), decode(whole))
    assert client.shape[-1] == 40


def test_one_channel_shows_at_its_true_place() -> None:
    """A single channel (0, 6) is a wave across columns in every block: rows stay equal."""
    server = torch.zeros(1, 162, 112, 112)
    server[:, 0] = 100  # frequency 6 of luma
    picture = server_picture(server) - 128 / 255
    assert float(picture.abs().max()) > 1e-3
    assert float(picture.diff(dim=2).abs().max()) < 1e-5, "no vertical frequency"
    assert float((picture[:, 0] - picture[:, 2]).abs().max()) < 1e-5, "no colour"


def test_unstretched_it_is_a_grey_card() -> None:
    """Why the rule of `display` is stated: a standard deviation of a quarter of a grey level."""
    protected = DuetFace().protect(synthetic_faces(2))
    assert protected.picture is not None
    assert float(protected.picture.std(dim=(1, 2, 3)).max()) * 255 < 1
    assert float(protected.images.std()) * 255 > 5
    assert protected.degenerate is not None
    assert not protected.degenerate.any()
