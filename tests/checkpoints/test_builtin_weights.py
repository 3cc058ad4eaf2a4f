import json

import pytest
import torch

from evo_t2i.checkpoints import builtin
from evo_t2i.errors import ModelError


@pytest.fixture
def folder(tmp_path):
    builtin.save(tmp_path, "small", {"w": torch.arange(6.0).view(2, 3)}, {"width": 3}, "# Small\n")
    return tmp_path


def test_what_is_saved_is_loaded(folder):
    loaded = builtin.load("small", folder)
    assert loaded.config == {"width": 3}
    assert torch.equal(loaded.tensors["w"], torch.arange(6.0).view(2, 3))
    assert json.loads((folder / "digests.json").read_text()) == {"small": loaded.digest}
    assert (folder / "small" / "CARD.md").read_text() == "# Small\n"
    assert not list(folder.rglob("*.part"))


def test_saving_a_second_model_keeps_the_first_in_the_manifest(folder):
    builtin.save(folder, "other", {"w": torch.zeros(1)}, {}, "")
    assert json.loads((folder / "digests.json").read_text()).keys() == {"small", "other"}
    assert builtin.load("small", folder).config == {"width": 3}


def test_one_flipped_bit_is_refused(folder):
    path = folder / "small" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"'small' is damaged.*reinstall"):
        builtin.load("small", folder)


def test_a_valid_digest_of_something_else_is_refused(folder):
    import hashlib

    path = folder / "small" / "model.safetensors"
    path.write_bytes(b"not safetensors")
    digest = hashlib.sha256(b"not safetensors").hexdigest()
    (folder / "digests.json").write_text(json.dumps({"small": digest}))
    with pytest.raises(ModelError, match="no safetensors file"):
        builtin.load("small", folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / "small" / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}.*reinstall"):
        builtin.load("small", folder)


@pytest.mark.parametrize("text", ["{", "", "[]"])
def test_a_damaged_manifest_is_refused(folder, text):
    (folder / "digests.json").write_text(text)
    with pytest.raises(ModelError, match="reinstall"):
        builtin.load("small", folder)


def test_a_model_that_is_not_in_the_manifest_is_refused(folder):
    with pytest.raises(ModelError, match=r"'large' is not in .*digests\.json"):
        builtin.load("large", folder)
