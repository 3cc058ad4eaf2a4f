import pytest
import torch

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models import text_side
from evo_t2i.models.minilm import load_tokenizer
from evo_t2i.models.word_reader import Chosen, ClaimReader, WordReader

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


def test_options_that_mean_nothing_count_as_nothing():
    chosen = Chosen([(2, 3, 2), (2, 1, -1)])
    logits = torch.tensor([[0.0, 1, 2, 5, 0, 0, 0, 3]])
    first, second = torch.tensor([0.0, 1, 2]).softmax(0), torch.tensor([5.0, 0, 0]).softmax(0)
    expected = [*first[:2], 0, *second[:2], 0, 0.5, torch.tensor(3.0).sigmoid()]
    torch.testing.assert_close(chosen(logits), torch.tensor([expected]).float())


@torch.inference_mode()
def test_words_keep_what_is_said_of_their_things_to_themselves():
    reader = ClaimReader(
        names=3, whole=[(1, 2, 1)], traits=[(1, 3, 2), (2, 1, -1)], inputs=8, width=8, layers=1
    )
    sure = torch.full((1, 4, 3), -30.0)
    said = torch.full((1, 4, 5), -30.0)
    sure[0, 1, 0] = sure[0, 3, 2] = 30  # the second word stands for name 0, the fourth for name 2
    said[0, 1, [0, 3]] = said[0, 3, [1, 4]] = 30
    said[0, :, 2] = 0
    said[0, 2] = 30  # a word that stands for nothing
    reader.stands_for.forward = lambda _words: sure
    reader.said_of_it.forward = lambda _words: said
    mask = torch.ones(1, 4, dtype=torch.long)
    claims = reader(torch.randn(1, 4, 8), mask)[0, reader.meaning + 2 :].round()
    assert claims[:9].reshape(3, 3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert claims[9:].reshape(2, 3).tolist() == [[1, 0, 0], [0, 0, 1]]  # option by option
    mask[0, 3] = 0
    assert reader(torch.randn(1, 4, 8), mask)[0, reader.meaning + 2 :].round().sum() == 2
