import math
import shutil

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

from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.base import to_unit
from evo_t2i.generators.convert import convert
from evo_t2i.generators.stylegan2_ada import StyleGan2AdaGenerator
from evo_t2i.testing import check_feature_extractor, check_generator

CPU = torch.device("cpu")


def pair(make, arguments):
    return make(arguments), arguments


def write(path, *, classes=0, discriminator=True, resolution=32, **options):
    g = pair(make_generator, generator_arguments(classes=classes, resolution=resolution, **options))
    d = pair(make_discriminator, discriminator_arguments(classes=classes))
    return write_checkpoint(path, g, d if discriminator else None)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write(tmp_path_factory.mktemp("plain") / "plain.pkl")


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    return write(tmp_path_factory.mktemp("conditional") / "conditional.pkl", classes=5)


def make(path, **options):
    chosen = StyleGan2AdaGenerator.Options(**options)
    return StyleGan2AdaGenerator(device=CPU, argument=str(path), options=chosen)


def drawn(generator, count=3):
    latents = torch.from_numpy(generator.sample(count, np.random.default_rng(1)))
    return generator.generate(latents, generator.condition("a cat"))


def test_the_generator_keeps_the_contract(plain, conditional):
    check_generator(make(plain))
    check_generator(make(conditional, label=4, truncation=0.5))


def test_its_discriminator_keeps_the_contract(plain, conditional):
    for generator in (make(plain), make(conditional, label=4)):
        extractor = generator.feature_extractor("discriminator")
        check_feature_extractor(extractor, size=(32, 32))
        assert generator.feature_extractor("clip") is None


def test_pictures_are_the_networks(plain):
    model = make_generator(generator_arguments())
    latents = torch.from_numpy(np.random.default_rng(1).standard_normal((3, 12), dtype=np.float32))
    wanted = to_unit(model(latents, None, None))
    torch.testing.assert_close(drawn(make(plain)), wanted)


def test_large_batches_are_drawn_in_parts(plain):
    generator = make(plain)
    whole = drawn(generator, 5)
    generator._at_once = 2
    torch.testing.assert_close(drawn(generator, 5), whole)


def test_options_do_what_they_say(conditional):
    first = drawn(make(conditional, label=0))
    assert (drawn(make(conditional, label=1)) - first).abs().max() > 0.05
    alike = drawn(make(conditional, label=0, truncation=0.01))
    assert (alike[0] - alike[1]).abs().max() < (first[0] - first[1]).abs().max() / 5


def test_w_is_searched_from_the_same_pictures(conditional):
    options = {"label": 1, "truncation": 0.8}
    z, w = make(conditional, **options), make(conditional, space="w", **options)
    check_generator(w)
    latents = w.sample(4, np.random.default_rng(1))
    assert w.latent_shape == latents.shape[1:]
    # generation 0 is that of z, picture by picture
    torch.testing.assert_close(drawn(w, 4), drawn(z, 4), atol=2e-4, rtol=0)
    many = w.sample(10_000, np.random.default_rng(0))
    assert many.mean(axis=0) == pytest.approx(0, abs=1e-2)
    covariance = np.cov(many, rowvar=False)
    assert np.abs(covariance - np.eye(len(covariance))).max() < 1e-2
    other = w.sample(10_000, np.random.default_rng(2))
    assert np.cov(other, rowvar=False) == pytest.approx(np.eye(len(covariance)), abs=0.2)


def test_styles_are_searched_resolution_by_resolution(conditional):
    z, styles = make(conditional, label=1), make(conditional, label=1, space="styles")
    check_generator(styles)
    torch.testing.assert_close(drawn(styles, 4), drawn(z, 4), atol=2e-4, rtol=0)
    latents = styles.sample(2, np.random.default_rng(0))
    blocks = styles.image_size[0].bit_length() - 2
    size = latents.shape[1] // blocks
    assert (size,) == make(conditional, label=1, space="w").latent_shape
    ends = range(0, latents.shape[1] + 1, size)
    mixtures = np.stack([np.concatenate([latents[1, :at], latents[0, at:]]) for at in ends])
    images = styles.generate(torch.from_numpy(mixtures), None)
    parents = styles.generate(torch.from_numpy(latents), None)
    torch.testing.assert_close(images[[0, -1]], parents, atol=1e-5, rtol=0)
    steps = (images[1:] - images[:-1]).abs().mean(dim=(1, 2, 3))
    assert steps.min() > 1e-4  # each resolution's own styles change the picture


def test_a_converted_folder_draws_the_same(conditional, tmp_path):
    convert(conditional, tmp_path / "folder")
    from_pickle, from_folder = (
        make(place, label=2) for place in (conditional, tmp_path / "folder")
    )
    assert torch.equal(drawn(from_pickle), drawn(from_folder))
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    judged = [
        generator.feature_extractor("discriminator").images(images, {})["discriminator.logits"]
        for generator in (from_pickle, from_folder)
    ]
    assert torch.equal(*judged)
    assert from_pickle.digest != from_folder.digest


def test_a_path_may_hold_commas_and_the_digest_is_the_files(plain, tmp_path):
    path = shutil.copy(plain, tmp_path / "a, b,c=1.pkl")
    assert make(path, truncation=0.5).digest == make(plain).digest


@pytest.mark.parametrize("argument", [None, ""])
def test_a_checkpoint_is_needed(argument):
    with pytest.raises(UsageError, match=r"needs a checkpoint: stylegan2-ada:FILE\.pkl"):
        StyleGan2AdaGenerator(device=CPU, argument=argument)


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"truncation": 0.0}, r"`truncation` is 0\.0; give a finite number above 0"),
        ({"truncation": math.nan}, "`truncation` is nan"),
        ({"space": "s"}, "`space` is 's'; choose from z, w, styles"),
        ({"label": -1}, "`label` is -1; give a whole number from 0"),
        ({"label": 1}, r"has no classes; leave the option stylegan2-ada\.label out"),
    ],
)
def test_options_that_make_no_sense_are_refused(plain, options, phrase):
    with pytest.raises(UsageError, match=phrase):
        make(plain, **options)


@pytest.mark.parametrize("options", [{}, {"label": 5}])
def test_a_conditional_generator_needs_one_of_its_classes(conditional, options):
    with pytest.raises(UsageError, match=r"draws one of 5 classes; choose one from 0 to 4"):
        make(conditional, **options)


def test_a_generator_without_a_mean_has_no_truncation(tmp_path):
    arguments = generator_arguments()
    arguments["mapping_kwargs"]["w_avg_beta"] = None
    path = write_checkpoint(tmp_path / "a.pkl", pair(make_generator, arguments))
    assert drawn(make(path)).isfinite().all()
    with pytest.raises(UsageError, match="stores no mean of w"):
        make(path, truncation=0.7)


def test_a_checkpoint_of_the_other_family_is_named(tmp_path):
    path = write(tmp_path / "a.pkl", change=8)
    with pytest.raises(ModelError, match=rf"reads text; use --generator lafite:{path}"):
        make(path)


def test_a_missing_or_unfit_discriminator_is_said_when_it_is_asked_for(tmp_path):
    path = write(tmp_path / "a.pkl", discriminator=False)
    with pytest.raises(ModelError, match="holds no discriminator; leave the score"):
        make(path).feature_extractor("discriminator")
    path = write(tmp_path / "b.pkl", resolution=64)
    with pytest.raises(ModelError, match="judges other pictures than its generator draws"):
        make(path).feature_extractor("discriminator")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.pkl cannot be read \(No such file"):
        make(tmp_path / "none.pkl")
    with pytest.raises(ModelError, match=r"The converted checkpoint .* cannot be read"):
        make(tmp_path)
