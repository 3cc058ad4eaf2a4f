import hashlib
import json
import os
import shutil
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file
from small_clip import ARCHITECTURE, CONFIG, make

from evo_t2i.checkpoints import published_clip
from evo_t2i.errors import ModelError

CAPTIONS = ["skyline at sunset.", "a red bus"]


@pytest.fixture
def folder(small_clip, tmp_path):
    """A copy that the test may change."""
    return Path(shutil.copytree(small_clip, tmp_path / "clip"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whatever would download fails at once."""

    def refuse(*_arguments, **_options):
        raise AssertionError("no download without being asked")

    monkeypatch.setattr("socket.socket.connect", refuse)


def test_a_folder_of_open_clip_gives_open_clips_features(small_clip):
    clip = published_clip.load(ARCHITECTURE, small_clip)
    found = clip.text_features(CAPTIONS)
    tokens = open_clip.get_tokenizer(ARCHITECTURE)(CAPTIONS)
    with torch.no_grad():
        wanted = make().encode_text(tokens, normalize=True)
    torch.testing.assert_close(found, wanted)
    assert found.shape[1] == published_clip.configuration(ARCHITECTURE)["embed_dim"] == 24
    assert not torch.allclose(found[0], found[1], atol=0.01)


def test_safetensors_and_state_dicts_in_half_precision_are_the_same_encoder(small_clip, tmp_path):
    tensors = load_file(small_clip / "open_clip_model.safetensors")
    half = {name: tensor.half() for name, tensor in tensors.items()}
    save_file(half, tmp_path / "half.safetensors")
    torch.save(half, tmp_path / "bare.pt")
    torch.save({"state_dict": half, "epoch": 3}, tmp_path / "wrapped.pt")
    whole = published_clip.load(ARCHITECTURE, small_clip)
    for name in ("half.safetensors", "bare.pt", "wrapped.pt"):
        clip = published_clip.load(ARCHITECTURE, tmp_path / name)
        assert clip.text_digest() == whole.text_digest()
        torch.testing.assert_close(clip.text_features(CAPTIONS), whole.text_features(CAPTIONS))


def test_the_digest_is_of_the_text_tower_alone(folder):
    before = published_clip.load(ARCHITECTURE, folder).text_digest()
    path = folder / "open_clip_model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"visual.proj": tensors["visual.proj"] * 2}, path)
    assert published_clip.load(ARCHITECTURE, folder).text_digest() == before
    save_file(tensors | {"text_projection": tensors["text_projection"] * 2}, path)
    assert published_clip.load(ARCHITECTURE, folder).text_digest() != before


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"quick_gelu": False}, "its quick_gelu is False, expected True"),
        ({"embed_dim": 48}, "its embed_dim is 48, expected 24"),
        (
            {"vision_cfg": CONFIG["vision_cfg"] | {"patch_size": 8}},
            r"its vision_cfg\.patch_size is 8, expected 16",
        ),
        ({"text_cfg": None}, "cannot be read as open_clip's configuration"),
    ],
)
def test_a_folder_with_another_encoder_is_refused(folder, change, phrase):
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG | change}))
    with pytest.raises(ModelError, match=phrase):
        published_clip.load(ARCHITECTURE, folder)


def test_what_is_missing_is_named(folder, tmp_path):
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"holds no weights; put open_clip_model\.safetensors"):
        published_clip.load(ARCHITECTURE, folder)
    (folder / "open_clip_config.json").unlink()
    with pytest.raises(ModelError, match=r"open_clip_config\.json cannot be read"):
        published_clip.load(ARCHITECTURE, folder)
    with pytest.raises(ModelError, match=r"none\.safetensors are not there"):
        published_clip.load(ARCHITECTURE, tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="is not an open_clip model"):
        published_clip.load("ViT-B-23", folder)


def test_weights_of_another_shape_are_refused(folder):
    path = folder / "open_clip_model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"visual.conv1.weight": torch.zeros(32, 3, 8, 8)}, path)
    with pytest.raises(ModelError, match=r"'visual\.conv1\.weight' has the shape \(32, 3, 8, 8\)"):
        published_clip.load(ARCHITECTURE, path)


def test_files_that_could_run_code_are_refused(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'canary'}",)

    torch.save({"state_dict": Runs()}, tmp_path / "evil.pt")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "archive.pt")
    (tmp_path / "noise.safetensors").write_bytes(b"\xff" * 100)
    (tmp_path / "noise.pt").write_bytes(b"\xff" * 100)
    for name in ("evil.pt", "archive.pt", "noise.safetensors", "noise.pt"):
        with pytest.raises(ModelError, match="cannot be read without running code in them, or are"):
            published_clip.load(ARCHITECTURE, tmp_path / name)
    assert not (tmp_path / "canary").exists()


def test_openais_own_archive_is_known_by_its_digest(small_clip, tmp_path, monkeypatch):
    path = tmp_path / "archive.pt"
    model = make()
    model.register_buffer("input_resolution", torch.tensor(32))
    with torch.no_grad():
        scripted = torch.jit.script(model.half())
    torch.jit.save(scripted, path)
    with pytest.raises(ModelError, match="cannot be read without running code"):
        published_clip.load(ARCHITECTURE, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    published = {"url": f"https://openaipublic.azureedge.net/clip/models/{digest}/small.pt"}
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda *_: published)
    whole = published_clip.load(ARCHITECTURE, small_clip)
    assert published_clip.load(ARCHITECTURE, path).text_digest() == whole.text_digest()


def test_open_clips_caches_are_searched_without_a_download(tmp_path, monkeypatch):
    hub = tmp_path / "hub"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    with pytest.raises(ModelError, match=r"ViT-B-32-quickgelu \(openai\) is not on this machine"):
        published_clip.find("ViT-B-32-quickgelu", "openai")
    archive = tmp_path / ".cache" / "clip" / "ViT-B-32.pt"
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert published_clip.find("ViT-B-32-quickgelu", "openai") == archive
    repository = hub / "models--timm--vit_base_patch32_clip_224.openai"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    (snapshot / "open_clip_model.safetensors").touch()
    found = published_clip.find("ViT-B-32-quickgelu", "openai")
    assert found == snapshot / "open_clip_model.safetensors"
    with pytest.raises(ModelError, match="open_clip knows no 'openia' weights"):
        published_clip.find("ViT-B-32-quickgelu", "openia")
