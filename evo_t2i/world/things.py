"""Which drawing belongs to which kind, and the shadows under things."""

from collections.abc import Callable

from evo_t2i.world.animals import bird, cat, dog
from evo_t2i.world.belongings import apple, ball, book, cake, cup, flower, goggles, hat, umbrella
from evo_t2i.world.buildings import castle, house, lighthouse, tree
from evo_t2i.world.farm import cow, duck, fish, horse, rabbit, sheep
from evo_t2i.world.furniture import bench, chair, lamp, sofa, table
from evo_t2i.world.kinds import KINDS
from evo_t2i.world.pen import Look, Pen, oval
from evo_t2i.world.people import boy, girl, man, robot, teddy_bear, woman
from evo_t2i.world.scenes import Scene, Thing
from evo_t2i.world.vehicles import airplane, balloon, bicycle, boat, bus, car, rocket, train, truck

_DRAWINGS: dict[str, Callable[[Pen, Look], None]] = {
    "cat": cat,
    "dog": dog,
    "bird": bird,
    "horse": horse,
    "cow": cow,
    "sheep": sheep,
    "rabbit": rabbit,
    "duck": duck,
    "fish": fish,
    "teddy bear": teddy_bear,
    "man": man,
    "woman": woman,
    "boy": boy,
    "girl": girl,
    "robot": robot,
    "bus": bus,
    "car": car,
    "truck": truck,
    "train": train,
    "bicycle": bicycle,
    "airplane": airplane,
    "rocket": rocket,
    "boat": boat,
    "balloon": balloon,
    "house": house,
    "castle": castle,
    "lighthouse": lighthouse,
    "tree": tree,
    "table": table,
    "chair": chair,
    "sofa": sofa,
    "bench": bench,
    "lamp": lamp,
    "cup": cup,
    "book": book,
    "apple": apple,
    "cake": cake,
    "flower": flower,
    "ball": ball,
    "umbrella": umbrella,
    "goggles": goggles,
    "hat": hat,
}
assert set(_DRAWINGS) == set(KINDS)


def draw_thing(pen: Pen, kind: str, look: Look) -> None:
    """Draw one thing of `kind` with `pen`, whose box says where."""
    _DRAWINGS[kind](pen, look)


def draw_shadow(pen: Pen, scene: Scene, thing: Thing) -> None:
    """The soft dark ellipse on the ground under a thing that stands on something."""
    if scene.scene in ("portrait", "tree", "sea", "skyline") or thing.kind == "boat":
        return
    if thing.pose in ("flying", "branch", "riding") or thing.kind in ("balloon", "airplane"):
        return
    if scene.arrangement == "over" and thing.slot == 0:
        return
    if thing.kind == "rocket":
        return
    # As deep as the thing is wide, whatever its height.
    x0, y0, x1, y1 = thing.box
    depth = min(0.09, 0.14 * (x1 - x0)) / (y1 - y0)
    pen.veil((10, 10, 30), 0.14, oval(0.5, 0.985, 0.54, round(depth, 3)))
    pen.veil((10, 10, 30), 0.16, oval(0.5, 0.985, 0.45, round(0.7 * depth, 3)))
