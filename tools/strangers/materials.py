# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of Cycles: skin with subsurface scattering, eyes, hair, cards, cloth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

from tools.strangers.mathematics import Array

Colour = tuple[float, float, float]


def colour(x: Array) -> Colour:
    """Three plain floats."""
    a, b, c = (float(k) for k in x)
    return a, b, c


def image(pixels: Array, name: str, *, linear: bool = False) -> Any:
    """A Blender image from rows of RGB or RGBA in 0..1, first row on top."""
    height, width, channels = pixels.shape
    made = bpy.data.images.new(name, width, height, alpha=channels == 4, float_buffer=linear)
    full = np.ones((height, width, 4), np.float32)
    full[..., :channels] = pixels
    made.colorspace_settings.name = "Non-Color" if linear else "sRGB"
    made.pixels.foreach_set(full[::-1].ravel())
    made.update()
    return made


class Nodes:
    """A material under construction."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.output = self.tree.nodes.new("ShaderNodeOutputMaterial")

    def add(self, kind: str, **inputs: Any) -> Any:
        """A node; inputs by name with underscores for spaces."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in inputs.items():
            node.inputs[name.replace("_", " ")].default_value = value
        return node

    def link(self, source: Any, target: Any) -> None:
        """Connects an output to an input."""
        self.tree.links.new(source, target)

    def finish(self, node: Any) -> Any:
        """The material that shows this node."""
        self.link(node.outputs[0], self.output.inputs[0])
        return self.material


def skin(
    rgb: Array, height: Array, *, roughness: float, coat: float, bump: float, scatter: float
) -> Any:
    """Skin: texture, bump map, fine noise, subsurface scattering.

    Args:
        rgb: sRGB texture.
        height: Plane of the bump map, 0..1.
        roughness: Of the surface.
        coat: Weight of the oily layer.
        bump: Strength of the bump map.
        scatter: Mean distance of red light under the skin, in metres.
    """
    n = Nodes("skin")
    texture = n.add("TexImage")
    texture.image = image(rgb, "skin")
    relief = n.add("TexImage")
    relief.image = image(np.repeat(height[..., None], 3, 2), "relief", linear=True)
    pores = n.add("TexNoise", Scale=900.0, Detail=2.0)
    n.link(n.add("TexCoord").outputs["Object"], pores.inputs["Vector"])
    fine = n.add("Bump", Strength=0.25, Distance=0.0004)
    n.link(pores.outputs[0], fine.inputs["Height"])
    coarse = n.add("Bump", Strength=bump, Distance=0.0011)
    n.link(relief.outputs[0], coarse.inputs["Height"])
    n.link(fine.outputs[0], coarse.inputs["Normal"])
    surface = n.add(
        "BsdfPrincipled",
        Subsurface_Weight=1.0,
        Subsurface_Radius=(1.0, 0.32, 0.16),
        Subsurface_Scale=scatter,
        Roughness=roughness,
        Specular_IOR_Level=0.42,
        IOR=1.4,
        Coat_Weight=coat,
        Coat_Roughness=0.3,
    )
    n.link(texture.outputs[0], surface.inputs["Base Color"])
    n.link(coarse.outputs[0], surface.inputs["Normal"])
    return n.finish(surface)


def plain(
    name: str, rgb: Colour, *, roughness: float = 0.6, scatter: float = 0.0, metal: float = 0.0
) -> Any:
    """One colour (linear)."""
    n = Nodes(name)
    surface = n.add("BsdfPrincipled", Base_Color=(*rgb, 1.0), Roughness=roughness, Metallic=metal)
    if scatter:
        surface.inputs["Subsurface Weight"].default_value = scatter
        surface.inputs["Subsurface Scale"].default_value = 0.003
    return n.finish(surface)


def card(
    name: str, path: Path, rgb: Colour | None, *, alpha: float = 1.0, tint: Colour = (1, 1, 1)
) -> Any:
    """Textured strips with an alpha channel: brows, lashes, teeth, hair.

    Args:
        name: Of the material.
        path: RGBA texture.
        rgb: One linear colour for all of it; None keeps the texture's own times ``tint``.
        alpha: Factor on the opacity.
        tint: Factor on the colours of the texture.
    """
    n = Nodes(name)
    texture = n.add("TexImage")
    texture.image = bpy.data.images.load(str(path), check_existing=True)
    texture.image.alpha_mode = "CHANNEL_PACKED"
    surface = n.add("BsdfPrincipled", Roughness=0.5, Specular_IOR_Level=0.35)
    if rgb is not None:
        surface.inputs["Base Color"].default_value = (*rgb, 1.0)
    else:
        mix = n.add("Mix")
        mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
        mix.inputs[0].default_value = 1.0
        mix.inputs[7].default_value = (*tint, 1.0)
        n.link(texture.outputs[0], mix.inputs[6])
        n.link(mix.outputs[2], surface.inputs["Base Color"])
    opacity = n.add("Math")
    opacity.operation, opacity.use_clamp = "MULTIPLY", True
    opacity.inputs[1].default_value = alpha
    n.link(texture.outputs[1], opacity.inputs[0])
    n.link(opacity.outputs[0], surface.inputs["Alpha"])
    return n.finish(surface)


def hair_card(path: Path, rgb: Colour) -> Any:
    """Hair cards: the texture's lightness over its mean, times the colour of the hair."""
    pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.float32) / 255
    solid = pixels[..., 3] > 0.5 if pixels.shape[2] == 4 else np.ones(pixels.shape[:2], bool)
    grey = pixels[..., :3][solid].mean(1)
    mean = np.where(grey < 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4).mean()
    gain = 1 / max(float(mean), 0.01)
    n = Nodes("hair card")
    texture = n.add("TexImage")
    texture.image = bpy.data.images.load(str(path), check_existing=True)
    texture.image.alpha_mode = "CHANNEL_PACKED"
    light = n.add("RGBToBW")
    n.link(texture.outputs[0], light.inputs[0])
    scale = n.add("VectorMath")
    scale.operation = "SCALE"
    scale.inputs[0].default_value = tuple(k * gain for k in rgb)
    n.link(light.outputs[0], scale.inputs["Scale"])
    surface = n.add("BsdfPrincipled", Roughness=0.5, Specular_IOR_Level=0.35, Anisotropic=0.4)
    n.link(scale.outputs[0], surface.inputs["Base Color"])
    n.link(texture.outputs[1], surface.inputs["Alpha"])
    return n.finish(surface)


def eye(pixels: Array) -> Any:
    """Sclera and iris."""
    n = Nodes("eye")
    texture = n.add("TexImage")
    texture.image = image(pixels, "eye")
    surface = n.add(
        "BsdfPrincipled", Roughness=0.35, Subsurface_Weight=0.35, Subsurface_Scale=0.001
    )
    n.link(texture.outputs[0], surface.inputs["Base Color"])
    return n.finish(surface)


def cornea() -> Any:
    """Clear, with the highlights of a wet surface."""
    n = Nodes("cornea")
    mix = n.add("MixShader")
    n.link(n.add("Fresnel", IOR=1.38).outputs[0], mix.inputs[0])
    n.link(n.add("BsdfTransparent").outputs[0], mix.inputs[1])
    n.link(n.add("BsdfGlossy", Roughness=0.03).outputs[0], mix.inputs[2])
    return n.finish(mix)


def hair(rgb: Colour, *, roughness: float) -> Any:
    """Strands of a colour that varies from strand to strand."""
    n = Nodes("hair")
    surface = n.add(
        "BsdfHairPrincipled", Roughness=roughness, Radial_Roughness=0.45, Coat=0.0, IOR=1.38
    )
    surface.parametrization = "COLOR"
    spread = n.add("MapRange", To_Min=0.6, To_Max=1.4)
    n.link(n.add("HairInfo").outputs["Random"], spread.inputs["Value"])
    scale = n.add("VectorMath")
    scale.operation = "SCALE"
    scale.inputs[0].default_value = rgb
    n.link(spread.outputs[0], scale.inputs["Scale"])
    n.link(scale.outputs[0], surface.inputs["Color"])
    return n.finish(surface)
