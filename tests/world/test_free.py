"""Scenes that no grammar composes."""

import numpy as np
import pytest

from evo_t2i.world import KIND_COLOURS, free_scene, render, truth_of


@pytest.fixture(scope="module")
def scenes():
    return [free_scene(np.random.default_rng([3, index])) for index in range(200)]


def test_the_same_stream_gives_the_same_scene(scenes):
    assert free_scene(np.random.default_rng([3, 7])) == scenes[7]


def test_things_are_in_the_picture_in_colours_of_their_kinds(scenes):
    for scene in scenes:
        assert 1 <= len(scene.things) <= 3
        for thing in scene.things:
            assert thing.colour in KIND_COLOURS[thing.kind]
            assert 0 <= thing.box[0] < thing.box[2] <= 1
            assert 0 <= thing.box[1] < thing.box[3] <= 1


def test_each_thing_is_mostly_seen(scenes):
    for scene in scenes[:60]:
        alone = [
            render(type(scene)(**{**vars(scene), "things": (thing,)}), 64, with_masks=True).masks[0]
            for thing in scene.things
        ]
        together = render(scene, 64, with_masks=True).masks
        for whole, left in zip(alone, together, strict=True):
            assert left.sum() > 0.5 * whole.sum()


def test_nothing_is_said_of_how_they_stand(scenes):
    shown = truth_of(scenes)
    assert not shown.subjects.any()
    assert (shown.counts.max(axis=1) >= 1).all()
