"""ImageReward from a file in its published form, against its formulas written out."""

import json
import math
from itertools import pairwise
from pathlib import PurePosixPath

import pytest
import torch
from scoring import scores_of
from torch.nn.functional import gelu, interpolate, layer_norm, linear

from evo_t2i.checkpoints.cache import models_folder
from evo_t2i.errors import ModelError
from evo_t2i.testing import check_installed_score

CAPTION = "A red bus by the SEA"
VISION, TEXT, BLOCKS, LAYERS, SIDE, PATCH = 128, 32, 2, 2, 32, 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS += ["a", "red", "bus", "by", "the", "sea", "skyline"]
TOKENS = [2, 5, 6, 7, 8, 9, 10, 3]
MED_CONFIG = {
    "vocab_size": len(WORDS) + 2,
    "hidden_size": TEXT,
    "intermediate_size": 64,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "max_position_embeddings": 40,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "encoder_width": 768,
}


def shapes():
    """Names and shapes of the published state dict, at a small size."""

    def affine(name, rows, columns):
        return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}

    def norm(name, width):
        return {f"{name}.weight": (width,), f"{name}.bias": (width,)}

    seen, read = "blip.visual_encoder", "blip.text_encoder"
    found = {f"{seen}.cls_token": (1, 1, VISION), f"{seen}.pos_embed": (1, 5, VISION)}
    found[f"{seen}.patch_embed.proj.weight"] = (VISION, 3, PATCH, PATCH)
    found |= {f"{seen}.patch_embed.proj.bias": (VISION,)} | norm(f"{seen}.norm", VISION)
    for number in range(BLOCKS):
        block = f"{seen}.blocks.{number}"
        found |= norm(f"{block}.norm1", VISION) | norm(f"{block}.norm2", VISION)
        found |= affine(f"{block}.attn.qkv", 3 * VISION, VISION)
        found |= affine(f"{block}.attn.proj", VISION, VISION)
        found |= affine(f"{block}.mlp.fc1", 4 * VISION, VISION)
        found |= affine(f"{block}.mlp.fc2", VISION, 4 * VISION)
    found[f"{read}.embeddings.word_embeddings.weight"] = (MED_CONFIG["vocab_size"], TEXT)
    found[f"{read}.embeddings.position_embeddings.weight"] = (40, TEXT)
    found |= norm(f"{read}.embeddings.LayerNorm", TEXT)
    for number in range(LAYERS):
        layer = f"{read}.encoder.layer.{number}"
        for kind, source in (("attention", TEXT), ("crossattention", VISION)):
            found |= affine(f"{layer}.{kind}.self.query", TEXT, TEXT)
            found |= affine(f"{layer}.{kind}.self.key", TEXT, source)
            found |= affine(f"{layer}.{kind}.self.value", TEXT, source)
            found |= affine(f"{layer}.{kind}.output.dense", TEXT, TEXT)
            found |= norm(f"{layer}.{kind}.output.LayerNorm", TEXT)
        found |= affine(f"{layer}.intermediate.dense", 64, TEXT)
        found |= affine(f"{layer}.output.dense", TEXT, 64)
        found |= norm(f"{layer}.output.LayerNorm", TEXT)
    widths = pairwise((TEXT, 1024, 128, 64, 16, 1))
    for number, (before, after) in zip((0, 2, 4, 6, 7), widths, strict=True):
        found |= affine(f"mlp.layers.{number}", after, before)
    return found | affine("blip.vision_proj", 8, VISION) | affine("blip.itm_head", 2, TEXT)


def attend(query, key, value, heads):
    def split(tensor):  # (t, width) → (heads, t, width / heads)
        return tensor.unflatten(-1, (heads, -1)).transpose(0, 1)

    weights = split(query) @ split(key).transpose(1, 2) / math.sqrt(query.shape[-1] / heads)
    return (weights.softmax(-1) @ split(value)).transpose(0, 1).flatten(1)


def reward(state, image):
    """The reward of one image (3, 32, 32), already normalised, for CAPTION."""

    def affine(name, x):
        return linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name, x, eps):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return layer_norm(x, weight.shape, weight, bias, eps)

    seen, read = "blip.visual_encoder", "blip.text_encoder"
    kernel = state[f"{seen}.patch_embed.proj.weight"]
    x = torch.nn.functional.conv2d(image, kernel, stride=PATCH).flatten(1).T
    x = torch.cat([state[f"{seen}.cls_token"][0], x + state[f"{seen}.patch_embed.proj.bias"]])
    x = x + state[f"{seen}.pos_embed"][0]
    for number in range(BLOCKS):
        block = f"{seen}.blocks.{number}"
        qkv = affine(f"{block}.attn.qkv", norm(f"{block}.norm1", x, 1e-6)).chunk(3, dim=-1)
        x = x + affine(f"{block}.attn.proj", attend(*qkv, heads=VISION // 64))
        hidden = gelu(affine(f"{block}.mlp.fc1", norm(f"{block}.norm2", x, 1e-6)))
        x = x + affine(f"{block}.mlp.fc2", hidden)
    patches = norm(f"{seen}.norm", x, 1e-6)
    x = state[f"{read}.embeddings.word_embeddings.weight"][TOKENS]
    x = x + state[f"{read}.embeddings.position_embeddings.weight"][: len(TOKENS)]
    x = norm(f"{read}.embeddings.LayerNorm", x, 1e-12)
    for number in range(LAYERS):
        layer = f"{read}.encoder.layer.{number}"
        for kind in ("attention", "crossattention"):
            source = x if kind == "attention" else patches
            mixed = attend(
                affine(f"{layer}.{kind}.self.query", x),
                affine(f"{layer}.{kind}.self.key", source),
                affine(f"{layer}.{kind}.self.value", source),
                heads=4,
            )
            mixed = affine(f"{layer}.{kind}.output.dense", mixed)
            x = norm(f"{layer}.{kind}.output.LayerNorm", mixed + x, 1e-12)
        hidden = gelu(affine(f"{layer}.intermediate.dense", x))
        hidden = affine(f"{layer}.output.dense", hidden)
        x = norm(f"{layer}.output.LayerNorm", hidden + x, 1e-12)
    rating = x[0]
    for number in (0, 2, 4, 6, 7):
        rating = affine(f"mlp.layers.{number}", rating)
    return (rating.item() - 0.16717362830052426) / 1.0333394966054072


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Small random files where they are put by hand; returns the state dict."""
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    home = models_folder() / "zai-org--ImageReward"
    bert = models_folder() / "google-bert--bert-base-uncased"
    home.mkdir(parents=True)
    bert.mkdir(parents=True)
    draw = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes().items():
        scale = 0.2 if len(shape) > 1 else 0.05
        centre = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
        state[name] = centre + scale * torch.randn(shape, generator=draw)
    positions = {"blip.text_encoder.embeddings.position_ids": torch.arange(40)[None]}
    torch.save(state | positions, home / "ImageReward.pt")
    (home / "med_config.json").write_text(json.dumps(MED_CONFIG))
    (bert / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return state


def score(images, caption=CAPTION):
    return scores_of(images, caption, ["imagereward"], micro_batch=3)[:, 0]


@torch.inference_mode()
def test_it_is_the_published_formula(published):
    coarse = torch.rand(5, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    images = interpolate(coarse, (SIDE, SIDE), mode="bicubic").clamp(0, 1)
    images = (images * 255).round() / 255
    mean = torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(3, 1, 1)
    std = torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(3, 1, 1)
    expected = [reward(published, (image - mean) / std) for image in images]
    assert max(expected) - min(expected) > 0.05
    assert score(images).tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.usefixtures("published")
def test_it_keeps_the_contract_and_reads_the_caption():
    check_installed_score("imagereward")
    image = torch.rand(1, 3, 64, 64)
    assert score(image)[0] == score(image, "a RED bus by the sea")[0]
    assert abs(score(image)[0] - score(image, "a red skyline")[0]) > 1e-3


def test_files_that_do_not_fit_are_refused(published):
    home = models_folder() / "zai-org--ImageReward"
    torch.save({**published, "mlp.layers.7.bias": torch.zeros(2)}, home / "ImageReward.pt")
    with pytest.raises(ModelError, match=r"'head\.layers\.7\.bias' has the shape \(2,\), expected"):
        score(torch.rand(1, 3, 8, 8))
    torch.save({"mlp": PurePosixPath("x")}, home / "ImageReward.pt")
    with pytest.raises(ModelError, match="without running code"):
        score(torch.rand(1, 3, 8, 8))
    torch.save(published, home / "ImageReward.pt")
    (home / "med_config.json").write_text("{}")
    with pytest.raises(ModelError, match="run `evo-t2i models check imagereward`"):
        score(torch.rand(1, 3, 8, 8))
    (home / "ImageReward.pt").unlink()
    with pytest.raises(ModelError, match="run `evo-t2i models pull imagereward`"):
        score(torch.rand(1, 3, 8, 8))
