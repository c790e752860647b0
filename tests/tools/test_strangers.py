"""The parts of the renderer of strangers that do not need Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.strangers.formats import read_accessory, read_obj, read_target
from tools.strangers.mathematics import from_lab, noise, smooth, to_lab
from tools.strangers.person import sample, stream
from tools.strangers.sliders import FACTORS, FEMALE, MALE, NEUTRAL

OBJ = """\
# a comment
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0.5
vt 0 0
vt 1 0
g body
f 1/1 2/2 3/2 4/1
g joint
f 1 2 3
"""


class TestFormats:
    def test_a_mesh(self, tmp_path: Path) -> None:
        path = tmp_path / "a.obj"
        path.write_text(OBJ)
        mesh = read_obj(path)
        np.testing.assert_array_equal(mesh["v"][3], np.array([0, 1, 0.5], np.float32))
        assert mesh["f"] == [[0, 1, 2, 3], [0, 1, 2]]
        assert mesh["ft"] == [[0, 1, 1, 0], [0, 0, 0]]
        assert mesh["g"] == ["body", "joint"]

    def test_a_target(self, tmp_path: Path) -> None:
        path = tmp_path / "a.target"
        path.write_text("# basemesh hm08\n2 .5 0 -.25\n\n7 0 1 0\n")
        index, delta = read_target(path)
        assert index.tolist() == [2, 7]
        assert delta.tolist() == [[0.5, 0, -0.25], [0, 1, 0]]

    def test_an_empty_target(self, tmp_path: Path) -> None:
        path = tmp_path / "a.target"
        path.write_text("# nothing\n")
        index, delta = read_target(path)
        assert (index.shape, delta.shape) == ((0,), (0, 3))

    def test_an_accessory_whose_header_goes_on_after_the_list_begins(self, tmp_path: Path) -> None:
        (tmp_path / "a.obj").write_text(OBJ)
        path = tmp_path / "a.mhclo"
        path.write_text(
            "name a\nobj_file a.obj\nx_scale 5 6 1.5\nverts 0\nmaterial a.mhmat\n"
            "3\n1 2 3 .5 .25 .25 0 .1 0\ndelete_verts\n10 - 20\n"
        )
        found = read_accessory(path)
        assert found["idx"].tolist() == [[3, 3, 3], [1, 2, 3]]
        np.testing.assert_allclose(found["w"], [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25]])
        np.testing.assert_allclose(found["off"], [[0.0, 0.0, 0.0], [0.0, 0.1, 0.0]])
        assert found["scale"] == {"x": (5, 6, 1.5)}
        assert len(found["mesh"]["v"]) == 4


class TestPerson:
    def test_a_seed_is_a_person(self) -> None:
        one, two = sample(41), sample(41)
        assert (one.age, one.iris, one.yaw) == (two.age, two.iris, two.yaw)
        np.testing.assert_array_equal(one.ancestry, two.ancestry)
        assert sample(42).age != one.age

    def test_the_streams_of_two_parts_differ(self) -> None:
        draws = {stream(s, part).random() for s in (1, 2) for part in ("hair", "skin")}
        assert len(draws) == 4
        assert stream(1, "hair").random() in draws

    def test_the_people_are_balanced(self) -> None:
        people = [sample(seed) for seed in range(3000)]
        assert np.mean([p.male for p in people]) == pytest.approx(0.5, abs=0.03)
        darkness = np.histogram([p.darkness for p in people], 6, (0, 1))[0] / len(people)
        np.testing.assert_allclose(darkness, 1 / 6, atol=0.025)
        assert np.mean([p.smile > 0 for p in people]) == pytest.approx(0.22, abs=0.025)
        ages = np.array([p.age for p in people])
        assert (ages.min() >= 20, ages.max() <= 75) == (True, True)
        assert np.abs([p.yaw for p in people]).max() <= 15
        assert np.abs([p.pitch for p in people]).max() <= 8


def test_no_slider_is_named_by_its_negative_target() -> None:
    tables = [*FACTORS.values(), FEMALE, MALE, NEUTRAL]
    assert not [n for t in tables for n in t if n.endswith(("-decr", "-down", "-in", "-backward"))]


def test_noise_has_mean_0_and_deviation_1_at_every_grain() -> None:
    for sigma in (1, 5, 20):
        field = noise(np.random.default_rng(0), sigma, (90, 70))
        assert field.shape == (90, 70)
        assert field.mean() == pytest.approx(0, abs=1e-4)
        assert field.std() == pytest.approx(1, abs=1e-4)


def test_smooth_steps_rise_or_fall() -> None:
    np.testing.assert_allclose(smooth(0, 1, np.array([-1, 0.5, 2])), [0, 0.5, 1])
    np.testing.assert_allclose(smooth(1, 0, np.array([-1, 0.5, 2])), [1, 0.5, 0])


def test_lab_and_back() -> None:
    rgb = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(from_lab(to_lab(rgb)), rgb, atol=4e-3)
