"""What a person names as data."""

import numpy as np
import pytest
import torch
from PIL import Image

from evo_t2i import world
from evo_t2i.errors import UsageError
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.own_pictures import measure_of, read_pictures


def test_the_world_is_rendered_once_at_any_size_and_keeps_its_captions(tmp_path):
    told = []
    found = read_pictures(
        "world", 32, tmp_path, renders=3, workers=1, progress=lambda *a: told.append(a)
    )
    assert told == [(3, 3)]
    for index in range(3):
        rng = np.random.default_rng([1, index])
        scene = world.sample_scene(rng)
        assert np.array_equal(found.images[index], world.render(scene, 32).image)
        said = {caption.text for caption in world.captions(scene, rng, 2)}
        assert set(found.captions[index]) == said
    assert len(set(found.names)) == 3
    again = read_pictures("world", 32, tmp_path, renders=3, progress=lambda *a: told.append(a))
    assert (again.digest, len(told)) == (found.digest, 1)
    with pytest.raises(UsageError, match="`renders` is 0; give 1 or more"):
        read_pictures("world", 32, tmp_path, renders=0)


def test_a_folder_is_read_at_the_wanted_size_and_as_far_as_captions_are_needed(tmp_path):
    home = tmp_path / "own"
    home.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (64, 64), "red").save(home / f"{name}.png")
    (home / "a.txt").write_text("red")
    found = read_pictures(str(home), 32, tmp_path / "out")
    assert found.images.shape == (1, 32, 32, 3)
    assert found.problems == {"pictures without caption": ["b.png"]}
    free = read_pictures(str(home), 32, tmp_path / "out", captioned=False)
    assert free.names == ["a.png", "b.png"]
    settings = LafiteSettings(images=8)
    with pytest.raises(UsageError, match="FID and KID"):
        measure_of(found, settings, torch.device("cpu"), network="builtin")
