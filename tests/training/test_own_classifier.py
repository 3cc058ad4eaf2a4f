"""A classifier of one's own."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.features.classifiers import build_architecture, load_classifier
from evo_t2i.training.data import prepare
from evo_t2i.training.own_classifier import side_of, train_own_classifier
from evo_t2i.training.own_settings import ClassifierSettings

CPU = torch.device("cpu")
COLOURS = ("red", "green", "blue", "black")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty plain pictures in a folder for each of four colours."""
    home = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    for index in range(40):
        colour = COLOURS[index % 4]
        plain = np.asarray(Image.new("RGB", (32, 32), colour), np.int64)
        noisy = (plain + rng.integers(-30, 30, plain.shape)).clip(0, 255)
        (home / colour).mkdir(exist_ok=True)
        Image.fromarray(noisy.astype(np.uint8)).save(home / colour / f"{index}.png")
    return prepare(home, 32, tmp_path_factory.mktemp("read"), label="label")


def settings(**more):
    return ClassifierSettings(
        **{"images": 160, "batch": 16, "report_every": 80, "held_out": 0.3, "resolution": 32} | more
    )


@pytest.mark.parametrize(
    "architecture", ["vgg", "torchvision:shufflenet_v2_x0_5", "timm:test_resnet"]
)
def test_any_architecture_is_trained_saved_and_read_by_the_scorers(
    pictures, tmp_path, architecture
):
    images = 400 if architecture == "vgg" else 16
    found = train_own_classifier(
        pictures, settings(images=images, architecture=architecture), tmp_path, CPU
    )
    assert 0 <= found["top1"] <= 1
    assert found["labels_only_held_out"] == 0
    if architecture == "vgg":
        assert found["top1"] > 0.6  # chance is a quarter
    classifier = load_classifier(str(tmp_path / "model"))
    assert classifier.labels == tuple(sorted(COLOURS))
    with torch.no_grad():
        assert classifier.model.eval()(torch.rand(2, 3, 32, 32)).shape == (2, 4)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["image_size"] == 32


def test_it_goes_on_from_a_classifier_with_a_last_layer_of_its_own(pictures, tmp_path):
    train_own_classifier(pictures, settings(images=16), tmp_path / "first", CPU)
    start = str(tmp_path / "first" / "model")
    assert side_of(settings(start=start, resolution=0), CPU) == 32
    train_own_classifier(pictures, settings(images=16, start=start), tmp_path / "second", CPU)
    one, other = (load_classifier(str(tmp_path / n / "model")) for n in ("first", "second"))
    first, second = one.model.state_dict(), other.model.state_dict()
    kept = (first["features.0.weight"] - second["features.0.weight"]).abs().max()
    assert 0 < kept < 1e-3
    assert not torch.equal(first["classifier.3.weight"], second["classifier.3.weight"])
    assert str(tmp_path) not in (tmp_path / "second" / "model" / "CARD.md").read_text()


def test_what_cannot_be_trained_is_said(pictures, tmp_path):
    with pytest.raises(UsageError, match="give more pictures, or another `held_out`"):
        train_own_classifier(pictures, settings(held_out=0.0001), tmp_path, CPU)
    fixed = settings(architecture="timm:vit_tiny_patch16_224")
    assert side_of(settings(architecture="timm:test_vit", resolution=0), CPU) == 160
    with pytest.raises(
        UsageError, match="timm:vit_tiny_patch16_224 does not read pictures of 32 pixels"
    ):
        train_own_classifier(pictures, fixed, tmp_path, CPU)
    for name, near in (("torchvision:resnet", "did you mean 'resnet"), ("timm:resnet_18", "resnet"),
                       ("keras:resnet", "torchvision:NAME")):  # fmt: skip
        with pytest.raises(UsageError, match=near):
            build_architecture(name, 3)
