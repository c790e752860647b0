"""Linear inversion: the operator against the front end, what comes back, whose secret it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.fixtures.faces import synthetic_faces
from veilface.attacks.channels import CANDIDATES
from veilface.attacks.linear import System, invert
from veilface.errors import ShapeError
from veilface.imaging.ycbcr import to_centred_ycbcr
from veilface.measures.metrics import psnr, ssim
from veilface.protectors.dct.front_end import PLANES, encode, pick
from veilface.protectors.duetface.transform import SERVER
from veilface.protectors.partialface.protector import PartialFace
from veilface.protectors.partialface.transform import variants

SIDE = 112


def _channels(faces: Tensor, frequencies: tuple[int, ...]) -> Tensor:
    return pick(encode(faces.double()), torch.tensor(frequencies))


def test_the_operator_is_that_of_the_front_end() -> None:
    """<A y, F> = <y, Aᵀ F>, and Aᵀ A y = Aᵀ(A y), with A y from the front end itself."""
    frequencies = (3, 9, 24, 55, 8)
    face = synthetic_faces(1).double()
    system = System(frequencies, side=SIDE, like=face)
    sent = _channels(face, frequencies).view(1, PLANES, len(frequencies), SIDE, SIDE)
    noise = torch.randn(sent.shape, generator=torch.Generator().manual_seed(0)).double()
    at = torch.arange(SIDE, dtype=torch.float64)
    waves = torch.cos(torch.pi / SIDE * (at + 0.5) * at[:, None])
    waves = waves / waves.norm(dim=1, keepdim=True)
    planes = waves @ to_centred_ycbcr(face) @ waves.T
    torch.testing.assert_close((sent * noise).sum(), (planes * system.adjoint(noise)).sum())
    torch.testing.assert_close(system.normal(planes), system.adjoint(sent))


def test_all_frequencies_give_the_face_back() -> None:
    face = synthetic_faces(2)
    found = invert(_channels(face, tuple(range(64))), [tuple(range(64))])
    assert float(psnr(found.images.float(), face).min()) > 50
    assert float(found.residual.max()) < 1e-3


def test_what_duetface_sends_holds_all_but_the_mean_colour() -> None:
    """The ten strongest frequencies are not missed: with the right mean nothing is left to want."""
    face = synthetic_faces(3)
    sent = _channels(face, SERVER)
    from_grey = invert(sent, [SERVER]).images.float()
    shift = (face - from_grey).mean(dim=(2, 3), keepdim=True)
    assert float(ssim((from_grey + shift).clamp(0, 1), face).min()) > 0.95
    noisy = sent + 0.01 * torch.randn(sent.shape, generator=torch.Generator().manual_seed(1))
    again = invert(noisy, [SERVER]).images.float()
    torch.testing.assert_close(again, from_grey, atol=0.05, rtol=0)


def test_what_no_channel_tells_stays_as_it_was() -> None:
    """Frequency (1, 1) sees no plane that changes in one direction only."""
    ramp = torch.linspace(0.2, 0.8, SIDE).expand(3, SIDE, SIDE).contiguous()
    nothing = torch.zeros(1, 3, SIDE, SIDE)
    found = invert(nothing, [(9,)], start=ramp)
    torch.testing.assert_close(found.images[0], ramp, atol=1e-3, rtol=0)


def test_the_residual_finds_what_partialface_drew() -> None:
    faces = synthetic_faces(6)
    protected = PartialFace().protect(faces, generator=torch.Generator().manual_seed(2))
    assert protected.data is not None
    found = invert(protected.data, CANDIDATES["partialface"](), iterations=1)
    drawn = protected.secret["subset"] * variants().shape[1] + protected.secret["order"]
    assert found.candidate.tolist() == drawn.tolist()


def test_preconditioning_reaches_in_few_iterations_what_takes_many() -> None:
    face = synthetic_faces(1)
    sent = _channels(face, SERVER)
    quick = invert(sent, [SERVER], iterations=20).residual
    plain = invert(sent, [SERVER], iterations=60, preconditioned=False).residual
    assert float(quick) < 0.2 * float(plain)


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="do not fit"):
        invert(torch.zeros(1, 27, SIDE, SIDE), [(1, 2, 3)])
