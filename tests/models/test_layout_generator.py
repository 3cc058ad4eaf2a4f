import dataclasses

import pytest
import torch

from evo_t2i.models import layout_generator
from evo_t2i.models.layout_generator import (
    EDGE,
    Decider,
    LayoutGenerator,
    LayoutGeneratorConfig,
    Placer,
    Things,
)

CHOICES = (
    ("time", 3),
    ("arrangement", 4),
    ("scene", 5),
    ("view", 2),
    *((f"kind {slot}", 6) for slot in range(3)),
    *((f"colour {slot}", 4) for slot in range(3)),
    ("placement", 2),
    ("mirrored", 2),
)
CONFIG = LayoutGeneratorConfig(
    choices=CHOICES,
    amounts=3,
    behind_first=(1,),
    forms=3,
    text_size=16,
    decider_width=24,
    style_size=16,
    backdrop_channels=(8, 8, 8, 8, 8),
    thing_channels=(8, 8, 8, 8),
    canvas_channels=8,
    fine_channels=4,
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return LayoutGenerator(CONFIG).eval()


@pytest.fixture
def given():
    torch.manual_seed(1)
    return torch.randn(5, CONFIG.latent_size), torch.randn(5, 16)


def test_pictures_come_in_two_sizes(model, given):
    with torch.inference_mode():
        small, full = model(*given)
        alone, none = model(*given, half=True)
    assert small.shape == (5, 3, 64, 64)
    assert full.shape == (5, 3, 128, 128)
    assert none is None
    torch.testing.assert_close(alone, small)


def test_a_picture_does_not_depend_on_its_company(model, given):
    latents, meaning = given
    with torch.inference_mode():
        _, together = model(latents, meaning)
        _, alone = model(latents[2:3], meaning[2:3])
    torch.testing.assert_close(together[2:3], alone, atol=1e-5, rtol=1e-4)


def test_choices_are_probabilities_that_follow_the_largest_race(given):
    latents, meaning = given
    torch.manual_seed(0)
    decider = Decider(CONFIG).eval()
    start = 0
    for _, size in CHOICES[:2]:
        pushed = latents.clone()
        pushed[:, start : start + size] = -4.0
        pushed[:, start + 1] = 4.0
        chosen = decider(meaning, pushed)[0 if start == 0 else 1]
        torch.testing.assert_close(chosen.sum(1), torch.ones(5))
        assert (chosen[:, :size].argmax(1) == 1).all()
        start += size


def test_told_choices_enter_the_later_ones(given):
    latents, meaning = given
    torch.manual_seed(0)
    decider = Decider(CONFIG).eval()
    choices = torch.zeros(5, len(CHOICES), dtype=torch.int64)
    other = choices.clone()
    other[:, 3] = -1
    one, two = (decider.logits(meaning, latents, told) for told in (choices, other))
    for number in range(4):
        torch.testing.assert_close(one[number], two[number])
    assert not torch.allclose(one[4], two[4])


def test_a_gradient_reaches_the_latent(model, given):
    latents, meaning = given
    latents = latents.clone().requires_grad_()
    _, full = model(latents, meaning)
    full.square().mean().backward()
    assert latents.grad is not None
    assert (latents.grad.abs().amax(1) > 0).all()


def things(boxes, present=(1.0, 0.0, 0.0)):
    slots = torch.eye(3)[[0, 1, 2]][None]
    return Things(
        torch.tensor([present]),
        slots,
        torch.nn.functional.one_hot(torch.zeros(1, 3, dtype=torch.int64), 3).float(),
        torch.tensor([boxes]),
        torch.zeros(1, 3),
    )


def painted(model, wanted):
    choices = [torch.eye(size + 1)[:1] for _, size in CHOICES]
    with torch.inference_mode():
        return model.painter(choices, torch.full((1, 3), 0.5), wanted)[0][0]


def test_a_thing_changes_the_picture_in_and_around_its_box_alone(model):
    boxes = [(0.5, 0.5, 0.9, 0.9), (0.1, 0.1, 0.2, 0.2), (0.1, 0.1, 0.2, 0.2)]
    without = painted(model, things(boxes, (0.0, 0.0, 0.0)))
    change = (painted(model, things(boxes)) - without).abs().amax(0)
    assert change[40:52, 40:52].max() > 1e-4
    assert change[:24].max() < 1e-6  # beyond the margin and two convolutions
    assert change[:, :24].max() < 1e-6


def test_it_comes_back_from_its_description(model, given):
    described = layout_generator.described(CONFIG)
    again = layout_generator.load(described | {"text": "digest"}, model.state_dict()).eval()
    assert again.config == CONFIG
    with torch.inference_mode():
        torch.testing.assert_close(again(*given)[1], model(*given)[1])


def test_latents_have_a_number_for_every_option_and_amount():
    assert CONFIG.latent_size == sum(size for _, size in CHOICES) + 3
    assert dataclasses.replace(CONFIG, amounts=5).latent_size == CONFIG.latent_size + 2


def test_placed_things_are_moved_into_the_picture_whole():
    torch.manual_seed(0)
    placer = Placer(CONFIG).eval()
    with torch.no_grad():
        placer.layers[-1].weight *= 20
    choices = [torch.randn(200, size + 1).softmax(1) for _, size in CHOICES]
    amounts = torch.rand(200, 3)
    told, placed = placer.logits(choices, amounts).boxes, placer(choices, amounts).boxes
    sides = placed[..., 2:] - placed[..., :2]
    torch.testing.assert_close(sides, told[..., 2:] - told[..., :2], atol=1e-5, rtol=1e-5)
    assert ((told < -EDGE) | (told > 1 + EDGE)).any()
    assert (placed[..., :2] >= -EDGE - 1e-6).all()
    fitting = (sides <= 1).all(-1)
    assert fitting.any()
    assert (placed[fitting] <= 1 + EDGE + 1e-6).all()
    inside = ((told >= -EDGE) & (told <= 1 + EDGE)).all(-1)
    torch.testing.assert_close(placed[inside], told[inside])
