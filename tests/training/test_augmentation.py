"""Augmentations that leave captions true, and the p that adapts."""

import pytest
import torch

from evo_t2i.errors import UsageError
from evo_t2i.training.augmentation import Augmentation, augmented


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def halves(n=64, size=32):
    """Red on the left, blue on the right; bright above, dark below."""
    images = torch.full((n, 3, size, size), -1.0)
    images[:, 0, :, : size // 2] = 1.0
    images[:, 2, :, size // 2 :] = 1.0
    images[:, :, size // 2 :] *= 0.5
    return images


def test_what_a_caption_names_stays_where_it_is_and_keeps_its_colour():
    images = augmented(halves(), 1.0, random())
    left, right = images[..., :6], images[..., -6:]
    seen_left, seen_right = (side.abs().sum(1) > 0.1 for side in (left, right))  # not the cover
    assert (left[:, 0][seen_left] >= left[:, 2][seen_left]).all()
    assert (right[:, 2][seen_right] >= right[:, 0][seen_right]).all()
    values = images.unique()
    assert values.min() >= -1
    assert values.max() <= 1
    flat = augmented(torch.full((8, 3, 16, 16), 0.5), 1.0, random())
    assert set((flat.unique() * 1e4).round().tolist()) == {0.0, 5e3}  # the colour, or the cover


def test_the_probability_is_how_many_are_changed():
    images = halves(200, 16)
    changed = (augmented(images, 0.1, random()) - images).abs().amax((1, 2, 3)) > 1e-3
    assert 20 < int(changed.sum()) < 100  # 1 - .9^3 = .27 of 200 are expected
    assert torch.allclose(augmented(images, 0.0, random()), images, atol=1e-5)
    assert Augmentation("none")(images, random()) is images


def test_pictures_are_changed_by_the_generator_alone_and_gradients_pass():
    images = halves(4).requires_grad_()
    once, again = augmented(images, 1.0, random(5)), augmented(images, 1.0, random(5))
    assert torch.equal(once, again)
    assert not torch.equal(once, augmented(images, 1.0, random(6)))
    (gradient,) = torch.autograd.grad(once.square().sum(), images)
    assert gradient.abs().amax((1, 2, 3)).min() > 0.1


def test_p_rises_while_real_pictures_are_recognised_and_falls_again():
    found = Augmentation()
    for _ in range(40):
        found.watch(torch.tensor(1.0), 64)
    risen = float(found.p)
    assert risen == pytest.approx(10 * 256 / 100_000)
    for _ in range(20):
        found.watch(torch.tensor(0.0), 64)  # below the target
    assert float(found.p) == pytest.approx(risen / 2)
    for _ in range(100):
        found.watch(torch.tensor(-1.0), 64)
    assert float(found.p) == 0
    still = Augmentation("none")
    still.watch(torch.tensor(1.0), 640)
    assert float(still.p) == 0


def test_what_is_seen_belongs_to_the_state():
    found, other = Augmentation(), Augmentation()
    found.watch(torch.tensor(1.0), 300)
    found.watch(torch.tensor(1.0), 30)
    other.load_state_dict(found.state_dict())
    assert float(other.p) > 0
    assert float(other.seen) == 30


def test_an_unknown_mode_is_refused():
    with pytest.raises(UsageError, match="`augment` is 'adaptive'; choose from ada, none"):
        Augmentation("adaptive")
