"""JSON of other people's models: what is read, and what is refused before any library sees it."""

import json
import os

import pytest

from evo_t2i.checkpoints import model_folder
from evo_t2i.checkpoints.model_folder import files_read, read_json, refused, require_data
from evo_t2i.errors import ModelError, UsageError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ('{"image_size": Infinity}', "Infinity is no number of a model"),
        ('{"image_size": NaN}', "NaN is no number"),
        ('{"image_size": 1e999}', "1e999 is no number"),
        ('{"image_size": ' + "9" * 5_000 + "}", "is damaged"),
        ("[]", "not an object"),
        ("", "is damaged"),
        ("\ud800", "is damaged"),
    ],
)
def test_a_file_that_no_model_has_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError) as caught:
        read_json(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_or_never_ends_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(model_folder, "MAX_JSON", 10)
    (tmp_path / "large.json").write_text("{}" + " " * 20)
    for read in (lambda: read_json(tmp_path / "large.json"), lambda: require_data(tmp_path)):
        with pytest.raises(ModelError, match="has 22 bytes, more than"):
            read()
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ModelError, match=r"pipe\.json cannot be read \(not a regular file\)"):
        read_json(tmp_path / "pipe.json")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"auto_map": {"AutoTokenizer": ["evil.T", None]}}, "code of its own ('auto_map')"),
        ({"deep": [{"auto_map": {"AutoModel": "evil.M"}}]}, "code of its own ('auto_map')"),
        ([{"auto_map": "evil.M"}], "code of its own ('auto_map')"),
        ({"trust_remote_code": True}, "code of its own ('trust_remote_code')"),
        ({"custom_pipelines": {"a": {"impl": "evil.P"}}}, "code of its own ('custom_pipelines')"),
        ({"tokenizer_class": "T"}, "names the tokenizer 'T', which is not known here"),
        ({"tokenizer_class": ["evil", "T"]}, "which is not known here"),
        ({"attn_implementation": "someone/kernel:forward"}, "code from elsewhere"),
        ({"_attn_implementation": {"text_config": "someone/kernel"}}, "code from elsewhere"),
        ({"vocab_file": "/etc/passwd"}, "leads to another file ('vocab_file')"),
    ],
)
def test_what_asks_for_more_than_the_folder_is_refused(tmp_path, value, reason):
    (tmp_path / "anything.json").write_text(json.dumps(value))
    with pytest.raises(ModelError) as caught:
        require_data(tmp_path)
    assert reason in str(caught.value)
    assert "nothing in a model's folder is ever run" in str(caught.value)


def test_an_adapter_leads_to_another_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "../evil"}')
    with pytest.raises(ModelError, match="an addition to another model"):
        require_data(tmp_path)


def test_what_published_folders_hold_is_let_pass(tmp_path):
    written = {
        "tokenizer_config.json": {
            "tokenizer_class": "BertTokenizerFast",
            "special_tokens_map_file": "/root/.cache/special_tokens_map.json",
            "tokenizer_file": None,
        },
        "vocab.json": {"auto_map": 17, "tokenizer_class": 3, "layers": 49_000},
        "config.json": {"trust_remote_code": False, "_attn_implementation": "sdpa"},
        "modules.json": [{"idx": 0, "type": "sentence_transformers.models.Transformer"}],
    }
    for name, value in written.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "trainer_state.json").write_text('{"loss": NaN}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "model.py").write_text("raise SystemExit")
    require_data(tmp_path)
    (tmp_path / "spiece.model").touch()
    (tmp_path / "README.md").touch()
    assert files_read(tmp_path, ["model.safetensors"]) == (
        "broken.json",
        "config.json",
        "model.safetensors",
        "modules.json",
        "spiece.model",
        "tokenizer_config.json",
        "trainer_state.json",
        "vocab.json",
    )


def test_a_librarys_error_becomes_one_sentence_and_the_packages_own_pass():
    with (
        pytest.raises(ModelError, match=r"^It cannot be loaded \(two\); get another\.$"),
        refused("It", "get another."),
    ):
        raise ZeroDivisionError("two\nlines")
    with pytest.raises(UsageError, match="mine"), refused("It", "get another."):
        raise UsageError("mine")
    with pytest.raises(MemoryError), refused("It", "get another."):
        raise MemoryError
