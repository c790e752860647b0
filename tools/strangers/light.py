# SPDX-License-Identifier: GPL-3.0-or-later
"""Light: a small environment map from Blender's own, and area lights of six kinds of photograph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Vector

from tools.strangers.materials import image
from tools.strangers.mathematics import Array
from tools.strangers.person import Person

ENVIRONMENTS = ("city", "courtyard", "forest", "interior", "studio", "sunrise", "sunset")
Range = tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """Ranges of one kind of light.

    Attributes:
        share: How often.
        turn: Azimuth of the key light in degrees; one of the two signs.
        height: Its elevation in degrees.
        size: Diameter in metres.
        power: Watt.
        fill: Watt of the frontal fill.
        world: Strength of the environment.
        warm: Range of the key's warmth, -1 (blue) to 1 (orange).
    """

    share: float
    turn: Range
    height: Range
    size: Range
    power: Range
    fill: Range
    world: Range
    warm: Range = (-1.0, 1.0)


SETTINGS = {
    "studio": Setting(0.27, (0, 55), (4, 36), (0.35, 1.3), (3, 13), (1.5, 5), (0.5, 0.9)),
    "window": Setting(0.19, (35, 72), (4, 30), (0.9, 1.6), (7, 16), (1.2, 3), (0.3, 0.55)),
    "flash": Setting(0.12, (0, 12), (0, 18), (0.08, 0.2), (5, 12), (0.4, 1.5), (0.15, 0.45)),
    "overcast": Setting(0.18, (0, 60), (40, 70), (1.3, 1.8), (2, 6), (1, 3), (1, 1.6), (-0.6, 0.3)),
    "sun": Setting(0.12, (5, 60), (22, 52), (0.05, 0.12), (6, 13), (2, 4.5), (0.6, 1.0), (0, 0.8)),
    "indoor": Setting(0.12, (0, 50), (35, 62), (0.5, 1.0), (4, 9), (2, 4.5), (0.3, 0.6), (0.2, 1)),
}  # fmt: skip


@dataclass(frozen=True)
class Lamp:
    """A disk that shines at the face: degrees, metres, watt; ``shine`` shows it in reflections."""

    turn: float
    height: float
    size: float
    power: float
    warm: float
    distance: float
    shine: bool


def warmth(k: float) -> tuple[float, float, float]:
    """Colour of a light from -1 (blue) to 1 (orange)."""
    if k > 0:
        return 1.0, 1 - 0.11 * k, 1 - 0.28 * k
    return 1 + 0.18 * k, 1 + 0.07 * k, 1.0


@cache
def environment(name: str) -> Array:
    """Blender's environment map as linear RGB: (height, width, 3), first row on top."""
    folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world"
    pixels = cv2.imread(str(folder / f"{name}.exr"), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FileNotFoundError(f"{folder / name}.exr: set OPENCV_IO_ENABLE_OPENEXR=1")
    return np.asarray(pixels[..., 2::-1], np.float32)


@cache
def _small(name: str) -> tuple[Array, float]:
    """The map at 128 × 64 (enough for light, and quick to sample), and its mean."""
    full = environment(name)
    small = np.asarray(cv2.resize(full, (128, 64), interpolation=cv2.INTER_AREA))
    return small, float(np.minimum(full, 20).mean())


def _world(r: np.random.Generator, strength: float) -> None:
    name = str(r.choice(ENVIRONMENTS, p=[0.14, 0.18, 0.16, 0.18, 0.12, 0.12, 0.10]))
    small, mean = _small(name)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 128
    tree = world.node_tree
    tree.nodes.clear()
    kinds = ("OutputWorld", "Background", "TexEnvironment", "Mapping", "TexCoord")
    node = {kind: tree.nodes.new("ShaderNode" + kind) for kind in kinds}
    node["TexEnvironment"].image = image(small, "environment", linear=True)
    node["Mapping"].inputs["Rotation"].default_value = (0, 0, float(r.uniform(0, 2 * math.pi)))
    node["Background"].inputs[1].default_value = strength / mean
    tree.links.new(node["TexCoord"].outputs["Generated"], node["Mapping"].inputs[0])
    tree.links.new(node["Mapping"].outputs[0], node["TexEnvironment"].inputs[0])
    tree.links.new(node["TexEnvironment"].outputs[0], node["Background"].inputs[0])
    tree.links.new(node["Background"].outputs[0], node["OutputWorld"].inputs[0])


def _area(person: Person, target: Vector, lamp: Lamp) -> None:
    data = bpy.data.lights.new("area", "AREA")
    data.shape, data.size, data.energy = "DISK", lamp.size, lamp.power
    data.color = warmth(lamp.warm)
    body = bpy.data.objects.new("area", data)
    bpy.context.scene.collection.objects.link(body)
    a, e = math.radians(lamp.turn + person.yaw), math.radians(lamp.height)
    way = Vector((math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)))
    body.location = target + way * lamp.distance
    body.rotation_mode = "QUATERNION"
    body.rotation_quaternion = (-way).to_track_quat("-Z", "Y")
    body.visible_camera, body.visible_glossy = False, lamp.shine


def light(person: Person, target: Vector) -> str:
    """Lights the scene; the name of the setting.

    Args:
        person: Who.
        target: Middle of the face in Blender's coordinates.
    """
    r = person.stream("light")
    shares = np.array([s.share for s in SETTINGS.values()])
    name = str(r.choice(list(SETTINGS), p=shares / shares.sum()))
    setting = SETTINGS[name]

    def u(low: float, high: float) -> float:
        return float(r.uniform(low, high))

    _world(r, u(*setting.world))
    turn, height = float(r.choice([-1, 1])) * u(*setting.turn), u(*setting.height)
    size, power, warm = u(*setting.size), u(*setting.power), u(*setting.warm)
    seen = min(size, u(0.15, 0.35))  # the part of the key light that shines in the eyes
    lamps = [
        Lamp(turn, height, size, power * 0.85, warm, 1.4, shine=False),
        Lamp(turn, height, seen, power * 0.15, warm, 1.38, shine=True),
        Lamp(float(r.normal(0, 10)), u(-6, 14), 0.7, u(*setting.fill), u(-0.3, 0.3), 1.2, False),
    ]
    if r.random() < 0.18:
        behind = float(r.choice([-1, 1])) * u(100, 150)
        lamps.append(Lamp(behind, u(10, 45), 0.4, u(1.5, 6), u(-1, 1), 1.4, shine=True))
    for lamp in lamps:
        _area(person, target, lamp)
    return name
