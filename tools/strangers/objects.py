# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty scene of Cycles, and arrays as Blender's objects: meshes, strands, wires."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from tools.strangers import materials
from tools.strangers.assets import Topology
from tools.strangers.glasses import Glasses
from tools.strangers.mathematics import Array


def metres(v: Array) -> Array:
    """MakeHuman's decimetres (y up) to Blender's metres (z up)."""
    return np.stack([v[:, 0], -v[:, 2], v[:, 1]], 1) * 0.1


def reset(*, side: int, samples: int, threads: int) -> Any:
    """An empty scene with the settings of the renderer."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, 1
    cycles.use_adaptive_sampling, cycles.use_denoising = False, True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.max_bounces, cycles.transparent_max_bounces = 4, 10
    cycles.diffuse_bounces = cycles.glossy_bounces = cycles.transmission_bounces = 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_light_tree, cycles.sample_clamp_indirect = True, 4
    render = scene.render
    render.resolution_x = render.resolution_y = side
    render.film_transparent, render.threads_mode, render.threads = True, "FIXED", threads
    settings = render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "OPEN_EXR", "RGBA", "32"
    scene.view_settings.view_transform = "Raw"
    return scene


def mesh(
    name: str, v: Array, shape: Topology, made_of: list[Any], *, subdivide: bool = False
) -> Any:
    """A mesh in the scene; ``v`` in decimetres, in the order that ``shape`` indexes."""
    me = bpy.data.meshes.new(name)
    place = metres(v[shape.vertices]).astype(np.float32)
    me.vertices.add(len(place))
    me.vertices.foreach_set("co", place.ravel())
    me.loops.add(len(shape.corner))
    me.loops.foreach_set("vertex_index", shape.corner)
    me.polygons.add(len(shape.start))
    me.polygons.foreach_set("loop_start", shape.start)
    me.polygons.foreach_set("material_index", shape.material)
    me.polygons.foreach_set("use_smooth", np.ones(len(shape.start), bool))
    if shape.uv is not None:
        me.uv_layers.new(name="UVMap").data.foreach_set("uv", shape.uv.ravel())
    for material in made_of:
        me.materials.append(material)
    me.update(calc_edges=True)
    body = bpy.data.objects.new(name, me)
    bpy.context.scene.collection.objects.link(body)
    if subdivide:
        modifier = body.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = 1
    return body


def curves(name: str, c: Array, radius: float, material: Any) -> None:
    """Strands that taper to a third of their radius (metres)."""
    count, points = c.shape[:2]
    data = bpy.data.hair_curves.new(name)
    data.add_curves([points] * count)
    data.position_data.foreach_set("vector", metres(c.reshape(-1, 3)).astype(np.float32).ravel())
    attribute = data.attributes.get("radius") or data.attributes.new("radius", "FLOAT", "POINT")
    taper = np.broadcast_to(np.linspace(1, 0.35, points)[None] * radius, (count, points))
    attribute.data.foreach_set("value", np.ascontiguousarray(taper, np.float32).ravel())
    data.materials.append(material)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, data))


def wires(frames: Glasses) -> None:
    """Frames of glasses."""
    data = bpy.data.curves.new("glasses", "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", frames.thickness, 2
    for points, closed in frames.wires:
        spline = data.splines.new("POLY")
        spline.points.add(len(points) - 1)
        place = np.concatenate([metres(points), np.ones((len(points), 1))], 1)
        spline.points.foreach_set("co", place.astype(np.float32).ravel())
        spline.use_cyclic_u = closed
    metal = frames.metal
    data.materials.append(
        materials.plain("frame", frames.colour, roughness=0.25, metal=1.0 if metal else 0.0)
    )
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("glasses", data))
