import json

import pytest
import torch

from evo_t2i.checkpoints.stylegan2_folder import StyleGan2Folder, save
from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork
from evo_t2i.errors import ModelError, UsageError

NETWORKS = {
    "G_ema": StoredNetwork("Generator", {"z_dim": 3, "mapping_kwargs": {}}, {"a.b": torch.ones(2)}),
    "D": StoredNetwork("Discriminator", {"c_dim": 0}, {"a.b": torch.zeros(3)}),
}
ENCODER = {"architecture": "ViT-B-32-quickgelu", "training": "openai", "digest": None}


def write(path):
    return save(
        path,
        NETWORKS,
        text_encoder=ENCODER,
        source={"file": "a.pkl", "sha256": "0" * 64},
        card="sha256 {digest}\n",
    )


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "deep" / "folder")
    return tmp_path / "deep" / "folder"


def test_what_is_saved_is_read(folder):
    checkpoint = StyleGan2Folder(folder)
    assert checkpoint.networks == ["G_ema", "D"]
    assert checkpoint.text_encoder == ENCODER
    for name, network in NETWORKS.items():
        found = checkpoint.network(name)
        assert (found.class_name, found.arguments) == (network.class_name, network.arguments)
        assert found.tensors.keys() == {"a.b"}
        assert torch.equal(found.tensors["a.b"], network.tensors["a.b"])
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "CARD.md",
    }
    assert not list(folder.parent.glob("*.part"))


def test_the_card_holds_the_digest_and_the_same_content_the_same_bytes(folder, tmp_path):
    digest = write(tmp_path / "again")
    assert (folder / "CARD.md").read_text() == f"sha256 {digest}\n"
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_an_empty_folder_is_filled_and_a_full_one_is_left_alone(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    assert StyleGan2Folder(tmp_path / "empty").digest == StyleGan2Folder(folder).digest
    with pytest.raises(UsageError, match="is not empty; name a new folder"):
        write(folder)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_damage_is_found(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"is damaged: the digest of its model\.safetensors is"):
        StyleGan2Folder(folder)
    path.unlink()
    with pytest.raises(ModelError, match=r"cannot be read .*convert it again with"):
        StyleGan2Folder(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 3, "networks": null}'])
def test_a_config_that_was_not_written_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"is damaged: its config\.json is not what was written"):
        StyleGan2Folder(folder)


def test_a_network_that_the_config_does_not_describe_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["networks"]["D"]["arguments"]
    (folder / "config.json").write_text(json.dumps(config))
    checkpoint = StyleGan2Folder(folder)
    assert checkpoint.network("G_ema").class_name == "Generator"
    with pytest.raises(ModelError, match="is damaged: its D cannot be read"):
        checkpoint.network("D")
