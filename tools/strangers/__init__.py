# SPDX-License-Identifier: GPL-3.0-or-later
"""Portraits of people who do not exist: CC0 meshes and skins, our own morphs, Blender's Cycles."""
