import json

import numpy as np
import pytest
import torch
from foreign_checkpoints import (
    discriminator_arguments,
    generator_arguments,
    make_discriminator,
    make_generator,
    write_checkpoint,
)
from small_clip import ARCHITECTURE

from evo_t2i.checkpoints import published_clip
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.convert import convert
from evo_t2i.generators.lafite import LafiteGenerator
from evo_t2i.testing import check_feature_extractor, check_generator

CPU = torch.device("cpu")


def make(place, clip):
    options = LafiteGenerator.Options(clip=str(clip))
    return LafiteGenerator(device=CPU, argument=str(place), options=options)


@pytest.fixture(scope="module")
def pickled(tmp_path_factory):
    g, d = generator_arguments(change=16), discriminator_arguments(text=True)
    path = tmp_path_factory.mktemp("lafite") / "lafite.pkl"
    return write_checkpoint(path, (make_generator(g), g), (make_discriminator(d), d))


@pytest.fixture(scope="module")
def folder(pickled, small_clip, tmp_path_factory):
    out = tmp_path_factory.mktemp("converted") / "lafite"
    convert(pickled, out, text_encoder=ARCHITECTURE, clip=small_clip)
    return out


@pytest.fixture
def generator(folder, small_clip):
    return make(folder, clip=small_clip)


def test_the_generator_keeps_the_contract(generator):
    check_generator(generator)


def test_its_discriminator_keeps_the_contract(generator):
    extractor = generator.feature_extractor("discriminator")
    check_feature_extractor(extractor, size=(32, 32))
    assert torch.equal(
        extractor.text("a red bus")["discriminator.text"], generator.condition("a red bus")[0]
    )


def test_captions_make_a_difference(generator):
    day, night = (generator.condition(f"a red bus at {time}.") for time in ("noon", "night"))
    torch.testing.assert_close(day.norm(dim=1), torch.ones(1))
    latents = torch.from_numpy(generator.sample(2, np.random.default_rng(0)))
    assert (
        generator.generate(latents, day) - generator.generate(latents, night)
    ).abs().max() > 0.02


def test_the_end_of_a_caption_that_is_not_read_is_named(generator):
    assert generator.unread("a red bus") == ""
    long = " ".join(["a red bus"] * 40)
    end = generator.unread(long)
    assert torch.equal(
        generator.condition(long), generator.condition(long.removesuffix(end).strip())
    )
    assert 30 < len(long.removesuffix(end).split()) < 78


def test_the_digest_covers_the_text_encoder(folder, small_clip, tmp_path):
    from safetensors.torch import load_file, save_file

    config = json.loads((folder / "config.json").read_text())
    encoder = published_clip.load(ARCHITECTURE, small_clip)
    assert config["text_encoder"] == {
        "architecture": ARCHITECTURE,
        "training": "openai",
        "digest": encoder.text_digest(),
    }
    tensors = load_file(small_clip / "open_clip_model.safetensors")
    other = tmp_path / "other.safetensors"
    save_file(tensors | {"text_projection": tensors["text_projection"] * 2}, other)
    with pytest.raises(
        ModelError, match=r"trained with a text encoder of the digest .*lafite\.clip\."
    ):
        make(folder, clip=other)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A checkpoint that reads what ViT-B/32 gives."""
    g = generator_arguments(change=16, f_dim=512)
    path = tmp_path_factory.mktemp("published") / "lafite.pkl"
    return write_checkpoint(path, (make_generator(g), g))


def test_without_its_encoder_it_says_where_to_get_it(published, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    message = (
        r"\(openai\) is not on this machine; run `evo-t2i models pull ViT-B-32-quickgelu:openai`"
    )
    with pytest.raises(ModelError, match=message):
        LafiteGenerator(device=CPU, argument=str(published))


def test_an_encoder_of_another_architecture_is_refused(published, small_clip):
    with pytest.raises(ModelError, match="holds another encoder than ViT-B-32-quickgelu"):
        make(published, clip=small_clip)


def test_an_encoder_of_another_size_is_refused(pickled, published, tmp_path):
    with pytest.raises(ModelError, match=r"reads 24 numbers of text, but .* gives 512"):
        LafiteGenerator(device=CPU, argument=str(pickled))
    with pytest.raises(ModelError, match=r"reads 512 numbers of text, but ViT-L-14.* gives 768"):
        convert(published, tmp_path / "out", text_encoder="ViT-L-14-quickgelu")
    with pytest.raises(ModelError, match="'ViT-B-23' is not an open_clip model"):
        convert(published, tmp_path / "out", text_encoder="ViT-B-23")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_the_other_family_is_named(tmp_path):
    g = generator_arguments()
    path = write_checkpoint(tmp_path / "a.pkl", (make_generator(g), g))
    with pytest.raises(ModelError, match=r"reads no text; use --generator stylegan2-ada:"):
        LafiteGenerator(device=CPU, argument=str(path))
    with pytest.raises(UsageError, match="This generator reads no text; leave --text-encoder"):
        convert(path, tmp_path / "out", text_encoder=ARCHITECTURE)
