"""Photos of every kind that is read."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, ImageOps

from tests.fixtures.images import file_of, gradient, png16, with_orientation
from veilface.imaging.decode import decode_photo, load_photo


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("PNG", {"bits": 8})],
)
def test_lossless_files_decode_exactly(kind: str, options: dict[str, object]) -> None:
    photo = decode_photo(file_of(gradient(), kind, **options), name="x")
    assert np.array_equal(photo.pixels, gradient())
    assert photo.pixels.dtype == np.uint8
    assert not photo.pixels.flags.writeable
    assert (photo.grey, photo.alpha, photo.mark) == (False, None, None)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:4:4"}])
def test_jpeg_is_close(options: dict[str, object]) -> None:
    photo = decode_photo(file_of(gradient(), "JPEG", quality=95, **options), name="x")
    assert np.abs(photo.pixels.astype(int) - gradient()).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_orientation_is_applied_and_agrees_with_pillow(kind: str, orientation: int) -> None:
    data = with_orientation(gradient(), orientation, kind)
    # The oracle turns the stored pixels itself, so that a decoder that turns cannot hide.
    bare = Image.fromarray(decode_photo(file_of(gradient(), kind), name="x").pixels)
    bare.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(bare))
    assert np.array_equal(decode_photo(data, name="x").pixels, expected)
    assert expected.shape[:2] == ((64, 48) if orientation > 4 else (48, 64))


@pytest.mark.parametrize("orientation", [0, 9, 70])
def test_unknown_orientations_mean_upright(orientation: int) -> None:
    photo = decode_photo(with_orientation(gradient(), orientation), name="x")
    assert np.array_equal(photo.pixels, gradient())


@pytest.mark.filterwarnings("error")
def test_damaged_exif_means_upright() -> None:
    data = file_of(gradient(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert np.array_equal(decode_photo(data, name="x").pixels, gradient())


def test_alpha_is_turned_with_the_pixels() -> None:
    rgba = np.dstack([gradient(), gradient()[:, :, 0]])
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = decode_photo(file_of(rgba, "PNG", exif=exif.tobytes()), name="x")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, photo.pixels[:, :, 0])
    assert photo.alpha.shape == (64, 48)


def test_one_pixel_is_a_photo() -> None:
    photo = decode_photo(file_of(gradient(1, 1), "PNG"), name="x")
    assert photo.pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey_photos_are_known_as_grey(mode: str) -> None:
    image = Image.fromarray(gradient()).convert(mode)
    photo = decode_photo(file_of(image, "PNG"), name="x")
    assert photo.grey
    assert np.array_equal(photo.pixels, np.asarray(image.convert("RGB")))
    assert photo.like(photo.pixels).shape == photo.pixels.shape[:2]
    assert np.array_equal(photo.like(photo.pixels), photo.pixels[:, :, 0])


def test_grey_pixels_in_a_colour_file_are_grey() -> None:
    grey = np.repeat(gradient()[:, :, :1], 3, axis=2)
    assert decode_photo(file_of(grey, "JPEG"), name="x").grey
    assert not decode_photo(file_of(gradient(), "JPEG"), name="x").grey


def test_grey_with_alpha() -> None:
    image = np.dstack([gradient()[:, :, 0], gradient()[:, :, 1]])
    photo = decode_photo(file_of(Image.fromarray(image, "LA"), "PNG"), name="x")
    assert photo.grey
    assert np.array_equal(photo.like(photo.pixels), image)


def test_palette_with_transparency() -> None:
    image = Image.fromarray(gradient()).quantize(8)
    photo = decode_photo(file_of(image, "PNG", transparency=bytes([0, 128] + [255] * 6)), name="x")
    indices = np.asarray(image)
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, np.array([0, 128] + [255] * 6, np.uint8)[indices])
    assert np.array_equal(photo.pixels, np.asarray(image.convert("RGB")))


def test_opaque_alpha_counts_as_none() -> None:
    rgba = np.dstack([gradient(), np.full((48, 64), 255, np.uint8)])
    photo = decode_photo(file_of(rgba, "PNG"), name="x")
    assert photo.alpha is None
    assert np.array_equal(photo.pixels, gradient())


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(kind: str) -> None:
    values = np.linspace(0, 65535, 256 * 5).round().astype(np.uint16).reshape(5, 256)
    data = png16(values) if kind == "PNG" else file_of(Image.fromarray(values), "TIFF")
    photo = decode_photo(data, name="x")
    assert np.array_equal(photo.pixels[:, :, 0], (values / 257).round().astype(np.uint8))
    assert photo.grey


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_colour_is_scaled(channels: int) -> None:
    values = np.linspace(0, 65535, 40 * 16 * channels).astype(np.uint16)
    values = values.reshape(16, 40, channels)
    photo = decode_photo(png16(values), name="x")
    wanted = values[:, :, [0, 0, 0]] if channels == 2 else values[:, :, :3]
    assert np.abs(photo.pixels - wanted / 257).max() <= 1
    if channels in (2, 4):
        assert photo.alpha is not None
        assert np.abs(photo.alpha - values[:, :, -1] / 257).max() <= 1


def test_cmyk_jpeg() -> None:
    image = Image.new("CMYK", (32, 32), (0, 255, 255, 0))  # red
    photo = decode_photo(file_of(image, "JPEG", quality=95), name="x")
    red, green, blue = photo.pixels.reshape(-1, 3).mean(0)
    assert red > 240
    assert green < 30
    assert blue < 30


def test_a_jpeg_with_previews_behind_it_is_a_photo() -> None:
    """Phones write MPO: a JPEG with further images; only the first is the photo."""
    preview = Image.fromarray(gradient(8, 8))
    data = file_of(gradient(), "MPO", save_all=True, append_images=[preview])
    assert decode_photo(data, name="x").pixels.shape == (48, 64, 3)


def test_colour_profiles_are_dropped_without_harm() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = decode_photo(file_of(gradient(), "PNG", icc_profile=profile), name="x")
    assert np.array_equal(photo.pixels, gradient())


def test_the_extension_plays_no_part(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(file_of(gradient(), "PNG"))
    assert np.array_equal(load_photo(path).pixels, gradient())


def test_pillow_settings_stay_and_nothing_warns() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode_photo(file_of(gradient(), "JPEG"), name="x")
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_repr_shows_no_pixels() -> None:
    assert "array" not in repr(decode_photo(file_of(gradient(), "PNG"), name="x"))
