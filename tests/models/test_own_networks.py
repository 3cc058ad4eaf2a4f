"""Networks that are written here because their libraries take seconds to import: the same numbers
as the libraries' own, bit for bit."""

import json
import subprocess
import sys

import pytest
import torch

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models import minilm, vgg
from evo_t2i.models.precision import computing_in
from evo_t2i.models.sentence_encoder import SentenceEncoder
from evo_t2i.models.vision_transformer import VisionTransformer

CPU = torch.device("cpu")
TEXTS = ["a cat", "A red bus beside two naïve dogs, at night.", "猫 on the sofa", "", "bus " * 300]


@torch.no_grad()
@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1]])
def test_the_sentence_encoder_is_transformers_own(texts):
    from transformers import AutoModel

    folder = minilm_folder()
    tokens = minilm.load_tokenizer(folder)(texts)
    mask = (tokens != minilm.PADDING).long()
    theirs = AutoModel.from_pretrained(str(folder), local_files_only=True).eval()
    expected = theirs(input_ids=tokens, attention_mask=mask).last_hidden_state
    found = minilm.load_encoder(folder)(tokens, mask)
    assert torch.equal(found[mask == 1], expected[mask == 1])


@pytest.mark.parametrize("limit", [77, 512])
def test_the_tokenizer_is_transformers_own(limit):
    from transformers import AutoTokenizer

    folder = minilm_folder()
    theirs = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    given = theirs(TEXTS, return_tensors="pt", padding=True, truncation=True, max_length=limit)
    assert torch.equal(minilm.load_tokenizer(folder, limit)(TEXTS), given.input_ids)


def test_sentences_are_embedded_as_flair_embeds_them():
    from evo_t2i.features.words import FlairEncoder

    ours, flairs = SentenceEncoder(minilm_folder()), FlairEncoder(minilm_folder())
    texts = ["skyline at sunset.", *(text for text in TEXTS if text)]
    torch.testing.assert_close(ours(texts), flairs(texts), rtol=0, atol=2e-6)
    assert torch.equal(ours.tokenize(texts[:1]), flairs.tokenize(texts[:1]))


@torch.no_grad()
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_image_tower_is_open_clips_own(precision):
    from open_clip.transformer import VisionTransformer as Theirs

    sizes = {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "heads": 4}
    torch.manual_seed(0)
    theirs = Theirs(**sizes, mlp_ratio=3.0, output_dim=16).eval()
    ours = VisionTransformer(**sizes, mlp_ratio=3.0, output_dim=16).eval()
    ours.load_state_dict(theirs.state_dict())
    assert ours.image_size == theirs.image_size
    with computing_in(precision, CPU):
        images = torch.randn(3, 3, 32, 32)
        assert torch.equal(ours(images), theirs(images))


def test_the_classifiers_layers_are_torchvisions_own():
    from torchvision.models.vgg import make_layers

    theirs = make_layers([8, "M", 16, 16, "M"], batch_norm=True)
    ours = vgg.build([8, "M", 16, 16, "M"], 5).features
    assert str(ours) == str(theirs)
    ours.load_state_dict(theirs.state_dict())


def test_loading_the_default_models_imports_none_of_the_libraries():
    heavy = ("transformers", "flair", "open_clip", "torchvision", "torch._dynamo", "matplotlib")
    code = (
        "import json, sys; from evo_t2i.config import configure; import evo_t2i.sampler\n"
        "evo_t2i.sampler.load(configure('a cat', seed=1)).for_caption('a cat')\n"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == []
