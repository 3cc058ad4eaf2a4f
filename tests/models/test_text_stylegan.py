"""The generator network and its discriminator."""

import torch

from evo_t2i.models.projected_discriminator import ProjectedDiscriminator
from evo_t2i.models.text_stylegan import ModulatedConv, TextStyleGan, TextStyleGanConfig, to_unit

CONFIG = TextStyleGanConfig(
    latent_size=8, text_size=12, style_size=16, mapping_layers=2, resolution=16, channels=(16, 8, 8)
)


def build():
    torch.manual_seed(0)
    return TextStyleGan(CONFIG).eval()


def test_an_image_is_a_function_of_latent_and_text_in_any_batch():
    model, latents, text = build(), torch.randn(6, 8), torch.randn(6, 12)
    with torch.inference_mode():
        whole = model(latents, text)
        alone = torch.cat([model(latents[i : i + 1], text[i : i + 1]) for i in range(6)])
    assert whole.shape == (6, 3, 16, 16)
    assert torch.allclose(whole, alone, atol=1e-5)
    assert not torch.allclose(whole[0], whole[1], atol=1e-2)


def test_text_reaches_every_layer():
    model = build()
    latents, text = torch.randn(2, 8), torch.randn(2, 12, requires_grad=True)
    model(latents, text).square().sum().backward()
    for name, parameter in model.named_parameters():
        if ".style.text.weight" in name:
            assert parameter.grad.abs().max() > 0, name


def test_scaling_activations_equals_modulating_weights():
    """Karras et al. 2020, eq. 1 to 3, done the slow way: weights per image, then demodulation."""
    torch.manual_seed(1)
    conv = ModulatedConv(CONFIG, 16, 8)
    x, w, text = torch.randn(3, 16, 5, 5), torch.randn(3, 16), torch.randn(3, 12)
    y, scale = conv(x, w, text)
    style = conv.style(w, text)
    for i in range(3):
        weight = conv.weight * conv.gain * style[i][None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        slow = torch.nn.functional.conv2d(x[i : i + 1], weight, padding=1)
        assert torch.allclose((y * scale)[i : i + 1], slow, atol=1e-5)


def test_to_unit_clamps():
    values = to_unit(torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0]))
    assert values.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_logit_depends_on_its_own_image_and_caption_only():
    torch.manual_seed(2)
    model = ProjectedDiscriminator([(3, 16), (4, 8)], text_size=12, width=8)
    levels = [torch.randn(5, 3, 16, 16), torch.randn(5, 4, 8, 8)]
    text = torch.randn(5, 12)
    model.calibrate(levels)
    together = model.logits(model.embed(levels), text)
    alone = model.logits(model.embed([level[2:3] for level in levels]), text[2:3])
    assert together.shape == (5, 2, 16)
    assert torch.allclose(together[2:3], alone, atol=1e-5)
    assert not torch.allclose(model.logits(model.embed(levels), text.roll(1, 0)), together)
