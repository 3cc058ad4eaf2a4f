"""CLIP-IQA: the formula against a loop, the contract, and the prompts against open_clip's own."""

import math

import open_clip
import pytest
import torch
from small_clip import make
from torch.nn.functional import normalize

from evo_t2i import registry
from evo_t2i.config import ScorerModels
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.scores.clip_iqa import clip_iqa
from evo_t2i.testing import check_score

CPU = torch.device("cpu")


def unit(*shape, seed):
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_it_is_the_probability_of_the_first_prompt():
    image, antonyms, scale = unit(5, 16, seed=0), unit(2, 16, seed=1), torch.tensor(20.0)
    for row, value in zip(image, clip_iqa(image, antonyms, scale), strict=True):
        good, bad = (math.exp(20 * float(row @ prompt)) for prompt in antonyms)
        assert value.item() == pytest.approx(good / (good + bad), abs=1e-5)


def test_it_keeps_the_contract():
    features = {
        "clip.image": unit(6, 16, seed=0),
        "clip.antonyms": unit(2, 16, seed=1),
        "clip.logit_scale": torch.tensor(100.0),
    }
    score = registry.make("score", "clip_iqa")
    check_score(score, features, image_keys=frozenset({"clip.image"}), value_range=(0.0, 1.0))
    ideal = {**features, "clip.image": features["clip.antonyms"]}
    assert score(ideal).tolist() == pytest.approx([1.0, 0.0], abs=1e-6)


@torch.inference_mode()
def test_the_prompts_are_those_of_the_chosen_clip(small_clip):
    own = make()
    tokens = open_clip.get_tokenizer("ViT-B-32")(["Good photo.", "Bad photo."])
    models = ScorerModels(clip=f"local-dir:{small_clip}")
    found = ClipFeatures(device=CPU, models=models).text("a cat")
    expected = own.encode_text(tokens, normalize=True)
    torch.testing.assert_close(found["clip.antonyms"], expected, atol=1e-4, rtol=0)
    assert found["clip.logit_scale"].item() == pytest.approx(own.logit_scale.exp().item())
