import json

import pytest

import evo_t2i
from evo_t2i import presets
from evo_t2i.config import RunConfig, ScorerModels, configure
from evo_t2i.errors import ModelError, UsageError

CAPTION = "a cat"
PAPER = ScorerModels(
    clip="ViT-B-32-quickgelu:openai", classifier="vgg19_bn:imagenet", embedder="bert-base-uncased"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where LAFITE checkpoints are looked for."""
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    path = tmp_path / "models" / "lafite"
    path.mkdir(parents=True)
    return path


def test_paper_becomes_a_configuration_that_explains_itself(folder):
    (folder / "coco.pkl").touch()
    config = configure(CAPTION, seed=1, **presets.with_preset("paper", {"population": 8}))
    assert config.generator == f"lafite:{folder / 'coco.pkl'}"
    assert config.scorer_models == PAPER
    assert config.options == {"word_label": {"text": "caption"}}
    assert config.population == 8
    assert config.precision == "bf16"
    assert "preset" not in json.loads(config.to_json())
    assert RunConfig.from_json(config.to_json()) == config


def test_builtin_changes_nothing():
    assert presets.with_preset("builtin", {"seed": 1}) == {"seed": 1}
    assert presets.scorers("builtin", ["text_image"], {}, {}) == (ScorerModels(), {})


def test_what_is_given_goes_over_the_preset(folder):  # noqa: ARG001
    given = {"generator": "builtin", "embedder": "builtin"}
    given["options"] = {"word_label": {"text": "words"}}
    given["precision"] = "fp32"
    config = configure(CAPTION, seed=1, **presets.with_preset("paper", given))
    assert config.generator == "builtin"
    assert config.scorer_models.embedder == "builtin"
    assert config.scorer_models.clip == PAPER.clip
    assert config.options == {"word_label": {"text": "words"}}
    whole = {"scorer_models": ScorerModels(), **given}
    del whole["embedder"]
    config = configure(CAPTION, seed=1, **presets.with_preset("paper", whole))
    assert config.scorer_models == ScorerModels()
    more = {"options": {"image_real": {"form": "energy"}}, "generator": "builtin"}
    config = configure(CAPTION, seed=1, **presets.with_preset("paper", more))
    assert config.options == {"image_real": {"form": "energy"}, "word_label": {"text": "caption"}}


def test_a_converted_folder_counts_and_anything_else_does_not(folder):
    (folder / "notes.txt").touch()
    (folder / "coco").mkdir()
    with pytest.raises(ModelError, match=r"give --generator lafite:FILE, or put one into .*lafite"):
        presets.with_preset("paper", {})
    (folder / "coco" / "model.safetensors").touch()
    assert presets.with_preset("paper", {})["generator"] == f"lafite:{folder / 'coco'}"
    (folder / "b.pkl").touch()
    with pytest.raises(UsageError, match=r"several checkpoints \(b\.pkl, coco\); choose one with"):
        presets.with_preset("paper", {})


def test_an_unknown_preset_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no preset 'papr'; did you mean 'paper'"):
        evo_t2i.sample(CAPTION, preset="papr", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
