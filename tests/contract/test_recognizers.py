"""What every registered recogniser must do; a new entry is tested because it exists."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.recognizers.conftest import load_or_skip, read_faces
from veilface.errors import DeviceError, ShapeError
from veilface.recognizers import RECOGNIZERS, Recognizer, load_recognizer
from veilface.recognizers.building import build_network
from veilface.weights import store

NAMES = list(RECOGNIZERS)


@pytest.fixture(params=NAMES)
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    name: str = request.param
    return load_or_skip(name)


def need_calibration(recognizer: Recognizer) -> None:
    if recognizer.spec.calibration is None:
        pytest.skip(f"{recognizer.name} is not calibrated")


@pytest.fixture(scope="module")
def images() -> Tensor:
    """(3, 3, 112, 112) in [0, 1]: smooth coloured patterns, which no network finds dead."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 112), torch.linspace(-1, 1, 112), indexing="ij")
    planes = []
    for k in range(9):
        wave = torch.sin((k + 2) * x + 1.3 * k) * torch.cos((9 - k) * y - 0.7 * k)
        planes.append(0.5 + 0.3 * wave - 0.2 * (x**2 + y**2) * (k % 3) / 2)
    return torch.stack(planes).clamp(0, 1).view(3, 3, 112, 112)


def test_unit_vectors_of_the_stated_width(recognizer: Recognizer, images: Tensor) -> None:
    embeddings = recognizer.embed(images)
    assert embeddings.shape == (3, recognizer.spec.dim)
    assert embeddings.dtype == images.dtype
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.equal(recognizer(images), embeddings)


def test_gradient_reaches_the_pixels(recognizer: Recognizer, images: Tensor) -> None:
    x = images.clone().requires_grad_()
    goal = recognizer.embed(images.flip(0)).detach()
    (gradient,) = torch.autograd.grad((recognizer.embed(x) * goal).sum(), x)
    assert bool(gradient.isfinite().all())
    assert bool((gradient.flatten(1).abs().amax(1) > 0).all())
    # A step along the gradient does what it promises.
    with torch.inference_mode():
        before = (recognizer.embed(images) * goal).sum(1)
        after = (recognizer.embed((images + gradient.sign() / 255).clamp(0, 1)) * goal).sum(1)
    assert bool((after > before)[[0, 2]].all())  # the middle image is its own goal


def test_parameters_are_frozen(recognizer: Recognizer) -> None:
    assert not any(parameter.requires_grad for parameter in recognizer.parameters())
    assert not recognizer.training


def test_batch_equals_singles(recognizer: Recognizer, images: Tensor) -> None:
    with torch.inference_mode():
        batch = recognizer.embed(images)
        singles = torch.cat([recognizer.embed(image[None]) for image in images])
    assert torch.allclose(batch, singles, atol=2e-6)


def test_same_image_same_embedding(recognizer: Recognizer, images: Tensor) -> None:
    with torch.inference_mode():
        assert torch.equal(recognizer.embed(images), recognizer.embed(images.clone()))


def test_grad_mode_does_not_change_the_result(recognizer: Recognizer, images: Tensor) -> None:
    with torch.inference_mode():
        plain = recognizer.embed(images)
    assert torch.allclose(recognizer.embed(images.clone().requires_grad_()), plain, atol=1e-6)


def test_memory_format_does_not_matter(recognizer: Recognizer, images: Tensor) -> None:
    other = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.allclose(recognizer.embed(other), recognizer.embed(images), atol=1e-6)


def test_double_precision(recognizer: Recognizer, images: Tensor) -> None:
    exact = load_recognizer(recognizer.name, dtype=torch.float64)
    with torch.inference_mode():
        difference = exact.embed(images.double()) - recognizer.embed(images)
    assert difference.dtype == torch.float64
    assert float(difference.abs().max()) < 1e-5


def test_gradient_against_differences(recognizer: Recognizer, images: Tensor) -> None:
    """Directional derivative in float64: the custom backward passes are right together."""
    exact = load_recognizer(recognizer.name, dtype=torch.float64)
    image = images[:1].double()
    generator = torch.Generator().manual_seed(0)
    goal = torch.randn(recognizer.spec.dim, generator=generator, dtype=torch.float64)
    direction = torch.randn(image.shape, generator=generator, dtype=torch.float64)
    x = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((exact.embed(x) @ goal).sum(), x)
    step = 1e-9  # larger steps cross kinks of the activations
    with torch.inference_mode():
        ends = [exact.embed(image + sign * step * direction) @ goal for sign in (1, -1)]
    measured = float((ends[0] - ends[1]).sum()) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(measured, rel=1e-5)


def test_wrong_input_is_refused(recognizer: Recognizer, images: Tensor) -> None:
    for bad in (images[0], images[:, :1], images[:, :, :100], images.double(), images.byte()):
        with pytest.raises(ShapeError, match=rf"{recognizer.name} embeds \(N, 3, 112, 112\)"):
            recognizer.embed(bad)


def test_empty_batch(recognizer: Recognizer) -> None:
    assert recognizer.embed(torch.zeros(0, 3, 112, 112)).shape == (0, recognizer.spec.dim)


def test_spec_tells_the_truth(recognizer: Recognizer) -> None:
    spec = recognizer.spec
    network = build_network(spec, store.locate(spec))
    assert network.macs == spec.macs
    for path, file in zip(store.paths(spec), spec.source.files, strict=True):
        size = path.stat().st_size
        assert size <= file.limit
        assert file.size in (None, size)


def test_centre_is_shipped(recognizer: Recognizer) -> None:
    """Its length squared is about the mean cosine of different people."""
    need_calibration(recognizer)
    assert recognizer.has_centre
    assert recognizer.centre.shape == (recognizer.spec.dim,)
    impostor = recognizer.spec.impostor_mean
    assert float(recognizer.centre @ recognizer.centre) == pytest.approx(impostor, abs=0.06)


def test_absent_device_is_refused(recognizer: Recognizer) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(DeviceError, match="cuda"):
        load_recognizer(recognizer.name, device="cuda")


def test_gpu_agrees(recognizer: Recognizer, images: Tensor) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    there = load_recognizer(recognizer.name, device="cuda", dtype=torch.float64)
    exact = load_recognizer(recognizer.name, dtype=torch.float64)
    with torch.inference_mode():
        found = there.embed(images.double().cuda()).cpu()
        assert torch.allclose(found, exact.embed(images.double()), atol=1e-9)


@pytest.fixture(scope="module")
def people(lfw: Path) -> Tensor:
    """(24, 2, 3, 112, 112): two photographs each of people spread over the alphabet."""
    folders = [f for f in sorted(lfw.iterdir()) if f.is_dir() and len(list(f.glob("*.jpg"))) > 1]
    files = [sorted(folder.glob("*.jpg"))[k] for folder in folders[::64][:24] for k in (0, 1)]
    return read_faces(files).view(-1, 2, 3, 112, 112) / 255


@pytest.mark.data
def test_genuine_above_impostor(recognizer: Recognizer, people: Tensor) -> None:
    need_calibration(recognizer)
    with torch.inference_mode():
        first, second = recognizer.embed(people[:, 0]), recognizer.embed(people[:, 1])
    scores = first @ second.T
    same = torch.eye(len(people), dtype=torch.bool)
    genuine, impostor = scores[same], scores[~same]
    assert float(genuine.mean()) > float(impostor.max(dim=0).values.mean())
    threshold = recognizer.spec.threshold(1e-2)
    assert float((genuine > threshold).float().mean()) > 0.75
    assert float((impostor > threshold).float().mean()) < 0.05


@pytest.mark.data
def test_flipped_and_brighter_faces_are_the_same_person(
    recognizer: Recognizer, people: Tensor
) -> None:
    need_calibration(recognizer)
    faces = people[:, 0]
    with torch.inference_mode():
        source = recognizer.embed(faces)
        flipped = (source * recognizer.embed(faces.flip(3))).sum(1)
        brighter = (source * recognizer.embed((faces * 1.1).clamp(0, 1))).sum(1)
    assert bool((flipped > recognizer.spec.threshold(1e-3)).all())
    assert bool((brighter > recognizer.spec.threshold(1e-3)).all())


@pytest.mark.data
def test_channel_order_matters(recognizer: Recognizer, people: Tensor) -> None:
    """Red and blue exchanged move the embedding, and never bring it closer to the person."""
    with torch.inference_mode():
        source = recognizer.embed(people[:, 0])
        exchanged = recognizer.embed(people[:, 0].flip(1))
    assert float((source - exchanged).abs().max()) > 1e-3


@pytest.mark.data
def test_pixels_outside_the_crop_do_not_count(recognizer: Recognizer, people: Tensor) -> None:
    left, top, side = recognizer.spec.preprocessing.crop
    if (left, top, side) == (0.0, 0.0, 112.0):
        pytest.skip("reads the whole aligned face")
    faces = people[:4, 0]
    changed = 1 - faces
    rows = slice(int(top - 0.5), None)
    columns = slice(int(left - 0.5), int(left + side + 0.5) + 1)
    changed[:, :, rows, columns] = faces[:, :, rows, columns]
    assert float((changed != faces).float().mean()) > 0.25
    with torch.inference_mode():
        assert torch.equal(recognizer.embed(changed), recognizer.embed(faces))
