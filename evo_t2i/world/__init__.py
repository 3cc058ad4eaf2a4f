"""The procedural captioned world that trains and measures the built-in models.

`sample_scene` draws a scene, `captions` describes it in English with a record of what each
caption names, `render` draws it at any size with a mask for each thing, and `export` writes a
folder of all three.
"""

from evo_t2i.world.export import export
from evo_t2i.world.grammar import (
    COLOURS,
    KIND_COLOURS,
    KINDS,
    NOTES_CAPTIONS,
    PALETTE,
    POSES,
    SCENES,
    TIMES,
    VIEWS,
    Caption,
    Scene,
    Thing,
    captions,
    describes,
    sample_scene,
    scene_for,
)
from evo_t2i.world.render import Rendering, render

__all__ = [
    "COLOURS",
    "KINDS",
    "KIND_COLOURS",
    "NOTES_CAPTIONS",
    "PALETTE",
    "POSES",
    "SCENES",
    "TIMES",
    "VIEWS",
    "Caption",
    "Rendering",
    "Scene",
    "Thing",
    "captions",
    "describes",
    "export",
    "render",
    "sample_scene",
    "scene_for",
]
