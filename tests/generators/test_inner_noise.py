import numpy as np
import torch

from evo_t2i.generators.inner_noise import InnerNoise, inner_noise, shuffle

LATENTS = torch.from_numpy(
    np.random.default_rng(3).standard_normal((64, 4, 8, 8), dtype=np.float32)
)


def test_noise_is_the_latents_own_numbers_reordered_and_signed():
    order, signs = shuffle(256, 1)
    noise = inner_noise(LATENTS, 1)
    for latent, drawn in zip(LATENTS[:3], noise[:3], strict=True):
        numbers = latent.flatten().tolist()
        wanted = [sign * numbers[place] for place, sign in zip(order, signs, strict=True)]
        assert drawn.flatten().tolist() == wanted
    assert sorted(order.tolist()) == list(range(256))
    assert set(signs.tolist()) == {-1.0, 1.0}


def test_noise_looks_like_independent_standard_gaussian_draws():
    first, second = inner_noise(LATENTS, 0), inner_noise(LATENTS, 1)
    for noise in (first, second):
        assert abs(float(noise.mean())) < 0.03
        assert abs(float(noise.std()) - 1.0) < 0.03
        assert abs(float((noise * LATENTS).mean())) < 0.04
    assert abs(float((first * second).mean())) < 0.04


def test_noise_moves_exactly_as_far_as_the_latent():
    moved = LATENTS + 0.1 * torch.flip(LATENTS, dims=[0])
    torch.testing.assert_close(
        (inner_noise(moved, 2) - inner_noise(LATENTS, 2)).flatten(1).norm(dim=1),
        (moved - LATENTS).flatten(1).norm(dim=1),
    )


def test_draws_follow_one_another_and_begin_again():
    source = InnerNoise()

    def step(count: int) -> list[torch.Tensor]:
        return [torch.randn((64, 4, 8, 8), dtype=torch.float64) for _ in range(count)]

    source.begin(LATENTS)
    drawn = source.during(step)(2)
    assert drawn[0].dtype == torch.float64
    assert torch.equal(drawn[0].float(), inner_noise(LATENTS, 0))
    assert torch.equal(source.during(torch.randn_like)(LATENTS), inner_noise(LATENTS, 2))
    source.begin(LATENTS[:1])
    packed = source.during(lambda: torch.randn((1, 16, 16)))()
    assert torch.equal(packed.flatten(), inner_noise(LATENTS[:1], 0).flatten())
    assert not torch.equal(torch.randn(LATENTS.shape), drawn[0].float())
