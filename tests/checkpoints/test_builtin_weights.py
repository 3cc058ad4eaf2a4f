import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch

from evo_t2i.checkpoints import builtin
from evo_t2i.errors import ModelError

FILES = ("config.json", "model.safetensors")


@pytest.fixture
def folder(tmp_path):
    card = "# Small\n\n- sha256 of model.safetensors: {digest}\n"
    builtin.save(tmp_path, "small", {"w": torch.arange(6.0).view(2, 3)}, {"width": 3}, card)
    return tmp_path


@pytest.fixture
def package(monkeypatch, tmp_path):
    """An installed package without its weights, at a place of its own."""
    path = tmp_path / "somewhere" / "evo_t2i"
    path.mkdir(parents=True)
    monkeypatch.setattr(builtin, "__file__", str(path / "checkpoints" / "builtin.py"))
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def flip_last_bit(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_what_is_saved_is_loaded(folder):
    loaded = builtin.load("small", folder)
    assert loaded.config == {"width": 3}
    assert torch.equal(loaded.tensors["w"], torch.arange(6.0).view(2, 3))
    assert not list(folder.rglob("*.part"))


def test_the_manifest_and_the_card_hold_the_files_digests(folder):
    found = {file: sha256(folder / "small" / file) for file in FILES}
    assert json.loads((folder / "digests.json").read_text()) == {"small": found}
    loaded = builtin.load("small", folder)
    assert loaded.tensors_digest == found["model.safetensors"]
    card = (folder / "small" / "CARD.md").read_text()
    assert card == f"# Small\n\n- sha256 of model.safetensors: {loaded.tensors_digest}\n"


@pytest.mark.parametrize(
    ("tensors", "config"),
    [({"w": torch.ones(2)}, {"width": 2}), ({"w": torch.zeros(2)}, {"width": 3})],
)
def test_the_digest_tells_other_tensors_and_other_configurations_apart(tmp_path, tensors, config):
    one = builtin.save(tmp_path, "one", {"w": torch.zeros(2)}, {"width": 2}, "")
    same = builtin.save(tmp_path, "same", {"w": torch.zeros(2)}, {"width": 2}, "another card")
    other = builtin.save(tmp_path, "other", tensors, config, "")
    assert one == same == builtin.load("one", tmp_path).digest
    assert other == builtin.load("other", tmp_path).digest
    assert other != one


def test_saving_a_second_model_keeps_the_first_in_the_manifest(folder):
    builtin.save(folder, "other", {"w": torch.zeros(1)}, {}, "")
    assert json.loads((folder / "digests.json").read_text()).keys() == {"small", "other"}
    assert builtin.load("small", folder).config == {"width": 3}


@pytest.mark.parametrize("file", FILES)
def test_one_flipped_bit_is_refused(folder, file):
    flip_last_bit(folder / "small" / file)
    with pytest.raises(ModelError, match=rf"'small' is damaged: the digest of its {file} is"):
        builtin.load("small", folder)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(folder, file):
    (folder / "small" / file).unlink()
    with pytest.raises(ModelError, match=rf"'small' cannot be read .*{file}"):
        builtin.load("small", folder)


@pytest.mark.parametrize("text", ["{", "", "[]", '{"small": "0123"}', '{"small": null}'])
def test_a_damaged_manifest_is_refused(folder, text):
    (folder / "digests.json").write_text(text)
    with pytest.raises(ModelError, match=r"digests\.json is damaged"):
        builtin.load("small", folder)


@pytest.mark.parametrize("text", ["{}", '{"small": {"model.safetensors": "0123"}}'])
def test_a_model_that_is_not_in_the_manifest_is_refused(folder, text):
    (folder / "digests.json").write_text(text)
    with pytest.raises(ModelError, match=r"'small' is not in .*digests\.json"):
        builtin.load("small", folder)


@pytest.mark.parametrize(
    ("place", "remedy"),
    [
        ("_weights", "install the evo-t2i wheel again."),
        ("../weights", "restore it with `git checkout -- weights`."),
    ],
)
def test_the_remedy_fits_the_installation(package, folder, place, remedy):
    place = Path(package, place)
    shutil.copytree(folder / "small", place / "small")
    shutil.copy(folder / "digests.json", place)
    assert builtin.load("small").config == {"width": 3}
    flip_last_bit(place / "small" / "config.json")
    with pytest.raises(ModelError) as caught:
        builtin.load("small")
    assert str(caught.value).endswith(remedy)


def test_a_folder_of_ones_own_is_trained_again(folder):
    flip_last_bit(folder / "small" / "config.json")
    with pytest.raises(ModelError, match="save it again with `evo-t2i train builtin`"):
        builtin.load("small", folder)


def test_no_weights_at_all(package):
    with pytest.raises(ModelError, match=r"_weights; install the evo-t2i wheel again\."):
        builtin.load("small")
    (package.parent / "pyproject.toml").touch()
    with pytest.raises(ModelError, match="restore it with `git checkout -- weights`"):
        builtin.load("small")
