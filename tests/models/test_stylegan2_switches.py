"""What the package's own training adds to LAFITE's networks, each switch alone."""

import pytest
import torch
from foreign_checkpoints import TEXT_SIZE, numbers
from torch.nn import functional as F

from evo_t2i.errors import ModelError, UsageError
from evo_t2i.models.stylegan2_discriminator import load_discriminator
from evo_t2i.models.stylegan2_generator import Conditions, load_generator
from evo_t2i.training.architecture import (
    Architecture,
    discriminator_arguments,
    fresh_discriminator,
    fresh_generator,
    generator_arguments,
    stored,
)

SMALL = {
    "resolution": 32,
    "latent_size": 12,
    "style_size": 20,
    "channel_base": 256,
    "channel_max": 16,
}
TEXT = F.normalize(numbers("text", (3, TEXT_SIZE)), dim=1)
SECOND = F.normalize(numbers("second", (3, TEXT_SIZE)), dim=1)
WORDS = numbers("words", (3, 4, TEXT_SIZE))
LATENTS = numbers("latents", (3, 12))
IMAGES = numbers("images", (3, 3, 32, 32)).clamp(-1, 1)


def generator(**switches):
    model = fresh_generator(Architecture(**SMALL, **switches), TEXT_SIZE, seed=1)
    return model.eval().requires_grad_(False)


def discriminator(*, guide_size=0, regions=False, **switches):
    model = fresh_discriminator(
        Architecture(**SMALL, **switches), TEXT_SIZE, 2, guide_size=guide_size, regions=regions
    )
    return model.eval().requires_grad_(False)


def read(model):
    """What an attentive generator's caption gives: the sentence, then two to four words."""
    words = WORDS.clone()
    words[1, 2:] = 0
    return torch.cat([TEXT[:, None], words], dim=1) if model.config.attentive else TEXT


@pytest.mark.parametrize(
    "switches",
    [{}, {"transform_w": "connected"}, {"transform_w": "scaled"}, {"attentive": True}],
)
def test_each_generator_draws_and_loads_as_it_was_stored(switches):
    model = generator(**switches)
    images = model(LATENTS, None, read(model))
    assert images.shape == (3, 3, 32, 32)
    assert images.std() > 0.1
    alone = [model(z[None], None, t[None]) for z, t in zip(LATENTS, read(model), strict=True)]
    torch.testing.assert_close(torch.cat(alone), images, atol=1e-4, rtol=1e-4)
    arguments = generator_arguments(Architecture(**SMALL, **switches), TEXT_SIZE)
    kept = stored(model, arguments)
    again = load_generator(kept.arguments, kept.tensors)
    assert torch.equal(again(LATENTS, None, read(model)), images)


def test_without_switches_the_arguments_are_lafites():
    plain = generator_arguments(Architecture(**SMALL), TEXT_SIZE)
    assert not {"transform_w", "attentive"} & plain["synthesis_kwargs"].keys()
    judge = discriminator_arguments(Architecture(**SMALL), TEXT_SIZE, 0, False)
    assert not {"image_head", "mixing", "guide_dim", "regions"} & judge.keys()


def test_transformed_w_by_both_readings():
    w = numbers("w", (3, 20))
    for reading in ("connected", "scaled"):
        layer = generator(transform_w=reading).synthesis.b8.conv1
        found = layer.style(Conditions(w, LATENTS, TEXT, None))
        if reading == "connected":
            moved = layer.transform(w)
        else:
            moved = w * layer.w_scale(TEXT) + layer.w_bias(TEXT)
        wanted = layer.affine_0(torch.cat([layer.pre_1(layer.pre_0(TEXT)), moved], dim=1))
        torch.testing.assert_close(found, wanted)
        plain = layer.affine_0(torch.cat([layer.pre_1(layer.pre_0(TEXT)), w], dim=1))
        assert (found - plain).abs().max() > 0.05


def test_attention_gathers_the_words_of_each_place():
    """Against the formula, place by place and word by word."""
    model = generator(attentive=True)
    layer = model.synthesis.b16.conv1
    x, text = numbers("x", (3, 16, 16, 16)), read(model)
    conditions = Conditions(numbers("w", (3, 20)), LATENTS, text[:, 0], text[:, 1:])
    found = layer(x, conditions)
    y = F.conv2d(x, layer.weight / (16 * 9) ** 0.5, padding=1) / (1 + 1e-5) ** 0.5
    for row, column in ((0, 0), (7, 3)):
        for n in range(3):
            words = text[n, 1:][: 2 if n == 1 else 4]
            place = y[n, :, row, column]
            cosines = F.cosine_similarity(layer.region(place[None]), words)
            heard = (15 * cosines).softmax(0) @ words
            common = layer.common(torch.cat([layer.sentence(text[n, :1]), LATENTS[n : n + 1]], 1))
            scale, shift = (common + layer.attended(heard[None]))[0].chunk(2)
            wanted = F.leaky_relu(place * (1 + scale) + shift, 0.2) * 2**0.5
            torch.testing.assert_close(found[n, :, row, column], wanted, atol=1e-4, rtol=1e-4)


def test_words_count_from_16x16_up_and_not_in_their_order():
    model = generator(attentive=True)
    assert hasattr(model.synthesis.b16.conv0, "region")
    assert not hasattr(model.synthesis.b8.conv1, "region")
    text = read(model)
    images = model(LATENTS, None, text)
    shuffled = text[:, [0, 4, 2, 1, 3]]
    torch.testing.assert_close(model(LATENTS, None, shuffled), images, atol=1e-4, rtol=1e-4)
    other = text.clone()
    other[:, 1] = numbers("another word", (3, TEXT_SIZE))
    assert (model(LATENTS, None, other) - images).abs().max() > 0.01


def test_batch_norms_learn_their_statistics_in_training_only():
    model = generator(attentive=True)
    before = model.synthesis.b16.conv1.running_mean.clone()
    model(LATENTS, None, read(model))
    assert torch.equal(model.synthesis.b16.conv1.running_mean, before)
    model.train()(LATENTS, None, read(model))
    assert not torch.equal(model.synthesis.b16.conv1.running_mean, before)


def test_one_head_says_the_same_of_text_and_pictures_and_two_do_not():
    one, two = discriminator().judge(IMAGES), discriminator(separate_heads=True).judge(IMAGES)
    assert torch.equal(one.text, one.image)
    assert two.image.shape == two.text.shape == (3, TEXT_SIZE)
    assert (two.text - two.image).abs().max() > 0.1
    torch.testing.assert_close(two.image.norm(dim=1), torch.ones(3))


def test_mixed_logits_by_the_formula():
    model = discriminator(mixing=0.3)
    judged = model.judge(IMAGES)
    found = model.logits(judged, TEXT, SECOND)
    first, second = ((judged.text * text).sum(dim=1) for text in (TEXT, SECOND))
    torch.testing.assert_close(found, judged.logits + 0.7 * first + 0.3 * second)
    torch.testing.assert_close(model.logits(judged, TEXT), judged.logits + first)
    plain = discriminator()
    found = plain.logits(plain.judge(IMAGES), TEXT, SECOND)
    torch.testing.assert_close(found, plain.logits(plain.judge(IMAGES), TEXT))


def test_a_guide_of_another_width_is_met_by_a_projection():
    other = discriminator(guide_size=7)
    assert other.judge(IMAGES).guided.shape == (3, 7)
    same = discriminator(guide_size=TEXT_SIZE)
    assert not hasattr(same.b4, "guide")
    judged = same.judge(IMAGES)
    assert torch.equal(judged.guided, judged.image)
    assert discriminator().judge(IMAGES).guided.shape == (3, 0)


def test_regions_are_a_grid_of_text_sized_features():
    judged = discriminator(regions=True).judge(IMAGES)
    assert judged.regions.shape == (3, 256, TEXT_SIZE)
    local = IMAGES.clone()
    local[:, :, :4, :4] = 1.0
    moved = (discriminator(regions=True).judge(local).regions - judged.regions).abs().amax(2)
    moved = moved.unflatten(1, (16, 16))
    assert moved[:, 0, 0].min() > 1e-3
    assert moved[:, 8:, 8:].max() == 0


def test_every_discriminator_loads_as_it_was_stored():
    architecture = Architecture(**SMALL, separate_heads=True, mixing=0.25)
    model = discriminator(separate_heads=True, mixing=0.25, guide_size=7, regions=True)
    kept = stored(model, discriminator_arguments(architecture, TEXT_SIZE, 7, True))
    again = load_discriminator(kept.arguments, kept.tensors)
    assert again.config == model.config
    for name, value in vars(again.judge(IMAGES)).items():
        assert torch.equal(value, getattr(model.judge(IMAGES), name)), name
    wrong = {**kept.arguments, "mixing": "much"}
    with pytest.raises(ModelError, match="'mixing' = 'much'"):
        load_discriminator(wrong, kept.tensors)


def test_the_same_seed_starts_the_same_network():
    first, again = generator().state_dict(), generator().state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert first["synthesis.b8.conv1.affine_0.bias"].eq(1).all()
    other = fresh_generator(Architecture(**SMALL), TEXT_SIZE, seed=9).state_dict()
    assert not torch.equal(first["synthesis.b4.const"], other["synthesis.b4.const"])


def test_presets_bring_their_switches():
    assert Architecture.of_preset("lafite") == Architecture()
    notes = Architecture.of_preset("notes", resolution=32)
    assert notes.separate_heads
    assert notes.mixing == 0.2
    assert Architecture.of_preset("xmc").attentive
    assert not Architecture.of_preset("notes", separate_heads=False).separate_heads


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resolution": 48}, "resolution"),
        ({"resolution": 512}, "resolution"),
        ({"mixing": 1.0}, "mixing"),
        ({"channel_base": 8}, "channel_base"),
        ({"transform_w": "scale"}, "did you mean 'scaled'"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        Architecture(**given)
