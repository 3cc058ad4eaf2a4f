import shutil

import pytest
import torch

from evo_t2i.checkpoints import builtin
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.testing import check_generator

CPU = torch.device("cpu")


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A copy of the built-in text side and generator that the test may change."""
    for name in ("text", "generator"):
        shutil.copytree(builtin.weights_folder() / name, tmp_path / name)
    shutil.copy(builtin.weights_folder() / "digests.json", tmp_path)
    monkeypatch.setattr(builtin, "weights_folder", lambda: tmp_path)
    return tmp_path


def test_the_builtin_keeps_the_contract():
    check_generator(BuiltinGenerator(device=CPU))


def test_captions_make_a_difference():
    generator = BuiltinGenerator(device=CPU)
    day, night = (generator.condition(f"a red bus at {time}.") for time in ("noon", "night"))
    latents = torch.zeros(1, *generator.latent_shape)
    assert (generator.generate(latents, day) - generator.generate(latents, night)).abs().max() > 0.1


def test_an_argument_is_refused():
    with pytest.raises(UsageError, match=r"takes no argument, got 'faces\.pt'"):
        BuiltinGenerator(device=CPU, argument="faces.pt")


def test_a_text_side_other_than_in_training_is_refused(weights):
    loaded = builtin.load("generator")
    config = loaded.config | {"text": 64 * "0"}
    builtin.save(weights, "generator", loaded.tensors, config, "")
    assert builtin.load("generator").digest != loaded.digest
    with pytest.raises(ModelError, match="was trained with the text side 000000000000…"):
        BuiltinGenerator(device=CPU)


def test_a_thousand_captions_load_the_text_side_once(monkeypatch):
    from evo_t2i.models import text_side

    loads, real = [], text_side.load
    monkeypatch.setattr(text_side, "load", lambda *given: loads.append(1) or real(*given))
    generator = BuiltinGenerator(device=CPU)
    features = [generator.condition(f"a red bus and {count} cats.") for count in range(3)]
    assert loads == [1]
    assert not torch.equal(features[0], features[1])
