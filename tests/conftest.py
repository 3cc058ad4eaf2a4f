"""Random weights of the built-in models' shapes, so that features are tested without training.

And a hub on this machine, ``fake_hub`` and ``models``.
"""

import pytest
import torch
from fake_hub import fake_hub, models  # noqa: F401

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder

LABELS = "cat dog bird bus car boat house tree table cup flower ball balloon umbrella goggles hat"
CLIP_CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "patch_size": 16, "width": 64, "layers": 3, "head_width": 32},
    "things": {"kinds": 5, "worn": [4], "traits": [[1, 3, -1], [2, 1, -1]]},
    "dense": "clear",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory):
    """A weights folder with a random ``text``, ``clip`` and ``vgg``."""
    from evo_t2i.models import clip, text_side, vgg  # seconds that others need not wait
    from evo_t2i.models.trained_parts import trained_tensors

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    reader = {"width": 32, "layers": 1, "queries": 2, "outputs": 48}
    side = text_side.build(reader, minilm_folder())
    builtin.save(folder, "text", side.reader.state_dict(), {"reader": reader}, "")
    reader |= {"names": 5, "whole": [[1, 4, 3]], "traits": [[1, 3, 0], [2, 1, -1]]}
    model = clip.build(CLIP_CONFIG, text_side.build(reader, minilm_folder()))
    config = CLIP_CONFIG | {"reader": reader}
    builtin.save(folder, "clip", trained_tensors(model, clip.FROZEN), config, "")
    channels = [4, 4, "M", 8, 8, "M"]
    config = {"channels": channels, "labels": LABELS.split(), "image_size": 64}
    normalisation = {"mean": [0.5] * 3, "std": [0.5] * 3}
    builtin.save(
        folder, "vgg", vgg.build(channels, 16).state_dict(), {**config, **normalisation}, ""
    )
    return folder


@pytest.fixture
def random_models(random_weights, monkeypatch, tmp_path):
    """The built-in extractors load ``random_weights``; the cache is this test's own."""
    monkeypatch.setattr(builtin, "weights_folder", lambda: random_weights)
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory):
    """A folder in open_clip's form with a small random CLIP."""
    from small_clip import install  # seconds that tests without networks need not wait

    return install(tmp_path_factory.mktemp("small_clip"))
