import pytest
import torch

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError
from evo_t2i.models import sentence_clip as clip
from evo_t2i.models.minilm import load_tokenizer
from evo_t2i.models.trained_parts import load_trained, trained_tensors

CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "patch_size": 16, "width": 64, "layers": 2, "head_width": 32},
    "text_cfg": {"hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp"},
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return clip.build(CONFIG, minilm_folder())


@pytest.mark.usefixtures("no_network")
def test_build_and_tokenizer_reach_no_network():
    clip.build(CONFIG, minilm_folder())
    load_tokenizer(minilm_folder())


@torch.inference_mode()
def test_padding_leaves_a_caption_embedding_unchanged(model):
    tokenize = load_tokenizer(minilm_folder())
    short = "a red bus."
    alone = model.encode_text(tokenize([short]))
    padded = model.encode_text(tokenize([short, "a very much longer caption about a red bus."]))
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_projected_sentence_states_are_the_text_embedding(model):
    tokens = load_tokenizer(minilm_folder())(["a cat", "a dog on a table"])
    states = clip.sentence_states(model, tokens)
    assert states.shape == (2, 384)
    torch.testing.assert_close(model.text.proj(states), model.encode_text(tokens))


def test_only_the_trained_parts_are_stored_and_they_come_back(model):
    tensors = trained_tensors(model, clip.FROZEN)
    assert not any(name.startswith("text.transformer.") for name in tensors)
    assert {"logit_scale", "text.proj.0.weight", "visual.proj"} <= tensors.keys()
    trainable = {name for name, tensor in model.named_parameters() if tensor.requires_grad}
    assert trainable == tensors.keys()
    torch.manual_seed(1)
    other = clip.load(CONFIG, tensors, minilm_folder())
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(other.encode_image(images), model.encode_image(images))


def test_weights_that_do_not_fit_are_refused_by_name(model):
    tensors = trained_tensors(model, clip.FROZEN)
    del tensors["visual.proj"]
    with pytest.raises(ModelError, match=r"1 of \d+ tensors .*'visual\.proj'"):
        load_trained(model, tensors, clip.FROZEN)
