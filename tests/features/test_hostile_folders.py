"""Folders of models that bring code, or numbers that no model has; the code would leave a trace."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import small_encoder
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from small_clip import CONFIG

from evo_t2i.config import ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.classifiers import load_classifier
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.features.words import WordFeatures

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return small_encoder.write(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def hostile_encoder(encoder, tmp_path):
    return bring_code(shutil.copytree(encoder, tmp_path / "hostile"))


@pytest.fixture
def hostile_clip(small_clip, tmp_path):
    return bring_code(shutil.copytree(small_clip, tmp_path / "hostile"))


def bring_code(folder):
    """Put Python beside the model that leaves the file ``canary`` two folders above."""
    canary = folder.parent / "canary"
    code = (
        f"open({str(canary)!r}, 'w').close()\n"
        "class T:\n"
        "    from_pretrained = classmethod(lambda cls, *a, **k: cls())\n"
        "M = C = T\n"
    )
    for name in ("evil.py", "None.py"):
        (folder / name).write_text(code)
    return folder


def change(path, **values):
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(found | values))


def refused(tmp_path, *arguments):
    """Run the program with a person who says yes to everything; returns its one sentence."""
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    before = {path for path in tmp_path.rglob("*") if path.name != "__pycache__"}
    result = subprocess.run(
        [sys.executable, "-m", "evo_t2i", "score", "a.png", "--caption", "a bus", *arguments],
        input="y\n" * 100,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"EVO_T2I_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "unexpected" not in result.stderr
    assert {path for path in tmp_path.rglob("*") if path.name != "__pycache__"} == before
    return result.stderr.splitlines()[-1]


def test_an_embedder_that_brings_a_tokenizer_of_its_own_does_not_run(hostile_encoder, tmp_path):
    change(
        hostile_encoder / "tokenizer_config.json",
        tokenizer_class="T",
        auto_map={"AutoTokenizer": ["evil.T", None]},
    )
    said = refused(tmp_path, "--scores", "word_label", "--embedder", str(hostile_encoder))
    assert "nothing in a model's folder is ever run" in said


def test_a_clip_that_brings_a_text_tower_of_its_own_does_not_run(hostile_clip, tmp_path):
    change(
        hostile_clip / "config.json",
        model_type="evil",
        auto_map={"AutoModel": "evil.M", "AutoConfig": "evil.C", "AutoTokenizer": ["evil.T", None]},
    )
    text = {"hf_model_name": str(hostile_clip), "hf_tokenizer_name": str(hostile_clip)}
    change(hostile_clip / "open_clip_config.json", model_cfg=CONFIG | {"text_cfg": text})
    said = refused(tmp_path, "--scores", "text_image", "--clip", f"local-dir:{hostile_clip}")
    assert "nothing in a model's folder is ever run" in said


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"auto_map": {"AutoModel": "evil.M", "AutoConfig": "evil.C"}}),
        ("config.json", {"model_type": "evil"}),
        ("config.json", {"model_type": None}),
        ("config.json", {"tokenizer_class": "T"}),
        ("preprocessor_config.json", {"auto_map": {"AutoFeatureExtractor": "evil.T"}}),
        ("adapter_config.json", {"base_model_name_or_path": "evil", "peft_type": "LORA"}),
        ("config.json", {"hidden_size": 0}),
        ("config.json", {"num_attention_heads": 0}),
        ("config.json", {"num_hidden_layers": -1}),
        ("config.json", {"num_hidden_layers": 10**9}),
        ("config.json", {"vocab_size": 10**9}),
        ("config.json", {"hidden_act": "evil"}),
        ("tokenizer_config.json", {"model_max_length": "evil"}),
        ("tokenizer.json", {"model": {"type": "evil"}}),
    ],
)
def test_an_encoder_that_is_not_plain_data_is_refused(hostile_encoder, tmp_path, file, values):
    change(hostile_encoder / file, **values)
    with pytest.raises(ModelError) as caught:
        WordFeatures(device=CPU, models=ScorerModels(embedder=str(hostile_encoder)), labels=["a"])
    assert str(hostile_encoder) in str(caught.value)
    assert not (tmp_path / "canary").exists()


def test_an_encoder_that_lacks_tensors_is_refused_and_not_drawn_at_random(hostile_encoder):
    path = hostile_encoder / "model.safetensors"
    tensors = load_file(path)
    save_file({k: v.bfloat16() for k, v in tensors.items()}, path, {"format": "pt"})
    models = ScorerModels(embedder=str(hostile_encoder))
    assert WordFeatures(device=CPU, models=models, labels=["a"]).labels == ("a",)
    tensors.pop("encoder.layer.1.output.dense.weight")
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"lack 1 tensors, first 'encoder\.layer\.1\.output"):
        WordFeatures(device=CPU, models=models, labels=["a"])


@pytest.mark.parametrize(
    ("tower", "values", "message"),
    [
        ("text_cfg", {"hf_model_name": "hf-hub:evil/model"}, "a tower from another library"),
        ("vision_cfg", {"timm_model_name": "hf-hub:evil/model"}, "a tower from another library"),
        ("text_cfg", {"hf_tokenizer_name": "evil/model"}, "does not hold it"),
        ("text_cfg", {"tokenizer_kwargs": {"trust_remote_code": True}}, "code of its own"),
        ("text_cfg", {"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}}, "'bpe_path'"),
        ("vision_cfg", {"patch_size": 0}, r"vision_cfg.patch_size is 0, expected 1 to"),
        ("vision_cfg", {"image_size": 1e9}, r"vision_cfg.image_size is 1000000000.0"),
        ("vision_cfg", {"layers": 10**9}, r"vision_cfg.layers is 1000000000"),
        ("vision_cfg", {"width": 16_384}, "has the shape"),
        ("vision_cfg", {"head_width": 0}, "cannot be loaded"),
        ("text_cfg", {"heads": 0}, "cannot be loaded"),
        ("text_cfg", {"vocab_size": 2**22}, "has the shape"),
        ("text_cfg", {"context_length": "77"}, "text_cfg.context_length is 77"),
    ],
)
def test_a_clip_that_is_not_open_clips_own_is_refused(hostile_clip, tower, values, message):
    model = CONFIG | {tower: CONFIG[tower] | values}
    change(hostile_clip / "open_clip_config.json", model_cfg=model)
    with pytest.raises(ModelError) as caught:
        ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{hostile_clip}"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "values", [{"mean": [0.5]}, {"mean": "abc"}, {"std": [0.0, 1.0, 1.0]}, {"std": [True] * 3}]
)
def test_a_normalisation_that_is_none_is_refused(hostile_clip, values):
    change(hostile_clip / "open_clip_config.json", preprocess_cfg=values)
    with pytest.raises(ModelError, match="of the three channels; fetch it again"):
        ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{hostile_clip}"))


@pytest.mark.usefixtures("random_models")
@pytest.mark.parametrize(
    "values",
    [
        {"image_size": 0},
        {"image_size": 10**9},
        {"image_size": "64"},
        {"labels": []},
        {"labels": "abc"},
        {"labels": [1, 2]},
        {"mean": [0.5, 0.5]},
        {"std": [0, 0, 0]},
        {"channels": [4, "X"]},
        {"channels": "abc"},
        {"channels": [10**12, "M"]},
        {"channels": ["M"]},
        {"channels": 0},
    ],
)
def test_a_classifier_of_impossible_sizes_is_refused(random_weights, tmp_path, values):
    folder = shutil.copytree(random_weights / "vgg", tmp_path / "vgg")
    change(folder / "config.json", **values)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(folder))
    assert str(folder) in str(caught.value)


@pytest.mark.usefixtures("random_models")
def test_a_classifier_in_bfloat16_is_read_and_one_of_other_tensors_refused(
    random_weights, tmp_path
):
    folder = shutil.copytree(random_weights / "vgg", tmp_path / "vgg")
    path = folder / "model.safetensors"
    tensors = load_file(path)
    halves = {k: v.bfloat16() if v.is_floating_point() else v for k, v in tensors.items()}
    save_file(halves, path)
    features = VggFeatures(device=CPU, models=ScorerModels(classifier=str(folder)))
    assert features.images(torch.rand(1, 3, 64, 64), {})["vgg.logits"].dtype == torch.float32
    save_file(tensors | {"more": torch.ones(2)}, path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_classifier(str(folder))
    path.write_bytes(b"\xff" * 50)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_classifier(str(folder))


def test_every_file_that_is_read_changes_an_encoders_digest(hostile_encoder):
    def digest():
        models = ScorerModels(embedder=str(hostile_encoder))
        return WordFeatures(device=CPU, models=models, labels=["a"]).digest

    found = [digest()]
    tokenizer = hostile_encoder / "tokenizer.json"
    text = tokenizer.read_text()
    tokenizer.write_text(text.replace('"a": 5', '"a": 6').replace('"b": 6', '"b": 5'))
    assert tokenizer.read_text() != text
    found.append(digest())
    change(hostile_encoder / "tokenizer_config.json", model_max_length=32)
    found.append(digest())
    change(hostile_encoder / "config.json", layer_norm_eps=1e-11)
    found.append(digest())
    assert len(set(found)) == 4


def test_the_tokenizer_in_a_clips_folder_is_read_and_counts(hostile_clip, encoder):
    for path in encoder.glob("tokenizer*.json"):
        shutil.copy(path, hostile_clip)
    text = CONFIG["text_cfg"] | {"hf_tokenizer_name": "nobody/tokenizer", "pool_type": "last"}
    change(hostile_clip / "open_clip_config.json", model_cfg=CONFIG | {"text_cfg": text})
    models = ScorerModels(clip=f"local-dir:{hostile_clip}")
    first = ClipFeatures(device=CPU, models=models)
    assert first.text("a red bus")["clip.text"].shape == (24,)
    change(hostile_clip / "tokenizer_config.json", model_max_length=32)
    assert ClipFeatures(device=CPU, models=models).digest != first.digest
