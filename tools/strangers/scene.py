# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of one portrait in Blender: head, eyes, brows, hair, clothes, camera, light."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from mathutils import Matrix, Vector

from tools.strangers import glasses, materials, skin
from tools.strangers import hair as hairs
from tools.strangers.assets import Assets, Topology
from tools.strangers.light import light
from tools.strangers.mathematics import Array, noise, unit
from tools.strangers.objects import curves, mesh, metres, reset, wires
from tools.strangers.person import Person
from tools.strangers.shape import Shapes
from tools.strangers.strands import Scalp

WOMENS_BROWS = ("001", "004", "005", "006", "010", "011", "012", "003", "007")
MENS_BROWS = ("001", "002", "004", "008", "009", "009", "010", "012", "003", "007")


class Studio:
    """Builds and renders strangers.

    Args:
        assets: The prepared assets.
        side: Pixels of a side of the picture.
        samples: Of the renderer, a pixel.
        threads: Of the renderer.
    """

    def __init__(self, assets: Assets, *, side: int, samples: int, threads: int) -> None:
        self.assets, self.shapes = assets, Shapes(assets)
        self.side, self.samples, self.threads = side, samples, threads

    def render(self, person: Person, scratch: Path) -> tuple[Array, dict[str, Any]]:
        """Linear premultiplied RGBA (side, side, 4), and what was chosen on the way.

        Args:
            person: Who.
            scratch: A file that the renderer may write.
        """
        scene = reset(side=self.side, samples=self.samples, threads=self.threads)
        chosen = self._build(person)
        scene.render.filepath = str(scratch)
        bpy.ops.render.render(write_still=True)
        pixels = np.asarray(cv2.imread(str(scratch), cv2.IMREAD_UNCHANGED))
        return np.concatenate([pixels[..., 2::-1], pixels[..., 3:4]], -1).astype(np.float32), chosen

    def _build(self, person: Person) -> dict[str, Any]:
        assets = self.assets
        v, expression = self.shapes.morph(person)
        left, right = (v[k].mean(0) for k in assets.eyes)
        scalp = Scalp(assets, v, (left + right) / 2)
        hair = hairs.grow(assets, person, scalp)
        beard = self._skin_and_head(person, v, scalp, hair)
        self._eyes(person, v, left, right)
        self._brows(person, v)
        self._mouth(person, v, expression)
        frames = glasses.frames(person, v, left, right)
        if frames is not None:
            wires(frames)
        strand = materials.hair(
            materials.colour(person.hair_colour),
            roughness=float(person.stream("gloss").uniform(0.26, 0.42)),
        )
        for c, radius in hair.strands:
            curves("hair", c, radius, strand)
        if hair.card is not None:
            path = assets.files / f"hair/{hair.card}/{hair.card}_diffuse.png"
            card = materials.hair_card(path, materials.colour(person.hair_colour))
            mesh("hair", assets.fit(hair.card, v), assets.proxy(hair.card), [card])
        target = self._camera(person, left, right)
        return {
            "hair": hair.style,
            "beard": beard,
            "glasses": frames is not None,
            "light": light(person, target),
        }

    def _skin_and_head(self, person: Person, v: Array, scalp: Scalp, hair: hairs.Hair) -> str:
        assets, r = self.assets, person.stream("surface")
        rgb = skin.paint(assets, person)
        beard = "none"
        if person.male:
            b = person.stream("beard")
            odds = [0.45, 0.31, 0.24] if person.ancestry[1] < 0.5 else [0.68, 0.23, 0.09]
            beard = str(b.choice(["none", "stubble", "full"], p=odds))
            mask = skin.beard_mask(assets, b)
            colour = person.brow_colour if person.grey < 0.3 else person.hair_colour
            low, high = {"none": (0.02, 0.12), "stubble": (0.18, 0.4), "full": (0.45, 0.6)}[beard]
            grain = np.clip(1 + 0.5 * noise(b, 0.7, assets.shape), 0, 2)
            rgb = skin.shade(rgb, mask * b.uniform(low, high) * grain, colour)
            if beard != "none":
                grown = hairs.beard(person, scalp, mask, full=beard == "full")
                if grown is not None:
                    curves(
                        "beard",
                        *grown,
                        materials.hair(materials.colour(colour * 1.1), roughness=0.32),
                    )
        grain = np.clip(1 + 0.25 * noise(r, 0.8, assets.shape), 0, 2)
        cover = np.clip(hair.tint * grain, 0, 1)[..., None] * 0.93
        rgb = rgb * (1 - cover) + cover * (
            np.clip(person.hair_colour, 0, 1) ** (1 / 2.2) * 0.62 + 0.015
        )
        rgb = np.clip(rgb, 0, 1).astype(np.float32)
        surface = materials.skin(
            rgb,
            skin.relief(rgb),
            roughness=float(r.uniform(0.38, 0.6)),
            coat=float(r.uniform(0, 0.14)),
            bump=float(r.uniform(0.3, 0.9)),
            scatter=0.0035 - 0.0012 * person.darkness,
        )
        mouth = materials.plain("mouth", (0.16, 0.03, 0.03), roughness=0.4)
        neck = materials.colour(np.clip(rgb[assets.face].mean(0), 0, 1) ** 2.2 * 0.95)
        body = materials.plain("body", neck, roughness=0.5, scatter=0.6)
        mesh("head", v, assets.head, [surface, mouth, body], subdivide=True)
        self._shirt(person, v)
        return beard

    def _shirt(self, person: Person, v: Array) -> None:
        r, shape = person.stream("shirt"), self.assets.shirt
        tone = r.uniform(0.01, 0.7, 3)
        tone = tone * 0.35 + tone.mean() * 0.65
        outward = np.zeros_like(v)
        faces = shape.vertices[shape.corner.reshape(-1, 4)]
        n = np.cross(v[faces[:, 1]] - v[faces[:, 0]], v[faces[:, 2]] - v[faces[:, 0]])
        for j in range(4):
            np.add.at(outward, faces[:, j], n)
        cloth = materials.plain("shirt", materials.colour(tone), roughness=0.9)
        mesh("shirt", v + unit(outward) * 0.09, shape, [cloth], subdivide=True)

    def _eyes(self, person: Person, v: Array, left: Array, right: Array) -> None:
        assets, r = self.assets, person.stream("eyes")
        place = assets.fit("high-poly", v)
        path = assets.files / f"eyes/materials/{person.iris}_eye.png"
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        pixels = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)[..., 2::-1] / 255.0
        pixels = pixels * np.array([0.97, 0.94, 0.92]) * r.uniform(0.84, 0.97)
        vivid = r.uniform(0.7, 0.9)
        pixels = pixels * vivid + (1 - vivid) * pixels.mean(-1, keepdims=True)
        bright = 1.2 if person.iris.startswith("brown") else 0.95
        pixels = np.clip(pixels * bright * r.uniform(0.85, 1.1), 0, 0.9)
        # Eyes turn towards the camera.
        turn = math.radians(person.yaw * r.uniform(0.7, 1.1) + r.normal(0, 1.5))
        nod = -math.radians(person.pitch * 0.8)
        spin = np.array(
            [[math.cos(turn), 0, -math.sin(turn)], [0, 1, 0], [math.sin(turn), 0, math.cos(turn)]]
        )
        tip = np.array(
            [[1, 0, 0], [0, math.cos(nod), math.sin(nod)], [0, -math.sin(nod), math.cos(nod)]]
        )
        for sign, centre in ((1, left), (-1, right)):
            own = np.sign(place[:, 0]) == sign
            place[own] = (place[own] - centre) @ spin @ tip + centre
        shape = assets.proxy("high-poly")
        assert shape.uv is not None
        corners = np.diff([*shape.start, len(shape.corner)])[:, None]
        mean = np.add.reduceat(shape.uv, shape.start) / corners
        front = (mean[:, 0] > 0.875) & (mean[:, 1] < 0.125)
        shape = Topology(
            shape.vertices, shape.corner, shape.start, shape.uv, front.astype(np.int32)
        )
        mesh("eyes", place, shape, [materials.eye(pixels), materials.cornea()])

    def _brows(self, person: Person, v: Array) -> None:
        assets, r = self.assets, person.stream("brows")
        name = "eyebrow" + str(r.choice(MENS_BROWS if person.male else WOMENS_BROWS))
        rgb = materials.colour(np.clip(person.brow_colour * r.uniform(0.7, 1.1), 0.004, 0.35))
        alpha = float(r.uniform(0.7, 1.15) if person.male else r.uniform(0.35, 0.75))
        card = materials.card(
            "brow", assets.files / f"eyebrows/{name}/{name}.png", rgb, alpha=alpha
        )
        mesh("brows", assets.fit(name, v), assets.proxy(name), [card])
        name = f"eyelashes0{r.integers(1, 5)}"
        alpha = 0.4 if person.male else float(r.uniform(0.65, 1.0))
        path = assets.files / f"eyelashes/{name}/{name}.png"
        card = materials.card("lashes", path, (0.008, 0.006, 0.005), alpha=alpha)
        mesh("lashes", assets.fit(name, v), assets.proxy(name), [card])

    def _mouth(self, person: Person, v: Array, expression: dict[str, float]) -> None:
        if not any(expression.get(k, 0) > 0 for k in ("mouth-parling", "mouth-open")):
            return
        assets = self.assets
        name = "teeth_" + str(
            person.stream("teeth").choice(["base", "shape01", "shape02", "shape03"])
        )
        tint = (0.85, 0.80, 0.70)
        card = materials.card("teeth", assets.files / f"teeth/{name}/teeth.png", None, tint=tint)
        mesh("teeth", assets.fit(name, v), assets.proxy(name), [card])
        tongue = materials.plain("tongue", (0.35, 0.1, 0.1), roughness=0.35)
        mesh("tongue", assets.fit("tongue01", v), assets.proxy("tongue01"), [tongue])

    def _camera(self, person: Person, left: Array, right: Array) -> Any:
        """Places the camera; the point that it looks at."""
        r = person.stream("camera")
        apart = float(np.linalg.norm(left - right))
        middle = (left + right) / 2 + np.array([0, -0.17 * apart, 0.0])
        target = Vector(metres(middle[None])[0])
        distance = float(np.exp(r.uniform(np.log(0.5), np.log(2.2))))
        wide = 3.72 * apart * 0.1  # metres that the picture shows
        data = bpy.data.cameras.new("camera")
        data.sensor_width, data.lens = 36, 36 * distance / wide
        camera = bpy.data.objects.new("camera", data)
        bpy.context.scene.collection.objects.link(camera)
        bpy.context.scene.camera = camera
        yaw, pitch = math.radians(person.yaw), math.radians(person.pitch)
        way = Vector(
            (math.sin(yaw) * math.cos(pitch), -math.cos(yaw) * math.cos(pitch), math.sin(pitch))
        )
        camera.location = target + way * distance
        roll = Matrix.Rotation(math.radians(person.roll), 3, "Z").to_quaternion()
        camera.rotation_mode = "QUATERNION"
        camera.rotation_quaternion = (-way).to_track_quat("-Z", "Y") @ roll
        return target
