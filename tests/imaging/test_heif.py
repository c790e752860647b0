"""Photos of phones: HEIC and HEIF."""

from __future__ import annotations

import io
import struct
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.images import Pixels, gradient
from tests.fixtures.profiles import DISPLAY_P3, rgb_profile, srgb_curve
from tests.imaging.test_colour import _expected
from veilface.errors import ImageError, MissingExtraError
from veilface.imaging.decode import decode_photo

SIZE = (96, 128)


@pytest.fixture(scope="module")
def heif() -> ModuleType:
    reason = "the extra veilface[heif] is not installed"
    module: ModuleType = pytest.importorskip("pillow_heif", reason=reason)
    return module


def _file(heif: ModuleType, *images: Image.Image | Pixels, **options: Any) -> bytes:  # noqa: ANN401
    """A HEIC file of one or more images, as good as HEVC gets."""
    pictures = [one if isinstance(one, Image.Image) else Image.fromarray(one) for one in images]
    collection = heif.from_pillow(pictures[0])
    for picture in pictures[1:]:
        collection.add_from_pillow(picture)
    buffer = io.BytesIO()
    collection.save(buffer, quality=-1, chroma=444, **options)
    return buffer.getvalue()


def _with_exif(orientation: int) -> Image.Image:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(gradient(*SIZE))
    image.info["exif"] = exif.tobytes()
    return image


def _distance(found: Pixels, wanted: Pixels | np.ndarray) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found.astype(float) - wanted).max())


def test_a_photo(heif: ModuleType) -> None:
    photo = decode_photo(_file(heif, gradient(*SIZE)), name="x")
    assert _distance(photo.pixels, gradient(*SIZE)) <= 4
    assert not photo.pixels.flags.writeable
    assert (photo.grey, photo.alpha, photo.mark) == (False, None, None)


@pytest.mark.parametrize("quarters", range(4))
def test_the_containers_turn_is_applied_once(heif: ModuleType, quarters: int) -> None:
    """A phone writes its turn twice, as irot (anticlockwise) and in EXIF; irot alone counts."""
    data = bytearray(_file(heif, _with_exif(3)))  # stored upside down, with irot of two quarters
    at = data.index(b"irot") + 4
    assert data[at] == 2
    data[at] = quarters
    assert b"\1\x12\0\3\0\0\0\1\0\3" in data  # the orientation in EXIF
    upright = np.rot90(gradient(*SIZE), quarters + 2)
    assert _distance(decode_photo(bytes(data), name="x").pixels, upright) <= 4


@pytest.mark.parametrize("axis", [0, 1])
def test_the_containers_mirror_is_applied_once(heif: ModuleType, axis: int) -> None:
    data = bytearray(_file(heif, _with_exif(2)))  # stored with left and right exchanged
    at = data.index(b"imir") + 4
    assert data[at] == 1
    data[at] = axis
    stored = gradient(*SIZE)[:, ::-1]
    wanted = stored[:, ::-1] if axis else stored[::-1]
    assert _distance(decode_photo(bytes(data), name="x").pixels, wanted) <= 4


def test_an_orientation_in_exif_alone_does_not_count(heif: ModuleType) -> None:
    """The standard puts the container above EXIF: without irot and imir the image is upright."""
    data = _file(heif, _with_exif(1))
    for order in "<>":
        entry = struct.pack(f"{order}HHIH", 0x0112, 3, 1, 1)
        data = data.replace(entry, entry[:8] + struct.pack(f"{order}H", 6))
    assert heif.HeifImageFile(io.BytesIO(data)).info["original_orientation"] == 6
    assert _distance(decode_photo(data, name="x").pixels, gradient(*SIZE)) <= 4


def test_of_several_images_the_primary_is_the_photo(heif: ModuleType) -> None:
    first, second = gradient(*SIZE), gradient(*SIZE)[::-1].copy()
    for index, wanted in enumerate((first, second)):
        data = _file(heif, first, second, primary_index=index)
        assert _distance(decode_photo(data, name="x").pixels, wanted) <= 4


def test_grey_alpha_and_ten_bits(heif: ModuleType) -> None:
    grey = Image.fromarray(gradient(*SIZE)).convert("L")
    assert decode_photo(_file(heif, grey), name="x").grey
    rgba = np.dstack([gradient(*SIZE), gradient(*SIZE)[:, :, 0]])
    photo = decode_photo(_file(heif, rgba), name="x")
    assert photo.alpha is not None
    assert _distance(photo.alpha, rgba[:, :, 3]) <= 4
    deep = gradient(*SIZE).astype(np.uint16) * 257
    collection = heif.from_bytes("RGB;16", SIZE[::-1], deep.tobytes())
    buffer = io.BytesIO()
    collection.save(buffer, quality=-1, chroma=444)
    assert _distance(decode_photo(buffer.getvalue(), name="x").pixels, gradient(*SIZE)) <= 4


def test_colours_are_converted(heif: ModuleType) -> None:
    image = Image.fromarray(gradient(*SIZE))
    image.info["icc_profile"] = rgb_profile(DISPLAY_P3, srgb_curve())
    data = _file(heif, image)
    bare = decode_photo(_file(heif, gradient(*SIZE)), name="x").pixels
    assert _distance(decode_photo(data, name="x").pixels, _expected(bare, "p3")) < 4
    assert _distance(bare, _expected(bare, "p3")) > 20


@pytest.mark.parametrize(("width", "height"), [(20_000, 100), (16_000, 16_000)])
def test_claims_are_refused_before_anything_is_decoded(
    heif: ModuleType, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    data = _file(heif, gradient(*SIZE))
    honest = b"ispe" + struct.pack(">III", 0, SIZE[1], SIZE[0])
    assert honest in data
    data = data.replace(honest, b"ispe" + struct.pack(">III", 0, width, height))

    def never(_: object) -> None:
        pytest.fail("a file whose header is refused was decoded")

    monkeypatch.setattr(heif.HeifImageFile, "load", never)
    with pytest.raises(ImageError, match="too large"):
        decode_photo(data, name="x")


def test_damaged_files_are_one_sentence(heif: ModuleType) -> None:
    data = _file(heif, gradient(*SIZE))
    generator = np.random.default_rng(0)
    broken = [data[: len(data) // 2], data[:100]]
    for _ in range(20):
        noisy = bytearray(data)
        for at in generator.integers(40, len(data), 40):
            noisy[at] = generator.integers(256)
        broken.append(bytes(noisy))
    messages = []
    for one in broken:
        try:
            decode_photo(one, name="x.heic")  # noise in the pixels alone is a photo
        except ImageError as error:
            messages.append(str(error))
    assert len(messages) >= 2
    assert all(message.startswith("x.heic ") and "\n" not in message for message in messages)


def test_pillows_table_of_formats_stays(heif: ModuleType) -> None:
    known = "HEIF" in Image.OPEN  # other packages may register it
    decode_photo(_file(heif, gradient(*SIZE)), name="x")
    assert ("HEIF" in Image.OPEN) == known


@pytest.mark.parametrize(
    ("brands", "word"),
    [
        (b"avif\0\0\0\0mif1miaf", "AVIF"),
        (b"mif1\0\0\0\0avifmiaf", "AVIF"),
        (b"msf1\0\0\0\0hevcmiaf", "HEIF sequence"),
        (b"hevc\0\0\0\0msf1miaf", "HEIC sequence"),
        (b"isom\0\0\0\0mp41mp42", "MP4"),
    ],
)
def test_relatives_are_refused_by_name(brands: bytes, word: str) -> None:
    data = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(64)
    with pytest.raises(ImageError, match=f"a file of the {word} family; JPEG, .* HEIC"):
        decode_photo(data, name="x")


def test_without_the_extra_the_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
    wanted = r"x\.heic is a HEIC photo; pillow-heif .* is not installed; .*pip install pillow-heif"
    with pytest.raises(MissingExtraError, match=wanted):
        decode_photo(data, name="x.heic")
