import math

import open_clip
import pytest
import torch
from torch.nn.functional import normalize

from evo_t2i.errors import ModelError
from evo_t2i.features.clip import ClipFeatures, OpenClipFeatures, dense_embeddings
from evo_t2i.testing import check_feature_extractor

CPU = torch.device("cpu")
TEXT = {"context_length": 16, "vocab_size": 100, "width": 32, "heads": 2, "layers": 1}


def tokens_of(texts):
    return torch.tensor([[1] * 14 + [len(text) % 90 + 2, 99] for text in texts])


def wrap(model, **others):
    return OpenClipFeatures(
        model=model,
        **others,
        tokenize=tokens_of,
        mean=(0.48, 0.46, 0.41),
        std=(0.27, 0.26, 0.28),
        digest="",
        device=CPU,
    )


@pytest.fixture(scope="module")
def vit():
    torch.manual_seed(0)
    vision = {"image_size": 32, "patch_size": 8, "width": 48, "layers": 3, "head_width": 16}
    return open_clip.CLIP(embed_dim=24, vision_cfg=vision, text_cfg=TEXT).eval()


@torch.inference_mode()
def test_the_dense_path_leaves_the_global_embedding_unchanged(vit):
    images = torch.rand(3, 3, 32, 32)
    found = wrap(vit).images(images, {})
    mean = torch.tensor((0.48, 0.46, 0.41)).view(1, 3, 1, 1)
    std = torch.tensor((0.27, 0.26, 0.28)).view(1, 3, 1, 1)
    expected = vit.encode_image((images - mean) / std, normalize=True)
    torch.testing.assert_close(found["clip.image"], expected, atol=1e-5, rtol=0)
    assert found["clip.dense"].shape == (3, 16, 24)
    torch.testing.assert_close(found["clip.dense"].norm(dim=-1), torch.ones(3, 16))


@torch.inference_mode()
def test_dense_embeddings_equal_a_head_by_head_oracle(vit):
    states = torch.randn(2, 17, 48)
    block = vit.visual.transformer.resblocks[-1]
    weight, bias = block.attn.in_proj_weight, block.attn.in_proj_bias
    expected = []
    for image in states:
        patches = block.ln_1(image)[1:]
        heads = []
        for head in range(3):
            rows = slice(16 * head, 16 * head + 16)
            query = patches @ weight[:48][rows].T + bias[:48][rows]
            value = patches @ weight[96:][rows].T + bias[96:][rows]
            heads.append((query @ query.T / math.sqrt(16)).softmax(-1) @ value)
        mixed = block.attn.out_proj(torch.cat(heads, -1))
        expected.append(vit.visual.ln_post(mixed) @ vit.visual.proj)
    found = dense_embeddings(vit.visual, states)
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_patches_keep_their_place_row_by_row(vit):
    grey = torch.full((1, 3, 32, 32), 0.5)
    marked = grey.clone()
    marked[..., 8:16, 24:32] = torch.rand(3, 8, 8)  # second row, last column
    features = wrap(vit)
    change = features.images(marked, {})["clip.dense"] - features.images(grey, {})["clip.dense"]
    assert change.norm(dim=-1).argmax().item() == 1 * 4 + 3


@torch.inference_mode()
def test_every_content_word_and_every_phrase_is_embedded_in_its_prompt(vit):
    found = wrap(vit).text("a red cat is on the umbrella.")
    for key, texts in (
        ("clip.words", ("red", "cat", "umbrella")),
        ("clip.phrases", ("red cat", "umbrella")),
    ):
        expected = [vit.encode_text(tokens_of([f"a picture of {each}."])) for each in texts]
        torch.testing.assert_close(found[key], normalize(torch.cat(expected), dim=-1))
    assert found["clip.text"].shape == (24,)


@torch.inference_mode()
def test_an_embedding_is_the_weighted_mean_of_its_readings(vit):
    readings = {"a pup": [("a dog", 0.75), ("a seal cub", 0.25)], "a cat": [("a cat", 1.0)]}
    found = wrap(vit, readings=readings.__getitem__).embed(["a pup", "a cat"])
    dog, seal, cat = vit.encode_text(tokens_of(["a dog", "a seal cub", "a cat"]))
    expected = normalize(torch.stack([0.75 * dog + 0.25 * seal, cat]), dim=-1)
    torch.testing.assert_close(found, expected)


def test_a_tower_without_patches_is_refused():
    vision = {"image_size": 32, "layers": (1, 1, 1, 1), "width": 16, "head_width": 16}
    model = open_clip.CLIP(embed_dim=24, vision_cfg=vision, text_cfg=TEXT)
    with pytest.raises(ModelError, match="ModifiedResNet is not a plain vision transformer"):
        wrap(model)


def test_things_are_the_built_in_clips(vit):
    with pytest.raises(ModelError, match="only the built-in CLIP"):
        wrap(vit, dense="things")


@pytest.mark.usefixtures("random_models")
@pytest.mark.parametrize("size", [(64, 64), (96, 80)])
def test_the_builtin_keeps_the_contract(size):
    check_feature_extractor(ClipFeatures(device=CPU), size=size)
