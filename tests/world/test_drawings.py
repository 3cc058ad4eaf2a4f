"""Pictures: determinism, masks, room for everything, agreement between sizes, colours."""

import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.world import KINDS, PALETTE, VIEWS, Caption, Scene, export, render, sample_scene
from evo_t2i.world.arrangements import SKY
from evo_t2i.world.render import mask_boxes


@pytest.fixture(scope="module")
def scenes():
    rng = np.random.default_rng(0)
    return [sample_scene(rng) for _ in range(700)]


def test_rendering_is_a_pure_function_of_the_scene(scenes):
    for scene in scenes[:20]:
        first, second = render(scene, 64, with_masks=True), render(scene, 64)
        assert np.array_equal(first.image, second.image)
        assert first.image.shape == (64, 64, 3)
        assert first.image.dtype == np.uint8
        assert second.masks.shape == (0, 64, 64)
        assert second.boxes.shape == (0, 4)


def test_everything_can_be_seen_and_masks_do_not_overlap(scenes):
    for scene in scenes:
        rendering = render(scene, 64, with_masks=True)
        assert rendering.masks.shape == (len(scene.things), 64, 64)
        assert rendering.masks.sum(axis=0, dtype=int).max(initial=0) <= 1
        for mask, thing in zip(rendering.masks, scene.things, strict=True):
            assert mask.sum() >= 80, (thing, scene.arrangement)


def test_things_stay_in_the_picture(scenes):
    for scene in scenes:
        for thing in scene.things:
            x0, y0, x1, y1 = thing.box
            assert -0.03 <= x0 < x1 <= 1.03, (thing, scene.arrangement)
            assert -0.08 <= y0 < y1 <= 1.01, (thing, scene.arrangement)


def test_things_side_by_side_do_not_overlap(scenes):
    for scene in scenes:
        if scene.arrangement not in ("beside", "row", "one"):
            continue
        if any(thing.pose == "flying" or thing.kind in SKY for thing in scene.things):
            continue
        boxes = sorted(thing.box for thing in scene.things)
        for first, second in pairwise(boxes):
            assert first[2] <= second[0] + 0.002, scene


def test_what_stands_behind_remains_in_sight(scenes):
    """At least two fifths of everything are seen, whatever stands before it."""
    for scene in scenes:
        if scene.arrangement not in ("on", "under", "in front of"):
            continue
        seen = render(scene, 64, with_masks=True).masks
        for index, thing in enumerate(scene.things):
            alone = Scene(
                scene.scene, scene.time, "one", (thing,), scene.view, scene.mirrored, 0.5, ()
            )
            whole = render(alone, 64, with_masks=True).masks[0].sum()
            assert seen[index].sum() >= 0.4 * whole, scene


def test_what_is_over_something_is_clear_of_it(scenes):
    for scene in scenes:
        if scene.arrangement == "over":
            assert scene.things[0].box[3] < scene.things[1].box[1] + 0.001


@pytest.mark.parametrize("size", [128, 256])
def test_sizes_agree(scenes, size):
    for scene in scenes[:14]:
        small, large = render(scene, 64, True), render(scene, size, True)
        reduced = np.asarray(Image.fromarray(large.image).reduce(size // 64), dtype=float)
        assert np.abs(reduced - small.image).mean() < 3.0
        for mask, big in zip(small.masks, large.masks, strict=True):
            halves = big.reshape(64, size // 64, 64, size // 64).mean(axis=(1, 3)) >= 0.5
            assert (mask & halves).sum() / (mask | halves).sum() > 0.8


@pytest.mark.parametrize("time", ["day", "sunset", "night"])
@pytest.mark.parametrize("kind", ["bus", "car", "ball", "umbrella", "cup", "sofa", "chair", "book"])
def test_mean_colour_is_nearest_to_the_named_one(kind, time):
    rng = np.random.default_rng(6)
    for colour in ("red", "yellow", "blue"):
        scene = sample_scene(rng, Caption("", None, time, ((kind, colour, 1),)))
        index = [thing.kind for thing in scene.things].index(kind)
        rendering = render(scene, 64, with_masks=True)
        seen = rendering.image[rendering.masks[index]].astype(float)
        vivid = seen[np.ptp(seen, axis=1) > 60]
        mean = np.median(vivid, axis=0)
        hues = {}
        for name in ("red", "yellow", "green", "blue"):
            value = np.array(PALETTE[name], float) - np.mean(PALETTE[name])
            centred = mean - mean.mean()
            hues[name] = centred @ value / np.linalg.norm(value) / np.linalg.norm(centred)
        assert max(hues, key=hues.get) == colour


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_in_every_colour_it_has(kind):
    from evo_t2i.world import KIND_COLOURS

    rng = np.random.default_rng(8)
    scene = sample_scene(rng, Caption("", things=((kind, None, 1),)))
    index = next(i for i, thing in enumerate(scene.things) if thing.kind == kind)
    pictures = []
    for colour in KIND_COLOURS[kind]:
        things = list(scene.things)
        old = things[index]
        things[index] = type(old)(kind, colour, old.box, old.mirrored, old.pose, old.slot)
        pictures.append(
            render(
                Scene(
                    scene.scene,
                    "day",
                    scene.arrangement,
                    tuple(things),
                    scene.view,
                    scene.mirrored,
                    0.5,
                    (),
                ),
                64,
            ).image.astype(int)
        )
    for first in range(len(pictures)):
        for second in range(first):
            assert np.abs(pictures[first] - pictures[second]).mean() > 0.3


def test_times_of_day_differ_in_brightness_and_warmth():
    rng = np.random.default_rng(7)
    means = {}
    for time in ("day", "sunset", "night"):
        caption = Caption("", None, time)
        images = [render(sample_scene(rng, caption), 64).image for _ in range(40)]
        means[time] = np.mean(images, axis=(0, 1, 2))
    assert means["night"].sum() < 0.6 * means["day"].sum()
    assert means["sunset"][0] - means["sunset"][2] > 50 > means["day"][0] - means["day"][2]


def test_a_view_is_the_same_backdrop_each_time():
    def bare(view: int, drift: float) -> np.ndarray:
        return render(Scene("room", "day", "empty", (), view, False, drift, ()), 64).image

    pictures = [bare(view, 0.1) for view in range(VIEWS)]
    for view, picture in enumerate(pictures):
        assert np.array_equal(picture, bare(view, 0.9))  # a room has no sun that could drift
        assert not any(np.array_equal(picture, other) for other in pictures[:view])


def test_mask_boxes_have_exclusive_ends():
    masks = np.zeros((2, 8, 8), bool)
    masks[0, 2:5, 1:7] = True
    assert mask_boxes(masks).tolist() == [[1, 2, 7, 5], [0, 0, 0, 0]]


def test_export_writes_what_render_draws(tmp_path):
    seen = []
    export(tmp_path / "a", 6, 9, 64, lambda done, count: seen.append((done, count)))
    export(tmp_path / "b", 6, 9, 64)
    assert seen[-1] == (6, 6)
    lines = (tmp_path / "a" / "captions.jsonl").read_text()
    assert lines == (tmp_path / "b" / "captions.jsonl").read_text()
    for record in map(json.loads, lines.splitlines()):
        image = np.asarray(Image.open(tmp_path / "a" / record["file"]))
        assert image.shape == (64, 64, 3)
        assert np.array_equal(image, np.asarray(Image.open(tmp_path / "b" / record["file"])))
        assert record["captions"]
        for thing in record["things"]:
            mask = np.asarray(Image.open(tmp_path / "a" / thing["mask"])) > 127
            assert mask_boxes(mask[None])[0].tolist() == thing["box"]


def test_export_refuses_a_folder_with_contents(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="empty folder"):
        export(tmp_path, 1, 0, 64)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
