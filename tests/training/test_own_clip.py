"""A CLIP of one's own, from nothing and from a trained one."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from evo_t2i.checkpoints.small_clip import is_small_clip, load_small_clip
from evo_t2i.config import ScorerModels
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.training.data import prepare
from evo_t2i.training.own_clip import recall, side_of, train_own_clip
from evo_t2i.training.own_settings import ClipSettings

CPU = torch.device("cpu")
COLOURS = ("red", "green", "blue", "black")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two dozen plain pictures of four colours, each with its colour for a caption."""
    home = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    for index in range(24):
        plain = np.asarray(Image.new("RGB", (32, 32), COLOURS[index % 4]), np.int64)
        noisy = (plain + rng.integers(-30, 30, plain.shape)).clip(0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(home / f"{index}.png")
        (home / f"{index}.txt").write_text(f"a {COLOURS[index % 4]} picture")
    return prepare(home, 32, tmp_path_factory.mktemp("read"))


def settings(**more):
    return ClipSettings(
        **{"images": 96, "batch": 8, "report_every": 48, "held_out": 0.3, "resolution": 32} | more
    )


def test_recall_counts_rows_with_a_true_column_among_the_nearest():
    similarities = torch.tensor([[0.9, 0.1, 0.5], [0.9, 0.2, 0.5], [0.9, 0.8, 0.1]])
    truth = torch.eye(3, dtype=torch.bool)
    assert [recall(similarities, truth, first) for first in (1, 2, 3)] == [
        pytest.approx(1 / 3), pytest.approx(1 / 3), 1.0,
    ]  # fmt: skip
    truth[1, 0] = True  # an equal caption is right as well
    assert recall(similarities, truth, 1) == pytest.approx(2 / 3)


@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_from_nothing_it_learns_and_is_read_by_the_scorers(pictures, tmp_path, loss):
    found = train_own_clip(pictures, settings(loss=loss), tmp_path, CPU)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [48, 96]
    assert lines[1]["loss"] < lines[0]["loss"]
    assert 0 <= lines[0]["waiting_for_data"] < 1
    assert found["image_to_text_r5"] >= found["image_to_text_r1"] > 0
    assert is_small_clip(tmp_path / "model")
    chosen = ScorerModels(clip=f"local-dir:{tmp_path / 'model'}")
    features = ClipFeatures(device=CPU, models=chosen)
    image = features.images(torch.rand(2, 3, 40, 40), {})
    assert image["clip.image"].shape == (2, 256)
    assert image["clip.dense"].shape == (2, 64, 256)
    assert "sha256" in (tmp_path / "model" / "CARD.md").read_text()


def test_it_goes_on_from_a_folder_of_open_clips(pictures, small_clip, tmp_path):
    spec = f"local-dir:{small_clip}"
    assert side_of(settings(start=spec, resolution=0)) == 32
    chosen = settings(start=spec, images=16, report_every=16, rate=1e-3)
    train_own_clip(pictures, chosen, tmp_path, CPU)
    before = load_file(small_clip / "open_clip_model.safetensors")
    after = load_file(tmp_path / "model" / "open_clip_model.safetensors")
    assert before.keys() == after.keys()
    for tower in ("visual.proj", "text_projection"):
        assert not torch.equal(before[tower], after[tower])
    features = ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{tmp_path / 'model'}"))
    assert features.embed(["red"]).shape == (1, before["text_projection"].shape[1])
    assert str(small_clip) not in (tmp_path / "model" / "CARD.md").read_text()


def test_it_goes_on_from_one_of_its_kind(pictures, tmp_path):
    train_own_clip(pictures, settings(images=8), tmp_path / "first", CPU)
    spec = f"local-dir:{tmp_path / 'first' / 'model'}"
    assert side_of(settings(start=spec, resolution=0)) == 32
    train_own_clip(pictures, settings(images=8, start=spec), tmp_path / "second", CPU)
    one, other = (load_small_clip(tmp_path / n / "model") for n in ("first", "second"))
    assert one.config == other.config
    moved = max((one.tensors[k] - other.tensors[k]).abs().max() for k in one.tensors)
    assert 0 < moved < 1e-3


def test_folders_that_are_not_what_was_written_are_refused(pictures, tmp_path):
    train_own_clip(pictures, settings(images=8), tmp_path, CPU)
    model = tmp_path / "model"
    config = json.loads((model / "config.json").read_text())
    for key, value, said in (
        ("sentence_encoder", "0" * 64, "asks for the sentence encoder 000000000000"),
        ("vision_cfg", config["vision_cfg"] | {"timm_model_name": "x"}, "from another library"),
        ("vision_cfg", config["vision_cfg"] | {"layers": 999}, "expected 1 to 256"),
    ):
        (model / "config.json").write_text(json.dumps(config | {key: value}))
        with pytest.raises(ModelError, match=said):
            load_small_clip(model)


def test_what_cannot_be_trained_is_said(pictures, tmp_path):
    with pytest.raises(UsageError, match="give more pictures, or another `held_out`"):
        train_own_clip(pictures, settings(held_out=0.0001), tmp_path, CPU)
    for wrong, said in (
        ({"loss": "clap"}, "did you mean 'clip'"),
        ({"balance": 1.5}, "`balance` is 1.5; give a number from 0 to 1"),
        ({"resolution": 30}, "a multiple of 8"),
    ):
        with pytest.raises(UsageError, match=said):
            settings(**wrong)
