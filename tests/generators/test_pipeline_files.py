"""Folders of a pipeline's shape, looked through without loading anything."""

import json

import pytest

from evo_t2i.checkpoints.pull import pull
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.pipeline_files import check_pipeline, find_pipeline

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "requires_safety_checker": False,
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "feature_extractor": [None, None],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}


@pytest.fixture
def folder(tmp_path):
    """A pipeline with a scheduler, a tokenizer and one model."""
    root = tmp_path / "pipeline"
    files = {
        "scheduler/scheduler_config.json": b"{}",
        "tokenizer/vocab.json": b"{}",
        "tokenizer/merges.txt": b"#version",
        "unet/config.json": b"{}",
        "unet/diffusion_pytorch_model.safetensors": b"weights",
        "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
        "unet/README.md": b"words",
        "model_index.json": json.dumps(INDEX).encode(),
    }
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_what_decides_the_pictures_is_listed_and_no_more(folder):
    found = check_pipeline(folder)
    assert found.pipeline == "StableDiffusionPipeline"
    assert found.models == {"unet": ("diffusers", "UNet2DConditionModel")}
    assert found.files == (
        "model_index.json",
        "scheduler/scheduler_config.json",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    )


def test_the_digest_changes_with_bytes_and_settings_alone(folder):
    settings = {"steps": 1}
    before = check_pipeline(folder).digest(settings)
    (folder / "unet" / "README.md").write_text("other words")
    assert check_pipeline(folder).digest(settings) == before
    assert check_pipeline(folder).digest({"steps": 2}) != before
    (folder / "scheduler" / "scheduler_config.json").write_text('{"a": 1}')
    rescheduled = check_pipeline(folder).digest(settings)
    assert rescheduled != before
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"weighty")
    assert check_pipeline(folder).digest(settings) not in (before, rescheduled)


def test_weights_as_pickles_alone_are_refused(folder):
    for path in (folder / "unet").glob("*.safetensors"):
        path.unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=r"has only diffusion_pytorch_model.bin, a format that"):
        check_pipeline(folder)


def test_a_variant_alone_is_refused(folder):
    for path in (folder / "unet").glob("*.safetensors"):
        path.unlink()
    (folder / "unet" / "diffusion_pytorch_model.non_ema.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"only the variant diffusion_pytorch_model\.non_ema"):
        check_pipeline(folder)


def test_half_precision_weights_are_taken_where_there_are_no_others(folder):
    assert check_pipeline(folder).variants == {"unet": None}
    whole = check_pipeline(folder).digest({})
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    found = check_pipeline(folder)
    assert found.variants == {"unet": "fp16"}
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in found.files
    assert found.digest({}) != whole
    for number in (1, 2):
        part = f"diffusion_pytorch_model.fp16-0000{number}-of-00002.safetensors"
        (folder / "unet" / part).write_bytes(b"part")
    index = {"weight_map": {"a": part, "b": "diffusion_pytorch_model.fp16-00003-of-00002"}}
    path = folder / "unet" / "diffusion_pytorch_model.safetensors.index.fp16.json"
    path.write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"lacks diffusion_pytorch_model\.fp16-00003"):
        check_pipeline(folder)


def test_missing_parts_of_sharded_weights_are_named(folder):
    index = {"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors"}}
    index["weight_map"]["b"] = "diffusion_pytorch_model-00002-of-00002.safetensors"
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.rename(path.with_name("diffusion_pytorch_model-00001-of-00002.safetensors"))
    (folder / "unet" / f"{path.name}.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"lacks diffusion_pytorch_model-00002-.*1 of 2 parts"):
        check_pipeline(folder)


def test_a_missing_component_is_named(folder):
    (folder / "tokenizer" / "vocab.json").unlink()
    (folder / "tokenizer" / "merges.txt").unlink()
    (folder / "tokenizer").rmdir()
    with pytest.raises(ModelError, match=r"lacks the folder .*tokenizer"):
        check_pipeline(folder)


@pytest.mark.parametrize(
    "component", [["pipeline", "Custom"], ["os", "system"], ["diffusers.utils", "x"]]
)
def test_components_that_bring_their_own_code_are_refused(folder, component):
    (folder / "model_index.json").write_text(json.dumps(INDEX | {"unet": component}))
    with pytest.raises(ModelError, match="would run code that is not part of"):
        check_pipeline(folder)


def test_a_component_outside_the_folder_is_refused(folder):
    index = INDEX | {"../elsewhere": ["diffusers", "UNet2DConditionModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"component '\.\./elsewhere'"):
        check_pipeline(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "has no model_index.json"), ("{", "is damaged"), ("[]", "damaged"), ("{}", "damaged")],
)
def test_a_folder_that_is_no_pipeline_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        find_pipeline(str(tmp_path), None)


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for source in (str(tmp_path / "file"), str(tmp_path / "none"), "sd-turbo"):
        with pytest.raises(UsageError, match="is not a folder; give the folder"):
            find_pipeline(source, None)


def test_a_revision_of_a_folder_is_refused(folder):
    with pytest.raises(UsageError, match=r"diffusers\.revision is 'v1', but .* is a folder"):
        find_pipeline(str(folder), "v1")


def test_a_repository_that_was_not_downloaded_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError) as caught:
        find_pipeline("nobody/sd-none", "v1")
    assert "`hf download nobody/sd-none --revision v1`" in str(caught.value)
    assert str(tmp_path / "hub") in str(caught.value)


def test_a_pulled_pipeline_has_every_file_that_is_needed(folder, fake_hub, models):
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    (folder / "safety_checker").mkdir()
    fake_hub.repositories["nobody/pipe"] = there | {"safety_checker/model.safetensors": b"no"}
    pull(models["pipe"], lambda *_event: None)
    found = find_pipeline("nobody/pipe", None)
    assert found.files == check_pipeline(folder).files
    assert found.digest({}) == check_pipeline(folder).digest({})
    assert not (found.folder / "safety_checker").exists()


def test_a_downloaded_repository_is_found(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    repository = tmp_path / "hub" / "models--nobody--sd-none"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.parent.mkdir(parents=True)
    folder.rename(snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert find_pipeline("nobody/sd-none", None).folder == snapshot
    assert find_pipeline("nobody/sd-none", "a" * 40).folder == snapshot
