import numpy as np
import torch
from PIL import Image

from evo_t2i.features.preprocess import normalise, resize


def test_the_right_size_is_left_alone():
    images = torch.rand(2, 3, 64, 64)
    assert resize(images, (64, 64)) is images


def test_shrinking_agrees_with_pillow_bicubic():
    pixels = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)) / 255
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    found = resize(images, (64, 64))[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).mean() < 0.005


def test_an_edge_does_not_overshoot():
    images = torch.zeros(1, 3, 10, 10)
    images[..., 5:] = 1.0
    larger = resize(images, (64, 64))
    assert larger.min() == 0.0
    assert larger.max() == 1.0


def test_normalise_centres_and_scales_each_channel():
    images = torch.tensor([0.5, 0.4, 1.0]).view(1, 3, 1, 1)
    found = normalise(images, (0.5, 0.2, 0.0), (1.0, 0.1, 0.5)).flatten()
    torch.testing.assert_close(found, torch.tensor([0.0, 2.0, 2.0]))
