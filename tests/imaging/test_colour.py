"""Colour profiles: converted to sRGB, in every format that carries them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.images import Pixels, file_of, gradient, png16
from tests.fixtures.profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    cmyk_profile,
    gamma,
    grey_profile,
    rgb_profile,
    srgb_curve,
)
from veilface.imaging.colour import to_srgb
from veilface.imaging.decode import decode_photo
from veilface.pipeline.photos import photo_of

P3 = rgb_profile(DISPLAY_P3, srgb_curve())
ADOBE = rgb_profile(ADOBE_RGB, gamma(563 / 256))
PRIMARIES = {  # x, y of red, green, blue; white is D65 for all of them
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "adobe": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),
    "srgb": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
}


def _to_xyz(name: str) -> np.ndarray:
    """Linear RGB to XYZ from chromaticities."""
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in PRIMARIES[name]]).T
    matrix: np.ndarray = columns * np.linalg.solve(columns, white)
    return matrix


def _linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _encoded(values: np.ndarray) -> np.ndarray:
    values = values.clip(0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def _expected(pixels: Pixels, name: str) -> np.ndarray:
    """The conversion by its textbook formula: from chromaticities, without a profile."""
    values = pixels / 255
    light = values ** (563 / 256) if name == "adobe" else _linear(values)
    matrix = np.linalg.solve(_to_xyz("srgb"), _to_xyz(name))
    return _encoded(light @ matrix.T) * 255


def _colours() -> Pixels:
    """Every combination of 18 levels."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(54, -1, 3)


@pytest.mark.parametrize(("profile", "name"), [(P3, "p3"), (ADOBE, "adobe")])
def test_conversion_agrees_with_the_formula(profile: bytes, name: str) -> None:
    photo = decode_photo(file_of(_colours(), "PNG", icc_profile=profile), name="x")
    error = np.abs(photo.pixels - _expected(_colours(), name))
    # Eight bits on both sides, and colorants of five digits; the sRGB curve is steep near black.
    assert error.max() < 2.5
    assert error.mean() < 0.35
    assert np.abs(_colours() - _expected(_colours(), name)).max() > 30  # it was worth converting


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG", {"quality": 100, "subsampling": "4:4:4"}),
    ],
)
def test_every_format_is_converted(kind: str, options: dict[str, object]) -> None:
    pixels = np.full((32, 32, 3), (240, 60, 40), np.uint8)
    data = file_of(pixels, kind, icc_profile=P3, **options)
    photo = decode_photo(data, name="x")
    assert np.abs(photo.pixels - _expected(pixels, "p3")).max() < 3


def test_profile_and_orientation_go_together() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    tagged = file_of(gradient(), "PNG", exif=exif.tobytes(), icc_profile=P3)
    turned = np.rot90(_expected(gradient(), "p3"), -1)
    assert np.abs(decode_photo(tagged, name="x").pixels - turned).max() < 2.5


def test_alpha_is_kept_as_it_is() -> None:
    rgba = np.dstack([gradient(), gradient()[:, :, 0]])
    photo = decode_photo(file_of(rgba, "PNG", icc_profile=P3), name="x")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, rgba[:, :, 3])
    assert np.abs(photo.pixels - _expected(gradient(), "p3")).max() < 2.5


def test_palettes_are_converted() -> None:
    image = Image.fromarray(gradient()).quantize(16)
    photo = decode_photo(file_of(image, "PNG", icc_profile=P3), name="x")
    wanted = _expected(np.asarray(image.convert("RGB")), "p3")
    assert np.abs(photo.pixels - wanted).max() < 2.5


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_converted_and_stays_grey(mode: str) -> None:
    image = Image.fromarray(gradient()).convert(mode)
    photo = decode_photo(file_of(image, "PNG", icc_profile=grey_profile(gamma(1.8))), name="x")
    light = (np.asarray(image.convert("L")) / 255) ** 1.8
    assert photo.grey
    assert np.abs(photo.pixels[:, :, 0] - _encoded(light) * 255).max() < 1.5


def test_sixteen_bit_grey_is_converted() -> None:
    values = np.linspace(0, 65535, 256 * 5).round().astype(np.uint16).reshape(5, 256)
    plain = decode_photo(png16(values), name="x").pixels[:, :, 0]
    data = file_of(Image.fromarray(values), "PNG", icc_profile=grey_profile(gamma(1.8)))
    found = decode_photo(data, name="x").pixels[:, :, 0]
    assert np.abs(found - _encoded((plain / 255) ** 1.8) * 255).max() < 1.5


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "light"), [((255, 0, 0, 0), 0.7), ((0, 255, 255, 0), 0.7), ((0, 0, 255, 0), 0.9)]
)
def test_cmyk_is_converted(kind: str, ink: tuple[int, ...], light: float) -> None:
    """Inks of a profile in which all are grey; oracle: CIE lightness to sRGB."""
    options = {"quality": 100} if kind == "JPEG" else {}
    image = Image.new("CMYK", (32, 32), ink)
    photo = decode_photo(file_of(image, kind, icc_profile=cmyk_profile(), **options), name="x")
    luminance = ((light * 100 + 16) / 116) ** 3
    assert np.abs(photo.pixels - _encoded(np.array(luminance)) * 255).max() <= 2
    bare = decode_photo(file_of(image, kind, **options), name="x")
    assert np.ptp(bare.pixels.reshape(-1, 3).mean(0)) > 50  # without the profile inks have colour


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"not a profile",
        P3[:200],
        bytes(128) + P3[128:],
        P3[:132] + b"\xff" * (len(P3) - 132),
        cmyk_profile(),
        grey_profile(gamma(1.0)),
        rgb_profile(SRGB, srgb_curve()),
    ],
    ids=["none", "text", "cut", "no head", "no tags", "cmyk", "grey", "sRGB"],
)
def test_what_says_nothing_about_the_pixels_changes_nothing(profile: bytes) -> None:
    converted = to_srgb(Image.fromarray(gradient()), profile)
    assert np.array_equal(np.asarray(converted), gradient())
    photo = decode_photo(file_of(gradient(), "PNG", icc_profile=profile), name="x")
    assert np.array_equal(photo.pixels, gradient())


def test_pictures_in_memory_follow_the_same_rule() -> None:
    image = Image.fromarray(gradient())
    image.info["icc_profile"] = P3
    assert np.abs(photo_of(image).pixels - _expected(gradient(), "p3")).max() < 2.5
