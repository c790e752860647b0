"""Faces in the light of a photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veilface.core.template import SIDE
from veilface.imaging.seam import BAND, template_depth
from veilface.imaging.tone import Plane, alike, match_tone, skin_colour

DEPTH = template_depth()
RING = (DEPTH < BAND).astype(np.float32)
INNER = (DEPTH > BAND + 4).astype(np.float32)


def _skin(seed: int, *, fine: float = 0.03) -> Plane:
    """Skin under soft light, with texture of a few pixels that carries a pattern."""
    generator = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(generator.normal(size=(SIDE, SIDE)), (0, 0), 12)
    texture = generator.normal(size=(SIDE, SIDE, 3)) * fine
    skin = np.array([0.6, 0.45, 0.37]) * np.exp(0.15 * shade / shade.std())[:, :, None]
    face: Plane = np.clip(skin + texture, 0, 1).astype(np.float32)
    return face


def _toned(face: Plane, photo: Plane) -> Plane:
    return match_tone(face, photo, RING, INNER)


def test_the_same_face_stays_to_the_last_bit() -> None:
    face = _skin(1)
    assert np.array_equal(_toned(face, face.copy()), face)


@pytest.mark.parametrize("light", [(0.7, 0.6, 0.5), (1.2, 1.25, 1.2), (0.8, 0.8, 1.1)])
def test_the_same_skin_in_another_light_comes_out_in_that_light(
    light: tuple[float, float, float],
) -> None:
    """Oracle: the face multiplied by the light, in the coarse band."""
    face, other = _skin(1), _skin(1) * np.array(light, np.float32)
    result = _toned(face, other)
    wanted, found = (cv2.GaussianBlur(image, (0, 0), 8) for image in (other, result))
    inner = DEPTH > BAND
    before = np.abs(cv2.GaussianBlur(face, (0, 0), 8) - wanted)[inner].mean()
    after = np.abs(found - wanted)[inner].mean()
    assert after < 0.015
    assert after < before / 4


@pytest.mark.parametrize("light", [(0.45, 0.4, 0.3), (1.4, 1.4, 1.4)])
@pytest.mark.parametrize("slope", [0.0, 0.4])
def test_the_fine_band_is_kept(light: tuple[float, float, float], slope: float) -> None:
    """What is just finer than 11 cycles a face arrives as it is, in the inner face."""
    face = _skin(2)
    side = np.exp(slope * np.linspace(-1, 1, SIDE))[None, :, None]
    photo = np.clip(_skin(3) * np.array(light, np.float32) * side, 0, 1).astype(np.float32)
    change = _toned(face, photo) - face
    window = np.zeros((SIDE, SIDE, 1))
    window[18:94, 24:88, 0] = np.outer(np.blackman(76), np.blackman(64))  # no edges of its own
    rows, columns = np.fft.fftfreq(SIDE, 1 / SIDE)[:, None], np.fft.fftfreq(SIDE, 1 / SIDE)[None]
    fine = np.abs(np.hypot(rows, columns) - 13.5) < 2.5
    spectra = [np.abs(np.fft.fft2(image * window, axes=(0, 1)))[fine] for image in (change, face)]
    assert np.sqrt((spectra[0] ** 2).sum() / (spectra[1] ** 2).sum()) < 0.05
    assert np.abs(change).max() > 0.1  # and yet the coarse band did change


def test_contrast_follows_the_photo() -> None:
    """Soft light makes a hard face softer, hard light a soft one harder."""
    soft, hard = _skin(4, fine=0.0), _skin(4, fine=0.0)
    mean = np.exp(np.log(soft).mean((0, 1)))
    hard = (mean * (soft / mean) ** 2.2).astype(np.float32)
    inner = DEPTH > BAND

    def spread(image: Plane) -> float:
        return float(np.log(image[inner]).mean(-1).std())

    assert spread(_toned(hard, soft)) < 0.85 * spread(hard)
    assert spread(_toned(soft, hard)) > 1.15 * spread(soft)


def test_hair_over_the_edge_does_not_darken_the_face() -> None:
    """Black hair on a third of the ring changes the inner face by a few grey levels only."""
    face, photo = _skin(5), _skin(6)
    hairy = photo.copy()
    hairy[:, :24] = 0.05
    clean, covered = (_toned(face, image)[DEPTH > BAND + 8] for image in (photo, hairy))
    assert np.abs(clean - covered).mean() < 0.02


def test_a_ring_that_cannot_be_seen_leaves_the_cheeks() -> None:
    """Where the photo shows nothing around the face, the cheeks' colour alone is matched."""
    face, photo = _skin(7), _skin(7) * np.array(0.7, np.float32)
    result = match_tone(face, photo, np.zeros_like(RING), INNER)
    ratio = result[DEPTH > BAND].mean(0) / face[DEPTH > BAND].mean(0)
    assert np.abs(ratio - 0.7).max() < 0.05


def test_highlights_keep_their_fine_band() -> None:
    """A bright photo does not clip the face: its coarse band stops below white."""
    face = np.clip(_skin(8) * 1.3, 0, 1).astype(np.float32)
    result = _toned(face, np.full_like(face, 0.97))
    assert (result[DEPTH > BAND] >= 1).mean() < 0.05


def test_cheeks_give_the_skin_colour() -> None:
    image = _skin(9, fine=0.0)
    image[60:87, 29:36] = 0.02  # a strand of hair
    image[:58] = (0.1, 0.9, 0.1)  # nothing above the cheeks counts
    assert np.abs(skin_colour(image) - np.log([0.62, 0.47, 0.39])).max() < 0.2


def test_likeness_knows_shade_from_hue() -> None:
    values = np.array([[0, 0, 0], [0.4, 0.4, 0.4], [0.2, 0, -0.2]], np.float32)
    equal, darker, redder = alike(values, 0.4, 0.15)
    assert equal == 1
    assert darker == pytest.approx(0.25)
    assert redder < 0.1
