"""PNG bytes and their texts."""

import numpy as np
import pytest
from PIL import Image

from evo_t2i.runs.images import png_bytes, save_png


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
