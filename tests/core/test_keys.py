"""The key: a file that is the owner's alone, and streams that nobody else can make."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector, tiny
from veilface.attacks.averaging import mean_draws
from veilface.core.keys import SIZE, keyed_generator, load_key
from veilface.core.randomness import entropic_generator
from veilface.errors import SecretKeyError
from veilface.pipeline.photos import photo_of
from veilface.pipeline.protector import Protector
from veilface.protectors.veil.presets import PRESETS

CROP = photo_pixels(1)[40:152, 60:172]


def protector(key: Path | None, *, preset: str = "paper", steps: int = 2) -> Protector:
    return Protector(
        preset=replace(PRESETS[preset], steps=steps),
        recognizers=[tiny("a", seed=1), tiny("b", seed=2)],
        device="cpu",
        key=key,
    )


def image(one: Protector, crop: np.ndarray = CROP) -> bytes:
    return one.protect_image(crop, aligned=True).faces[0].image.tobytes()


def draw(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator, dtype=torch.float64))


def test_first_use_makes_a_key_that_is_the_owners_alone_and_later_uses_read_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "key"
    key = load_key(path)
    assert len(key) == SIZE
    assert path.read_bytes() == key == load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert load_key(tmp_path / "other") != key


def test_processes_that_start_together_use_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)

    def use() -> None:
        start.wait()
        found.append(load_key(tmp_path / "key"))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [load_key(tmp_path / "key")] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o601])
def test_key_that_others_may_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_key(path)
    path.chmod(mode)
    with pytest.raises(SecretKeyError, match=rf"mode {mode:04o}\); .*chmod 600 .*key$"):
        load_key(path)


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_file_of_another_size_is_refused_and_kept(tmp_path: Path, size: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(SecretKeyError, match=f"has {size} bytes, not 32"):
        load_key(path)
    assert path.read_bytes() == b"x" * size


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match=r"cannot use the key .*: Is a directory"):
        load_key(tmp_path)
    with pytest.raises(SecretKeyError, match="No such file or directory"):
        load_key(tmp_path / "none" / "key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretKeyError, match="not a regular file"):
        load_key(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(SecretKeyError, match="No such file or directory"):
        load_key(tmp_path / "link")


def test_streams_follow_the_stated_derivation() -> None:
    key, photo = bytes(range(32)), b"p" * 32
    settings = hashlib.sha256(b"steps=3").digest()
    message = b"veilface key\0" + photo + (5).to_bytes(8, "big") + settings
    tag = hmac.new(key, message, hashlib.sha256).digest()
    assert draw(keyed_generator(key, photo=photo, face=5, method="steps=3")) == draw(
        entropic_generator(tag)
    )


_SECRETS = st.binary(min_size=32, max_size=32)
_MESSAGES = st.fixed_dictionaries(
    {"photo": _SECRETS, "face": st.integers(0, 10**6), "method": st.text(max_size=20)}
)


@given(key=_SECRETS, message=_MESSAGES, other_key=_SECRETS, other=_MESSAGES)
@settings(max_examples=25, deadline=None)
def test_key_photo_face_and_method_each_make_another_stream(
    key: bytes, message: dict[str, Any], other_key: bytes, other: dict[str, Any]
) -> None:
    stream = draw(keyed_generator(key, **message))
    assert draw(keyed_generator(key, **message)) == stream
    assert (draw(keyed_generator(other_key, **message)) == stream) == (other_key == key)
    for name, value in other.items():
        changed = draw(keyed_generator(key, **{**message, name: value}))
        assert (changed == stream) == (value == message[name])


@pytest.mark.parametrize("preset", PRESETS)
def test_same_photo_and_key_same_bytes_another_key_or_none_other_bytes(
    preset: str, tmp_path: Path
) -> None:
    first = image(protector(tmp_path / "one", preset=preset))
    assert image(protector(tmp_path / "one", preset=preset)) == first
    assert image(protector(tmp_path / "two", preset=preset)) != first
    assert image(protector(None, preset=preset)) != first


def test_averaging_one_keyed_photo_gains_nothing(tmp_path: Path) -> None:
    keyed = protector(tmp_path / "key")

    def draws(one: Protector) -> torch.Tensor:
        pictures = [one.protect_image(CROP, aligned=True).faces[0].image for _ in range(4)]
        return torch.stack([torch.from_numpy(np.array(p)) for p in pictures])[:, None] / 255

    averaged = mean_draws(draws(keyed), counts=(1, 4))
    torch.testing.assert_close(averaged[4], averaged[1])
    fresh = mean_draws(draws(protector(None)), counts=(1, 4))
    assert float((fresh[4] - fresh[1]).abs().mean()) > 0.02


def test_other_pixels_parameters_or_recognisers_other_noise(tmp_path: Path) -> None:
    """Without steps `noise` alone is left, so equal images would mean equal streams."""
    key = tmp_path / "key"
    preset = replace(PRESETS["persona"], steps=0)

    def start(crop: np.ndarray = CROP, seed: int = 1, radius: float = 0.5) -> bytes:
        changed = replace(preset, radius=radius)
        return image(
            Protector(preset=changed, recognizers=[tiny(seed=seed)], device="cpu", key=key), crop
        )

    nudged = CROP.copy()
    nudged[0, 0, 0] ^= 1
    assert start() == start()
    assert len({start(), start(nudged), start(seed=2), start(radius=0.25)}) == 4


def test_names_do_not_change_the_noise(tmp_path: Path) -> None:
    renamed = replace(PRESETS["persona"], name="mine", summary="another sentence", steps=1)
    original = replace(PRESETS["persona"], steps=1)
    first, second = (
        image(Protector(preset=p, recognizers=[tiny()], device="cpu", key=tmp_path / "key"))
        for p in (renamed, original)
    )
    assert first == second


def test_faces_of_one_photo_have_streams_of_their_own_whatever_the_batch(tmp_path: Path) -> None:
    keyed = protector(tmp_path / "key", preset="persona")
    twins = np.concatenate([photo_pixels(1)] * 2, axis=1)
    one, two = (face.image.tobytes() for face in keyed.protect_image(twins).faces)
    assert one != two
    streams = keyed.prepare(photo_of(twins), name="twins").generators
    assert streams is not None
    assert len({draw(stream) for stream in streams}) == 2


def test_key_and_seed_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match="use one"):
        protector(tmp_path / "key").protect_image(CROP, aligned=True, seed=1)


def test_unkeyed_protector_says_so(tmp_path: Path) -> None:
    assert not quick_protector().keyed
    assert quick_protector().parameters()["keyed"] is False
    assert protector(tmp_path / "key").parameters()["keyed"] is True
