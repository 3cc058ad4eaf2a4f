import pytest
import torch

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError
from evo_t2i.models import clip, text_side
from evo_t2i.models.minilm import load_tokenizer
from evo_t2i.models.trained_parts import load_trained, trained_tensors

CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 64,
        "patch_size": 16,
        "width": 64,
        "layers": 2,
        "head_width": 32,
        "mlp_ratio": 4.0,
    },
    "things": {"kinds": 3, "worn": [2], "traits": [[1, 2, -1], [1, 3, 2]]},
}
PLAIN = {"width": 32, "layers": 1, "queries": 2, "outputs": 48}
READER = PLAIN | {"names": 4, "whole": [[1, 3, 2]], "traits": [[1, 3, 0], [2, 1, -1]]}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return clip.build(CONFIG, text_side.build(READER, minilm_folder()))


@torch.inference_mode()
def test_the_text_embedding_is_the_projection_of_the_meaning(model):
    tokens = load_tokenizer(minilm_folder())(["a cat", "a dog on a table"])
    read = model.text.side(tokens)
    assert read.shape == (2, 48 + 3 + 4 * (3 + 2))
    torch.testing.assert_close(model.text.proj(read), model.encode_text(tokens))
    assert model.encode_text(tokens).shape == (2, 32)


def test_only_the_trained_parts_are_stored_and_they_come_back(model):
    tensors = trained_tensors(model, clip.FROZEN)
    assert not any(name.startswith("text.side.encoder.") for name in tensors)
    assert {"logit_scale", "text.side.reader.queries", "visual.proj"} <= tensors.keys()
    torch.manual_seed(1)
    other = clip.load(CONFIG, tensors, text_side.build(READER, minilm_folder()))
    images, tokens = torch.rand(2, 3, 64, 64), load_tokenizer(minilm_folder())(["a cat"])
    torch.testing.assert_close(other.encode_image(images), model.encode_image(images))
    torch.testing.assert_close(other.encode_text(tokens), model.encode_text(tokens))


def test_weights_that_do_not_fit_are_refused_by_name(model):
    tensors = trained_tensors(model, clip.FROZEN)
    del tensors["visual.proj"]
    with pytest.raises(ModelError, match=r"1 of \d+ tensors .*'visual\.proj'"):
        load_trained(model, tensors, clip.FROZEN)


def seen(*things):
    """What `Things` of three kinds and one trait of two options make of nine patches.

    ``things`` are (patch, kind, option of the trait); of kind 2, which is worn, the patch's other
    description tells.
    """
    module = clip.Things(8, 3, [2], [(1, 2, -1)])
    here = torch.full((1, 9, 3), -30.0)
    like = torch.zeros(1, 9, 2, 2)
    for patch, kind, option in things:
        here[0, patch, kind] = 30
        like[0, patch, int(kind == 2), option] = 30
    module.read = lambda _patches: (here, like)
    return module(torch.zeros(1, 9, 8)).unflatten(1, (3, 5))[0]


@torch.inference_mode()
def test_things_keep_together_what_belongs_together():
    one, other = seen((0, 0, 0), (4, 1, 1)), seen((0, 0, 1), (4, 1, 0))
    torch.testing.assert_close(one[0, 3:], torch.tensor([1.0, 0]))
    torch.testing.assert_close(one[1, 3:], torch.tensor([0.0, 1]))
    torch.testing.assert_close(one[:, 3:].sum(0), other[:, 3:].sum(0))  # the same words
    assert (one - other).abs().max() > 0.9


@torch.inference_mode()
def test_things_are_counted_and_the_worn_are_described_apart():
    three = seen((0, 0, 0), (4, 0, 0), (8, 0, 0))
    assert three[0, :3].argmax() == 2
    torch.testing.assert_close(three[0, 3:], torch.tensor([1.0, 0]))
    worn = seen((4, 1, 0), (4, 2, 1))
    torch.testing.assert_close(worn[1:, 3:], torch.tensor([[1.0, 0], [0, 1]]))


@torch.inference_mode()
def test_a_region_is_the_picture_with_the_things_of_that_patch_alone(model):
    states = torch.randn(2, 17, 64)
    found = model.visual.regions(states)
    assert found.shape == (2, 16, 32)
    alone = model.visual.embedded(states[:, [0, 1 + 5]])
    torch.testing.assert_close(found[:, 5], alone)
    whole = model.visual.embedded(states)
    assert (found - whole[:, None]).abs().amax() > 1e-3


@torch.inference_mode()
def test_a_text_is_the_sum_of_its_claims_directions():
    proj = clip.ClaimProjection(3, 4, 6)
    for tensor in proj.besides[-1].parameters():
        tensor.zero_()
    read = torch.tensor([[0.3, -1, 2, 0, 1, 0, 0.5]])
    expected = proj.directions.weight[:, 1] + proj.directions.weight[:, 3] / 2
    torch.testing.assert_close(proj(read)[0], expected)


def test_a_reader_without_claims_is_refused():
    with pytest.raises(ModelError, match="earlier version"):
        clip.build(CONFIG, text_side.build(PLAIN, minilm_folder()))
