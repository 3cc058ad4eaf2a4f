"""Pictures: determinism, masks, agreement between sizes, colours."""

import json

import numpy as np
import pytest
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.world.export import export
from evo_t2i.world.grammar import PALETTE, VIEWS, Caption, Scene, sample_scene, scene_for
from evo_t2i.world.render import mask_boxes, render


def scenes(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [sample_scene(rng) for _ in range(count)]


def test_rendering_is_a_pure_function_of_the_scene():
    for scene in scenes(20):
        first, second = render(scene, 64, with_masks=True), render(scene, 64)
        assert np.array_equal(first.image, second.image)
        assert first.image.shape == (64, 64, 3)
        assert first.image.dtype == np.uint8
        assert second.masks.shape == (0, 64, 64)
        assert second.boxes.shape == (0, 4)


def test_every_thing_is_visible_and_masks_do_not_overlap():
    for scene in scenes(200):
        rendering = render(scene, 64, with_masks=True)
        assert rendering.masks.shape == (len(scene.things), 64, 64)
        assert rendering.masks.sum(axis=0, dtype=int).max(initial=0) <= 1
        for mask, box, thing in zip(rendering.masks, rendering.boxes, scene.things, strict=True):
            assert mask.sum() >= 60, thing
            x0, y0, x1, y1 = box
            assert 0 <= x0 < x1 <= 64
            assert 0 <= y0 < y1 <= 64
            assert mask[y0:y1, x0:x1].sum() == mask.sum()


def test_drawings_fill_their_boxes():
    for scene in scenes(200, seed=1):
        rendering = render(scene, 64, with_masks=True)
        if not scene.things or scene.relation == "wearing":
            continue
        wanted = np.clip(np.array(scene.things[0].box) * 64, 0, 64)
        assert np.abs(wanted - rendering.boxes[0]).max() <= 6, scene.things[0]


def test_main_things_are_big():
    longest = []
    for scene in scenes(200, seed=2):
        if scene.things:
            x0, y0, x1, y1 = render(scene, 64, with_masks=True).boxes[0]
            longest.append(max(x1 - x0, y1 - y0) / 64)
    assert min(longest) > 0.33
    assert np.median(longest) > 0.45


@pytest.mark.parametrize("size", [128, 256])
def test_sizes_agree(size):
    for scene in scenes(12, seed=3):
        small, large = render(scene, 64, True), render(scene, size, True)
        reduced = np.asarray(Image.fromarray(large.image).reduce(size // 64), dtype=float)
        assert np.abs(reduced - small.image).mean() < 3.0
        for mask, big in zip(small.masks, large.masks, strict=True):
            halves = big.reshape(64, size // 64, 64, size // 64).mean(axis=(1, 3)) >= 0.5
            assert (mask & halves).sum() / (mask | halves).sum() > 0.85


@pytest.mark.parametrize("time", ["day", "sunset", "night"])
@pytest.mark.parametrize("kind", ["bus", "car", "ball", "umbrella", "balloon", "cup", "flower"])
def test_mean_colour_is_nearest_to_the_named_one(kind, time):
    rng = np.random.default_rng(6)
    for colour in ("red", "yellow", "blue"):
        if (kind, colour) == ("flower", "blue"):
            continue
        scene = scene_for(Caption("", None, time, ((kind, colour),)), rng)
        index = [thing.kind for thing in scene.things].index(kind)
        rendering = render(scene, 64, with_masks=True)
        mean = rendering.image[rendering.masks[index]].astype(float)
        centred = np.median(mean, axis=0) - np.median(mean, axis=0).mean()
        hues = {}
        for name in ("red", "yellow", "green", "blue"):
            value = np.array(PALETTE[name], float) - np.mean(PALETTE[name])
            hues[name] = centred @ value / np.linalg.norm(value) / np.linalg.norm(centred)
        assert max(hues, key=hues.get) == colour


def test_times_of_day_differ_in_brightness_and_warmth():
    rng = np.random.default_rng(7)
    means = {}
    for time in ("day", "sunset", "night"):
        images = [render(sample_scene(rng, None, time)).image for _ in range(40)]
        means[time] = np.mean(images, axis=(0, 1, 2))
    assert means["night"].sum() < 0.6 * means["day"].sum()
    assert means["sunset"][0] - means["sunset"][2] > 50 > means["day"][0] - means["day"][2]


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


def test_a_view_is_the_same_backdrop_whatever_else_the_seed_says():
    def bare(view: int, drift: int) -> np.ndarray:
        return render(Scene("room", "day", (), "", 2 * view + 2 * VIEWS * drift), 64).image

    pictures = [bare(view, 0) for view in range(VIEWS)]
    for view, picture in enumerate(pictures):
        assert np.array_equal(picture, bare(view, 7))  # a room has no sun that could drift
        assert not any(np.array_equal(picture, other) for other in pictures[:view])
