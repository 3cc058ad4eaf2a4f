"""The procedural captioned world that trains and measures the built-in models.

`sample_scene` draws a scene, `scene_of` makes one of a caption and a latent, `captions` describes
it in English with a record of what each caption names, `truth_of` turns scenes and captions into
arrays, `render` draws at any size with a mask for each thing, and `export` writes a folder of it
all.

How a scene is chosen is written once, in `choices`; what may occur together in `arrangements`,
where things stand in `layout`, what they look like in one file a family of things, and the words
in `words`.
"""

from evo_t2i.world.asked import Caption
from evo_t2i.world.choices import (
    AMOUNTS,
    CHOICES,
    LATENT_LAYOUT,
    LATENT_SIZE,
    Choice,
    choices_of,
    sample_scene,
    scene_from_choices,
    scene_of,
)
from evo_t2i.world.export import export
from evo_t2i.world.free import free_scene
from evo_t2i.world.grammar import (
    CAPTION_KINDS,
    NOTES_CAPTIONS,
    captions,
    describes,
    kind_of_caption,
)
from evo_t2i.world.kinds import (
    COLOURS,
    GROUPS,
    KIND_COLOURS,
    KINDS,
    NAMES,
    PALETTE,
    POSES,
    RELATIONS,
    SCENES,
    TIMES,
    VIEWS,
)
from evo_t2i.world.render import Rendering, render
from evo_t2i.world.scenes import Scene, Thing
from evo_t2i.world.truth import (
    Sighting,
    Truth,
    holds,
    share_of_own,
    shows_own,
    truth_of,
    truth_of_sightings,
)
from evo_t2i.world.words import HELD_OUT_WORDS

__all__ = [
    "AMOUNTS",
    "CAPTION_KINDS",
    "CHOICES",
    "COLOURS",
    "GROUPS",
    "HELD_OUT_WORDS",
    "KINDS",
    "KIND_COLOURS",
    "LATENT_LAYOUT",
    "LATENT_SIZE",
    "NAMES",
    "NOTES_CAPTIONS",
    "PALETTE",
    "POSES",
    "RELATIONS",
    "SCENES",
    "TIMES",
    "VIEWS",
    "Caption",
    "Choice",
    "Rendering",
    "Scene",
    "Sighting",
    "Thing",
    "Truth",
    "captions",
    "choices_of",
    "describes",
    "export",
    "free_scene",
    "holds",
    "kind_of_caption",
    "render",
    "sample_scene",
    "scene_from_choices",
    "scene_of",
    "share_of_own",
    "shows_own",
    "truth_of",
    "truth_of_sightings",
]
