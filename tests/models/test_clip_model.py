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
}
READER = {"width": 32, "layers": 1, "queries": 2, "outputs": 48}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return clip.build(CONFIG, text_side.build(READER, minilm_folder()))


@torch.inference_mode()
def test_the_text_embedding_is_the_projection_of_the_meaning(model):
    tokens = load_tokenizer(minilm_folder())(["a cat", "a dog on a table"])
    meaning = model.text.side(tokens)
    assert meaning.shape == (2, 48)
    torch.testing.assert_close(model.text.proj(meaning), model.encode_text(tokens))
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
