"""What a person names as data."""

import numpy as np
import pytest
import torch
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.own_pictures import measure_of, read_pictures
from evo_t2i.training.pool import load_pool


def settings(resolution, **more):
    return LafiteSettings(images=8, architecture=Architecture(resolution=resolution), **more)


def test_the_world_is_rendered_once_and_keeps_its_captions(tmp_path):
    told = []
    found = read_pictures(
        "world", settings(64), tmp_path, renders=6, progress=lambda *a: told.append(a)
    )
    assert told[-1] == (6, 6)
    pool = load_pool(tmp_path, 6, 1)
    assert np.array_equal(found.images, pool.images)
    assert all(
        set(said) == {pool.texts[i] for i in rows}
        for said, rows in zip(found.captions, pool.caption_rows, strict=True)
    )
    assert len(set(found.names)) == 6
    with pytest.raises(UsageError, match="rendered at 64 pixels for training; set `resolution`"):
        read_pictures("world", settings(32), tmp_path)


def test_a_folder_is_read_at_the_generators_size_and_as_far_as_captions_are_needed(tmp_path):
    home = tmp_path / "own"
    home.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (64, 64), "red").save(home / f"{name}.png")
    (home / "a.txt").write_text("red")
    found = read_pictures(str(home), settings(32), tmp_path / "out")
    assert found.images.shape == (1, 32, 32, 3)
    assert found.problems == {"pictures without caption": ["b.png"]}
    free = read_pictures(str(home), settings(32, language_free=1.0), tmp_path / "out")
    assert free.names == ["a.png", "b.png"]
    with pytest.raises(UsageError, match="FID and KID"):
        measure_of(found, settings(32), torch.device("cpu"), network="builtin")
