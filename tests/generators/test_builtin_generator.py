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
    """A copy of the built-in clip and generator that the test may change."""
    for name in ("clip", "generator"):
        shutil.copytree(builtin.weights_folder() / name, tmp_path / name)
    shutil.copy(builtin.weights_folder() / "digests.json", tmp_path)
    monkeypatch.setattr(builtin, "weights_folder", lambda: tmp_path)
    return tmp_path


def test_the_builtin_keeps_the_contract():
    check_generator(BuiltinGenerator(device=CPU))


def test_captions_make_a_difference():
    generator = BuiltinGenerator(device=CPU)
    day, night = (generator.condition(f"a red bus at {time}.") for time in ("noon", "night"))
    torch.testing.assert_close(day.norm(dim=1), torch.ones(1))
    latents = torch.zeros(1, *generator.latent_shape)
    assert (generator.generate(latents, day) - generator.generate(latents, night)).abs().max() > 0.1


def test_an_argument_is_refused():
    with pytest.raises(UsageError, match=r"takes no argument, got 'faces\.pt'"):
        BuiltinGenerator(device=CPU, argument="faces.pt")


def test_a_text_encoder_other_than_in_training_is_refused(weights):
    loaded = builtin.load("generator")
    config = loaded.config | {"text_encoder": 64 * "0"}
    builtin.save(weights, "generator", loaded.tensors, config, "")
    generator = BuiltinGenerator(device=CPU)
    assert generator.digest != loaded.digest
    with pytest.raises(ModelError, match="was trained with the text encoder 000000000000…"):
        generator.condition("skyline at sunset.")
