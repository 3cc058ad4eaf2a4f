"""PNG bytes and their texts."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from evo_t2i.config import RunConfig
from evo_t2i.runs.images import png_bytes, provenance, save_png


def noise(height=5, width=7):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_png_keeps_every_pixel_and_text(tmp_path):
    texts = {"parameters": "a cat\nSeed: 1", "evo_t2i": '{"caption":"雪 🐈 é"}'}
    save_png(tmp_path / "a.png", noise(), texts)
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), noise())
        assert picture.text == texts


def test_png_bytes_are_deterministic_and_carry_no_time():
    assert png_bytes(noise(), {"a": "b"}) == png_bytes(noise(), {"a": "b"})
    assert b"tIME" not in png_bytes(noise())


def test_metadata_is_bounded():
    png_bytes(noise(), {"k": "x" * (64 * 1024 - 1)})
    with pytest.raises(ValueError, match="65,537 bytes, more than 65,536"):
        png_bytes(noise(), {"k": "x" * 64 * 1024})


def settings_of(line):
    """Names and values as readers of such lines take them: to the next comma, or a JSON string."""
    found = re.findall(r'(\w[\w ]*): ("(?:\\.|[^"\\])*"|[^,]*)(?:, |$)', line)
    return {key: json.loads(value) if value.startswith('"') else value for key, value in found}


@pytest.mark.parametrize(
    ("generator", "shown"),
    [
        ("builtin", "builtin"),
        (
            "diffusers:/home/ann/models/sd-turbo,steps=1,size=64x32",
            "diffusers:sd-turbo,steps=1,size=64x32",
        ),
        ("diffusers:/home/ann/a, b/", "diffusers:a, b"),
        (
            "diffusers:stabilityai/sd-turbo,revision=refs/pr/1",
            "diffusers:sd-turbo,revision=refs/pr/1",
        ),
        ('lafite:../ann/a "good", net.pkl', 'lafite:a "good", net.pkl'),
        (r"lafite:C:\Users\ann\net.pkl", "lafite:net.pkl"),
    ],
)
def test_the_settings_can_be_taken_apart_and_hold_no_path(generator, shown):
    config = RunConfig(caption="a cat, at home", seed=7, generator=generator)
    texts = provenance(
        config, individual=3, generation=2, parents=(-1, -1), scores={"text_image": 0.5},
        latent=np.zeros(4, np.float32), size=(32, 64), models={"generator": "0123456789abcdef"},
    )  # fmt: skip
    prompt, line = texts["parameters"].split("\n")
    assert prompt == "a cat, at home"
    found = settings_of(line)
    assert found["Model"] == shown
    assert found["Model hash"] == "0123456789"
    assert (found["Steps"], found["Seed"], found["Size"]) == ("2", "7", "64x32")
    assert found["Version"].startswith("evo-t2i ")
    assert "ann" not in "".join(texts.values())
