import pytest
import torch

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models import text_side
from evo_t2i.models.minilm import load_tokenizer
from evo_t2i.models.word_reader import WordReader

READER = {"width": 32, "layers": 1, "queries": 2, "outputs": 48}


@pytest.fixture(scope="module")
def side():
    torch.manual_seed(0)
    return text_side.build(READER, minilm_folder())


@pytest.mark.usefixtures("no_network")
def test_build_and_tokenizer_reach_no_network():
    text_side.build(READER, minilm_folder())
    load_tokenizer(minilm_folder())


@torch.inference_mode()
def test_padding_leaves_a_meaning_unchanged(side):
    tokenize = load_tokenizer(minilm_folder())
    short = "a red bus."
    alone = side(tokenize([short]))
    padded = side(tokenize([short, "a very much longer caption about a red bus."]))
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=0)


def test_a_long_caption_is_cut_to_77_tokens():
    assert load_tokenizer(minilm_folder())(["bus " * 300]).shape == (1, 77)


@torch.inference_mode()
def test_the_order_of_words_matters(side):
    tokenize = load_tokenizer(minilm_folder())
    one, other = side(tokenize(["a red cup on a blue ball", "a blue cup on a red ball"]))
    assert (one - other).abs().max() > 1e-3


def test_only_the_reader_is_trained_and_it_comes_back(side):
    trained = {name for name, tensor in side.named_parameters() if tensor.requires_grad}
    assert trained == {f"reader.{name}" for name, _ in side.reader.named_parameters()}
    again = text_side.load({"reader": READER}, side.reader.state_dict(), minilm_folder())
    states, mask = torch.randn(2, 5, 384), torch.ones(2, 5).long()
    torch.testing.assert_close(again.reader(states, mask), side.reader(states, mask))


def test_unseen_words_do_not_enter():
    torch.manual_seed(1)
    reader = WordReader(**READER).eval()
    states = torch.randn(1, 6, 384)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    changed = states.clone()
    changed[:, 4:] = 9
    torch.testing.assert_close(reader(states, mask), reader(changed, mask))
