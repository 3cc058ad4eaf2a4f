"""The trainer for people's own pictures, for real, on a handful of small ones."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from evo_t2i.errors import EvoError, RunDataError, UsageError
from evo_t2i.generators.lafite import LafiteGenerator, LafiteOptions
from evo_t2i.testing import check_feature_extractor, check_generator
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.data import prepare
from evo_t2i.training.lafite import train_lafite
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.lafite_step import sureness
from evo_t2i.training.terms import ObjectiveSettings
from evo_t2i.world import captions, render, sample_scene

CPU = torch.device("cpu")
TIMED = ("images_per_second", "waiting_for_data")
SMALL = {
    "resolution": 32,
    "latent_size": 8,
    "style_size": 16,
    "channel_base": 128,
    "channel_max": 8,
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two dozen drawn scenes in a folder, each with two captions."""
    home = tmp_path_factory.mktemp("own")
    for index in range(24):
        rng = np.random.default_rng([7, index])
        scene = sample_scene(rng)
        Image.fromarray(render(scene, 32).image).save(home / f"{index}.png")
        said = [caption.text for caption in captions(scene, rng, 2)]
        (home / f"{index}.txt").write_text("\n".join(said))
    return prepare(home, 32, tmp_path_factory.mktemp("read"))


def settings(preset="lafite", *, objective=None, switches=None, **more):
    return LafiteSettings(
        **{
            "images": 24,
            "batch": 4,
            "report_every": 8,
            "held_out": 0.3,
            "objective": ObjectiveSettings(preset=preset, penalty_every=2, **(objective or {})),
            "architecture": Architecture.of_preset(preset, **SMALL | (switches or {})),
        }
        | more
    )


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def names_in(line, network):
    return {name[2:] for name in line if name.startswith(f"{network}.")}


@pytest.mark.parametrize("preset", ["lafite", "notes", "xmc"])
def test_each_preset_trains_and_its_generator_is_used_at_once(preset, pictures, tmp_path):
    folder = train_lafite(pictures, settings(preset, images=8), tmp_path, CPU)
    (line,) = lines(tmp_path)
    wanted = {
        "lafite": {"L_G", "itd_r", "itc_r"},
        "notes": {"L_G", "L_G'", "itd_r", "itd_f", "iid_r", "iid_f", "iiv_r", "iiv_f", "iiv_d"}
        | {"itc_r", "itc_f", "iic"},
        "xmc": {"L_G", "sentence_image", "region_word", "image_image", "image_image_classifier"},
    }
    assert names_in(line, "G") == wanted[preset]
    assert {"L_D", "R1"} <= names_in(line, "D")
    assert all(np.isfinite(value) for value in line.values())
    assert 0 <= line["waiting_for_data"] < 1
    generator = LafiteGenerator(device=CPU, argument=str(folder))
    assert generator.image_size == (32, 32)
    check_generator(generator)
    check_feature_extractor(generator.feature_extractor("discriminator"), size=(32, 32))
    grid = Image.open(tmp_path / "grid-00000008.png")
    assert grid.width == 8 * 32
    said = (tmp_path / "grid-captions.txt").read_text().splitlines()
    assert grid.height == len(said) * 32
    assert set(said) <= {caption for each in pictures.captions for caption in each}


def test_a_training_killed_at_any_time_goes_on_to_the_same_weights(pictures, tmp_path):
    chosen = settings("notes", switches={"attentive": True}, images=16)
    train_lafite(pictures, chosen, tmp_path / "whole", CPU)

    def interrupt(done, *_):
        assert done == 8
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train_lafite(pictures, chosen, tmp_path / "cut", CPU, progress=interrupt)
    late = {"images": 12.0, "G.L_G": 0.0}
    with (tmp_path / "cut" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(late) + "\n" + '{"images": 16.0, "G.')  # killed while writing
    train_lafite(pictures, chosen, tmp_path / "cut", CPU)
    whole, resumed = (
        load_file(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "cut")
    )
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    assert [line["images"] for line in lines(tmp_path / "cut")] == [8, 16]
    one, other = (
        [{k: v for k, v in line.items() if k not in TIMED} for line in lines(tmp_path / n)]
        for n in ("whole", "cut")
    )
    assert one == other


@pytest.mark.parametrize(
    ("objective", "switches"),
    [
        ({"with_groups": ("image-image",)}, {}),
        ({"with_groups": ("structure",)}, {}),
        ({"with_groups": ("guided",)}, {}),
        ({"with_groups": ("words",)}, {}),
        ({"with_groups": ("text-label",)}, {}),
        ({"adversarial": "relativistic", "r2": 1.0, "mismatch": 0.5}, {}),
        ({"form": "infonce", "temperature": 0.1}, {"transform_w": "connected"}),
        ({}, {"separate_heads": True, "mixing": 0.3}),
    ],
)
def test_each_group_and_switch_trains_alone(objective, switches, pictures, tmp_path):
    chosen = settings(objective=objective, switches=switches, images=4, report_every=4)
    train_lafite(pictures, chosen, tmp_path, CPU)
    (line,) = lines(tmp_path)
    assert all(np.isfinite(value) for value in line.values())
    if objective.get("r2"):
        assert {"R1", "R2", "mismatch"} <= names_in(line, "D")


def test_a_relativistic_discriminator_is_sure_by_differences():
    logits = {"r.logits": torch.tensor([7.0, 5.0]), "x.logits": torch.tensor([6.0, 6.0])}
    assert sureness(logits, "relativistic").sign().tolist() == [1, -1]
    assert sureness(logits, "logistic").sign().tolist() == [1, 1]


def test_the_augmentation_watches_every_real_picture(pictures, tmp_path):
    train_lafite(pictures, settings(images=12, report_every=12), tmp_path, CPU)
    kept = load_file(tmp_path / "checkpoint.safetensors")
    assert kept["augmentation/seen"] == 12
    assert abs(float(kept["augmentation/signs"])) <= 12


def test_both_networks_move_and_the_average_follows(pictures, tmp_path):
    chosen = settings(images=4, report_every=4, precision="fp32")
    train_lafite(pictures, chosen, tmp_path / "a", CPU)
    first = load_file(tmp_path / "a" / "checkpoint.safetensors")
    chosen = settings(images=12, report_every=12, precision="fp32", final_rate=1.0)
    train_lafite(pictures, chosen, tmp_path / "b", CPU)
    last = load_file(tmp_path / "b" / "checkpoint.safetensors")
    for network in ("generator", "discriminator", "average"):
        moved = [n for n in first if n.startswith(f"{network}/") and "weight" in n]
        assert all((first[n] - last[n]).abs().max() > 0 for n in moved), network
    name = "synthesis.b32.conv1.weight"
    drift = (last[f"average/{name}"] - last[f"generator/{name}"]).abs().max()
    assert 0 < drift < (first[f"generator/{name}"] - last[f"generator/{name}"]).abs().max() * 3
    assert last["generator/mapping.w_avg"].abs().max() > 0


def test_without_captions_pictures_alone_are_enough(tmp_path):
    home = tmp_path / "own"
    home.mkdir()
    for index in range(16):
        image = render(sample_scene(np.random.default_rng([3, index])), 32).image
        Image.fromarray(image).save(home / f"{index}.png")
    (home / "5.txt").write_text("a cat on a table")
    for index in range(16):
        (home / f"{index}.txt").write_text("a scene") if index % 3 == 0 else None
    found = prepare(home, 32, tmp_path / "read", captioned=False)
    chosen = settings(images=8, language_free=1.0, held_out=0.5)
    train_lafite(found, chosen, tmp_path / "out", CPU)
    assert np.isfinite(lines(tmp_path / "out")[0]["G.itc_r"])
    with pytest.raises(UsageError, match="Some pictures have no caption"):
        train_lafite(found, settings(images=8, held_out=0.5), tmp_path / "no", CPU)


def test_what_cannot_be_trained_is_refused_before_it_begins(pictures, tmp_path):
    with pytest.raises(UsageError, match="0 of 24 pictures are left to train on"):
        train_lafite(pictures, settings(held_out=0.9999999), tmp_path, CPU)
    with pytest.raises(UsageError, match="read at 32 pixels and the generator draws 64"):
        train_lafite(pictures, settings(switches={"resolution": 64}), tmp_path, CPU)
    with pytest.raises(UsageError, match="None of the 0 held-out pictures has a caption"):
        train_lafite(pictures, settings(held_out=1e-9), tmp_path, CPU)
    for given, message in (
        ({"batch": 1}, "batch"),
        ({"held_out": 0.0}, "held_out"),
        ({"language_free": 1.5}, "language_free"),
        ({"precision": "fp16"}, "precision"),
        ({"generator_rate": 0.0}, "generator_rate"),
    ):
        with pytest.raises(UsageError, match=message):
            settings(**given)


def test_a_checkpoint_of_other_settings_is_refused(pictures, tmp_path):
    train_lafite(pictures, settings(images=4, report_every=4), tmp_path, CPU)
    other = settings(images=4, report_every=4, objective={"r1": 3.0})
    with pytest.raises(RunDataError, match="give the same options again"):
        train_lafite(pictures, other, tmp_path, CPU)


def test_a_training_that_comes_apart_says_where(pictures, tmp_path):
    chosen = settings(images=16, report_every=16, generator_rate=1e30)
    with pytest.raises(EvoError, match=r"came apart before image 16: .* is (nan|inf)"):
        train_lafite(pictures, chosen, tmp_path, CPU)


def test_a_clip_from_a_folder_is_known_by_its_digest(pictures, small_clip, tmp_path):
    chosen = settings(images=4, report_every=4, clip=f"local-dir:{small_clip}")
    folder = train_lafite(pictures, chosen, tmp_path, CPU)
    for name in ("config.json", "CARD.md"):
        assert str(small_clip) not in (folder / name).read_text()
    with pytest.raises(EvoError, match=r"a CLIP from a folder; name that folder .* lafite\.clip"):
        LafiteGenerator(device=CPU, argument=str(folder))
    options = LafiteOptions(clip=str(small_clip))
    check_generator(LafiteGenerator(device=CPU, argument=str(folder), options=options))


def test_a_generator_of_another_built_in_clip_is_refused(pictures, tmp_path):
    folder = train_lafite(pictures, settings(images=4, report_every=4), tmp_path, CPU)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    assert config["text_encoder"]["architecture"] == "builtin"
    config["text_encoder"]["digest"] = "0" * 64
    path.write_text(json.dumps(config))
    with pytest.raises(EvoError, match="trained with the built-in CLIP 000000000000"):
        LafiteGenerator(device=CPU, argument=str(folder))
