import math

import numpy as np
import pytest
import torch
from foreign_checkpoints import (
    TEXT_SIZE,
    discriminator_arguments,
    generator_arguments,
    make_discriminator,
    make_generator,
    numbers,
)
from torch.nn import functional as F

from evo_t2i.errors import ModelError
from evo_t2i.models.stylegan2 import (
    convolve_down,
    convolve_up,
    downsample,
    filter_kernel,
    upsample,
)
from evo_t2i.models.stylegan2_discriminator import load_discriminator
from evo_t2i.models.stylegan2_generator import Conditions, load_generator

TAPS = ([1, 3, 3, 1], [1, 2, 1], [1, 2, 3, 4, 4, 3, 2, 1], [[1, 2], [3, 5]], None)


def latents(count=3, size=12):
    return numbers("latents", (count, size))


def texts(count=3):
    return F.normalize(numbers("texts", (count, TEXT_SIZE)), dim=1)


def convolved(x, kernel, padding):
    """By the definition: out[i] = Σ kernel[a] x[i - a], over the whole padded image."""
    square = kernel.outer(kernel) if kernel.ndim == 1 else kernel
    x = F.pad(x, [padding[0], padding[1]] * 2)
    size = len(square)
    out = x.new_zeros(*x.shape[:2], x.shape[2] - size + 1, x.shape[3] - size + 1)
    for a in range(size):
        for b in range(size):
            rows, columns = size - 1 - a, size - 1 - b
            part = x[:, :, rows : rows + out.shape[2], columns : columns + out.shape[3]]
            out += square[a, b] * part
    return out


def spread(x):
    """Zeros between the pixels and after the last."""
    out = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    out[:, :, ::2, ::2] = x
    return out


@pytest.mark.parametrize("taps", TAPS)
def test_upsampling_is_zeros_between_then_the_filter(taps):
    kernel, x = filter_kernel(taps), numbers("x", (2, 3, 6, 6))
    n = len(kernel)
    wanted = convolved(spread(x), kernel, ((n + 1) // 2, (n - 2) // 2)) * 4
    assert upsample(x, kernel).shape == (2, 3, 12, 12)
    torch.testing.assert_close(upsample(x, kernel), wanted)


@pytest.mark.parametrize("taps", TAPS)
def test_downsampling_is_the_filter_then_every_second_pixel(taps):
    kernel, x = filter_kernel(taps), numbers("x", (2, 3, 8, 8))
    n = len(kernel)
    wanted = convolved(x, kernel, ((n - 1) // 2, (n - 2) // 2))[:, :, ::2, ::2]
    torch.testing.assert_close(downsample(x, kernel), wanted)


@pytest.mark.parametrize("taps", TAPS[:3])
def test_upsampling_convolution_is_zeros_between_convolution_filter(taps):
    kernel, x = filter_kernel(taps), numbers("x", (2, 3, 6, 6))
    weight, n = numbers("w", (5, 3, 3, 3)), len(kernel)
    padding = ((n + 1) // 2, (n - 2) // 2)
    sharp = F.conv2d(F.pad(spread(x), [2, 2] * 2), weight.flip(2, 3), padding=0)
    wanted = convolved(sharp, kernel, (padding[0] - 1, padding[1] - 1)) * 4
    assert convolve_up(x, weight, kernel).shape == (2, 5, 12, 12)
    torch.testing.assert_close(convolve_up(x, weight, kernel), wanted[..., :12, :12])


@pytest.mark.parametrize("size", [1, 3])
def test_downsampling_convolution_is_filter_then_convolution(size):
    kernel, x = filter_kernel([1, 3, 3, 1]), numbers("x", (2, 3, 8, 8))
    weight = numbers("w", (5, 3, size, size))
    pad = size // 2
    smooth = convolved(x, kernel, (1 + pad, 1 + pad))
    wanted = F.conv2d(smooth, weight)[:, :, ::2, ::2]
    torch.testing.assert_close(convolve_down(x, weight, kernel), wanted)


def test_filters_keep_the_brightness():
    flat = torch.ones(1, 1, 16, 16)
    for taps in TAPS[:3]:
        inside = upsample(flat, filter_kernel(taps))[..., 8:-8, 8:-8]
        torch.testing.assert_close(inside, torch.ones_like(inside))


def test_modulation_of_activations_is_modulation_of_weights():
    model = make_generator(generator_arguments(resolution=8))
    layer = model.synthesis.b8.conv1
    x, w = numbers("x", (3, 16, 8, 8)), numbers("w", (3, 20))
    conditions = Conditions(w, latents(), None, None)
    found = layer(x, conditions)
    style = layer.style(conditions)
    for row in range(3):  # Karras et al. 2020, equations 1 and 3
        weight = layer.weight * style[row][None, :, None, None]
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        y = F.conv2d(x[row : row + 1], weight, padding=1)
        y = y + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
        wanted = (F.leaky_relu(y, 0.2) * math.sqrt(2)).clamp(-256, 256)
        torch.testing.assert_close(found[row : row + 1], wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
@pytest.mark.parametrize("resolution", [4, 16, 64])
def test_every_architecture_and_resolution_draws(architecture, resolution):
    model = make_generator(generator_arguments(resolution=resolution, architecture=architecture))
    images = model(latents(), None, None)
    assert images.shape == (3, 3, resolution, resolution)
    assert images.isfinite().all()
    assert (images[0] - images[1]).abs().max() > 0.1
    alone = torch.cat([model(row[None], None, None) for row in latents()])
    torch.testing.assert_close(alone, images, atol=1e-4, rtol=1e-4)


def test_truncation_draws_w_to_its_mean():
    model = make_generator(generator_arguments())
    w = model.mapping(latents(), None)
    halfway = model.mapping(latents(), None, 0.5)
    torch.testing.assert_close(halfway, (w + model.mapping.w_avg) / 2)
    almost = model(latents(), None, None, 1e-6)
    torch.testing.assert_close(almost[0], almost[1], atol=1e-3, rtol=1e-3)


def test_labels_change_the_picture():
    model = make_generator(generator_arguments(classes=5))
    first, second = (F.one_hot(torch.tensor([k] * 3), 5).float() for k in (0, 1))
    assert (model(latents(), first, None) - model(latents(), second, None)).abs().max() > 0.1


def test_clamps_bound_every_layer():
    model = make_generator(generator_arguments(conv_clamp=0.5))
    images = model(latents(), None, None)
    assert images.abs().max() <= 0.5 * 4 * 4  # four colour layers, filtered
    wild = make_generator(generator_arguments(conv_clamp=None))(latents(), None, None)
    assert (wild - images).abs().max() > 0.1


@pytest.mark.parametrize("change", [64, 8, 2])
def test_text_enters_every_layer_of_lafite(change):
    model = make_generator(generator_arguments(change=change))
    one, other = texts(), texts().flip(0)
    assert (model(latents(), None, one) - model(latents(), None, other)).abs().max() > 0.1
    layer = model.synthesis.b32.conv1
    w = numbers("w", (3, 20))

    def read(x, *names):
        for name in names:
            x = getattr(layer, name)(x)
        return x

    if change >= 32:
        joined = torch.cat([read(one, "pre_0", "pre_1"), w], dim=1)
        wanted = layer.affine_0(joined)
    else:
        scale, bias = (
            read(one, *(f"{kind}_layer_{i}" for i in range(3))) for kind in ("scale", "bias")
        )
        wanted = layer.affine(w) * scale + bias
    torch.testing.assert_close(layer.style(Conditions(w, latents(), one, None)), wanted)


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
@pytest.mark.parametrize("classes", [0, 5])
def test_the_discriminator_judges_each_image_by_itself(architecture, classes):
    arguments = discriminator_arguments(classes=classes, architecture=architecture)
    model = make_discriminator(arguments)
    images = numbers("images", (4, 3, 32, 32)).clamp(-1, 1)
    label = F.one_hot(torch.tensor([3]), 5).float().expand(4, -1) if classes else None
    logits, features = model(images, label)
    assert logits.shape == (4,)
    assert features.shape == (4, 0)
    assert logits.std() > 1e-3
    alone = [model(image[None], None if label is None else label[:1])[0] for image in images]
    torch.testing.assert_close(torch.cat(alone), logits, atol=1e-4, rtol=1e-4)


def test_lafites_discriminator_gives_a_unit_feature_for_the_text():
    model = make_discriminator(discriminator_arguments(text=True))
    _, features = model(numbers("images", (4, 3, 32, 32)), None)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(4))


def stored(arguments, make):
    return arguments, dict(make(arguments).state_dict())


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"img_resolution": 48}, "'img_resolution' = 48"),
        ({"img_resolution": 2**30}, "'img_resolution' = 1073741824"),
        ({"img_channels": 1}, "'img_channels' = 1"),
        ({"z_dim": 0}, "'z_dim' = 0"),
        ({"z_dim": True}, "'z_dim' = True"),
        ({"z_dim": None}, "'z_dim' = None"),
        ({"colour": "red"}, "'colour' = 'red'"),
        ({"mapping_kwargs": {"num_layers": 10**9}}, "'num_layers' = 1000000000"),
        ({"mapping_kwargs": {"lr_multiplier": float("nan")}}, "'lr_multiplier' = nan"),
        ({"mapping_kwargs": {"activation": "exec"}}, "'activation' = 'exec'"),
        ({"mapping_kwargs": 3}, "'mapping_kwargs' = 3"),
        ({"synthesis_kwargs": {"resample_filter": [[1, 2], [3]]}}, "'resample_filter'"),
        ({"synthesis_kwargs": {"use_noise": 1}}, "'use_noise' = 1"),
        ({"synthesis_kwargs": {"channel_base": 256, "channel_max": 8}}, "has the shape"),
        ({"w_dim": 2**16}, "has the shape"),
    ],
)
def test_settings_that_cannot_be_honoured_are_refused(change, phrase):
    arguments, tensors = stored(generator_arguments(), make_generator)
    with pytest.raises(ModelError, match=phrase):
        load_generator(arguments | change, tensors)


def test_tensors_that_do_not_fit_or_are_not_finite_are_refused():
    arguments, tensors = stored(generator_arguments(), make_generator)
    missing = {name: value for name, value in tensors.items() if name != "mapping.fc1.bias"}
    with pytest.raises(ModelError, match=r"'mapping\.fc1\.bias' has the shape missing, expected"):
        load_generator(arguments, missing)
    with pytest.raises(ModelError, match=r"'extra' has the shape \(1,\), expected none"):
        load_generator(arguments, tensors | {"extra": torch.zeros(1)})
    nan = torch.full_like(tensors["mapping.w_avg"], math.nan)
    with pytest.raises(ModelError, match="holds numbers that are not finite"):
        load_generator(arguments, tensors | {"mapping.w_avg": nan})
    arguments, tensors = stored(discriminator_arguments(), make_discriminator)
    bad = arguments | {"epilogue_kwargs": {"mbstd_num_channels": 9000}}
    with pytest.raises(ModelError, match="'mbstd_num_channels' = 9000"):
        load_discriminator(bad, tensors)


def test_half_precision_weights_are_used_as_float32():
    arguments, tensors = stored(generator_arguments(), make_generator)
    rounded = load_generator(arguments, {name: value.half() for name, value in tensors.items()})
    whole = load_generator(arguments, tensors)
    difference = rounded(latents(), None, None) - whole(latents(), None, None)
    assert difference.dtype == torch.float32
    assert 0 < difference.abs().max() < np.float32(1)


ORIGINAL = {
    "plain": (
        (-0.66119, 0.88092, 1.2578),
        (2.22902, 0.01948, -0.79254),
        (-0.43625, 2.06264, 0.94004),
    ),
    "resnet": (
        (-0.05887, -2.32859, 2.08802),
        (-2.37239, -0.72848, 2.01662),
        (-0.70976, -0.3995, 0.84753),
    ),
    "lafite": (
        (-0.0619, 0.19624, 0.52236),
        (1.4358, -0.7597, 0.03367),
        (0.41128, -0.25026, 0.9682),
    ),
}
"""Pixels (row 5, column 7) that the original code draws with these very weights."""


@pytest.mark.parametrize("case", ORIGINAL)
def test_pixels_are_those_of_the_original_code(case):
    label = F.one_hot(torch.tensor([3] * 3), 5).float()
    arguments, inputs = {
        "plain": (generator_arguments(), (None, None, 0.7)),
        "resnet": (generator_arguments(classes=5, architecture="resnet"), (label, None)),
        "lafite": (generator_arguments(change=8), (None, texts())),
    }[case]
    images = make_generator(arguments)(latents(), *inputs)
    wanted = torch.tensor(ORIGINAL[case])
    torch.testing.assert_close(images[:, :, 5, 7], wanted, atol=1e-4, rtol=0)


def test_logits_are_those_of_the_original_code():
    """Which judged these images one by one."""
    images = numbers("images", (4, 3, 32, 32)).clamp(-1, 1)
    label = F.one_hot(torch.tensor([3] * 4), 5).float()
    conditional = make_discriminator(discriminator_arguments(classes=5))(images, label)[0]
    skip = make_discriminator(discriminator_arguments(architecture="skip"))(images, None)[0]
    logits, features = make_discriminator(discriminator_arguments(text=True))(images, None)
    read = logits + features @ texts()[0]
    wanted = (
        (0.5947, 0.61936, 0.7438, 0.65108),
        (-0.08135, 0.01731, -0.07499, -0.24029),
        (0.47052, 0.48089, 0.52919, 0.47716),
    )
    found = torch.stack([conditional, skip, read])
    torch.testing.assert_close(found, torch.tensor(wanted), atol=1e-4, rtol=0)
