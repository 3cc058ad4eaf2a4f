"""FID and KID against their formulas; the measure of a generator."""

import numpy as np
import pytest
import torch
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.training import fidelity
from evo_t2i.training.architecture import Architecture, fresh_generator
from evo_t2i.training.data import prepare
from evo_t2i.training.fidelity import Fidelity, fid_and_kid
from evo_t2i.training.frozen import FrozenClip, load_frozen_classifier
from evo_t2i.training.lafite_model import Draw

CPU = torch.device("cpu")


def gaussian(count, mean, scale, seed, width=4):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator) * scale + mean


def test_fid_and_kid_by_their_formulas():
    pytest.importorskip("torchmetrics")
    from scipy.linalg import sqrtm

    real, drawn = gaussian(60, 0.0, 1.0, 1), gaussian(60, 0.7, 1.5, 2)
    found = fid_and_kid(real, drawn)
    a, b = real.double().numpy(), drawn.double().numpy()
    root = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert found["fid"] == pytest.approx(wanted, abs=1e-3)

    def kernel(x, y):
        return (x @ y.T / 4 + 1) ** 3

    n, aa, bb = 60, kernel(a, a), kernel(b, b)
    within = (aa.sum() - np.trace(aa) + bb.sum() - np.trace(bb)) / (n * (n - 1))
    whole, deviation = within - 2 * kernel(a, b).mean(), found["kid_deviation"]
    assert deviation > 0
    assert found["kid"] == pytest.approx(whole, abs=4 * deviation / 100**0.5)  # of 100 subsets


def test_equal_distributions_are_near_and_the_same_seed_gives_the_same_number():
    pytest.importorskip("torchmetrics")
    real, alike, other = gaussian(400, 0, 1, 1), gaussian(300, 0, 1, 2), gaussian(300, 1, 1, 3)
    assert fid_and_kid(real, alike)["fid"] < 0.1 < fid_and_kid(real, other)["fid"]
    assert abs(fid_and_kid(real, alike)["kid"]) < 0.05 < fid_and_kid(real, other)["kid"]
    assert fid_and_kid(real, other, seed=4) == fid_and_kid(real, other, seed=4)


def test_a_generator_is_measured_by_captions_and_pictures(tmp_path):
    pytest.importorskip("torchmetrics")
    home = tmp_path / "own"
    home.mkdir()
    rng = np.random.default_rng(0)
    for index in range(12):
        pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(home / f"{index}.png")
        (home / f"{index}.txt").write_text("noise")
    pictures = prepare(home, 32, tmp_path / "read")
    clip, classifier = FrozenClip("builtin", CPU), load_frozen_classifier("builtin", CPU)
    measure = Fidelity(pictures, clip, classifier, CPU, count=12)
    sizes = {"resolution": 32, "channel_base": 128, "channel_max": 8}
    model = fresh_generator(Architecture(**sizes), clip.size, 0).eval().requires_grad_(False)
    texts = clip.texts(["noise", "a cat"])
    draw = Draw(model, texts, ["noise", "a cat"])
    found = measure(draw)
    assert found.keys() == {"fid", "kid", "kid_deviation", "clip_score"}
    assert found["fid"] > 0
    assert 0 <= found["clip_score"] <= 100
    assert measure(draw) == found
    for index in range(3):
        (home / f"{index}.png").unlink()
    few = prepare(home, 32, tmp_path / "read")
    with pytest.raises(UsageError, match="FID and KID of 9 pictures say nothing"):
        Fidelity(few, clip, classifier, CPU)


def test_without_torchmetrics_its_command_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torchmetrics.image.fid", None)
    with pytest.raises(UsageError, match=r"run `pip install 'evo-t2i\[metrics\]'`"):
        fidelity.fid_and_kid(torch.zeros(3, 2), torch.zeros(3, 2))
