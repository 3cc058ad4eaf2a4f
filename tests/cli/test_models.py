import csv
import json
import os

import pytest
from foreign_checkpoints import (
    discriminator_arguments,
    generator_arguments,
    make_discriminator,
    make_generator,
    write_checkpoint,
)

SMALL = ("--population", 6, "--offspring", 4, "--generations", 1, "--device", "cpu")


class Runs:
    """Pickles as a call of ``os.system``."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def write(path, classes=0, **entries):
    g, d = generator_arguments(classes=classes), discriminator_arguments(classes=classes)
    return write_checkpoint(path, (make_generator(g), g), (make_discriminator(d), d), **entries)


def test_a_checkpoint_is_converted_and_used(evo, tmp_path, random_models):  # noqa: ARG001
    write(tmp_path / "faces.pkl", classes=3)
    result = evo("models", "convert", "faces.pkl", "faces")
    assert result.code == 0, result.err
    assert "--generator stylegan2-ada:faces" in result.out
    assert "dropped        training_set_kwargs, G" in result.out
    assert result.err == "Reading faces.pkl…\n"
    card = (tmp_path / "faces" / "CARD.md").read_text()
    assert "converted from: faces.pkl, sha256 " in card
    assert "dropped: training_set_kwargs, G; and the source code in the pickle" in card

    scores = ("--scores", "discriminator,image_real")
    generator = ("--generator", "stylegan2-ada:faces", "-o", "stylegan2-ada.label=1")
    generator += ("-o", "stylegan2-ada.truncation=0.8")
    result = evo("sample", "a cat", "--out", "run", "--seed", 1, *SMALL, *generator, *scores)
    assert result.code == 0, result.err
    with (tmp_path / "run" / "front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "generation", "discriminator", "image_real", "look", "front"]
    journal = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    models = [json.loads(line)["entry"].get("models", {}) for line in journal]
    assert {"generator", "discriminator", "vgg"} in [set(digests) for digests in models]
    (tmp_path / "run" / "pick" / "pick.json").unlink()
    assert evo("resume", "run").code == 0


def test_the_result_as_json(evo, tmp_path):
    write(tmp_path / "faces.pkl")
    result = evo("models", "convert", "faces.pkl", "faces", "--json", "--quiet")
    assert result.err == ""
    facts = json.loads(result.out)
    assert facts["generator"] == "stylegan2-ada:faces"
    assert facts["dropped"] == ["training_set_kwargs", "G"]
    assert (facts["resolution"], facts["classes"], facts["text_encoder"]) == (32, 0, None)


@pytest.mark.parametrize("command", ["convert", "sample"])
def test_an_unsafe_file_is_one_sentence_and_exit_code_3(evo, tmp_path, command):
    write(tmp_path / "evil.pkl", extra=Runs("touch canary"))
    call = {
        "convert": ("models", "convert", "evil.pkl", "out"),
        "sample": ("sample", "a cat", "--generator", "stylegan2-ada:evil.pkl", "--out", "out"),
    }[command]
    result = evo(*call, "--quiet")
    assert result.code == 3
    assert result.err.startswith("error: The checkpoint evil.pkl is refused, and nothing in it was")
    assert "it asks for 'posix.system'; give a network-snapshot pickle" in result.err
    assert len(result.err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"evil.pkl"}


def test_a_folder_in_use_is_refused_and_kept(evo, tmp_path):
    write(tmp_path / "faces.pkl")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    result = evo("models", "convert", "faces.pkl", "mine", "--quiet")
    assert result.code == 2
    assert "mine is not empty; name a new folder." in result.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    result = evo("models", "convert", "mine", "out", "--quiet")
    assert result.code == 2
    assert "mine is a folder; give the pickle file of a checkpoint." in result.err


def test_a_discriminator_that_cannot_be_used_is_dropped_and_named(evo, tmp_path):
    g, d = generator_arguments(), discriminator_arguments()
    bad = d | {"colour": "red"}
    write_checkpoint(tmp_path / "a.pkl", (make_generator(g), g), (make_discriminator(d), bad))
    result = evo("models", "convert", "a.pkl", "out", "--quiet")
    assert result.code == 0
    assert "D (The checkpoint's discriminator was made with 'colour' = 'red'" in result.out


def test_the_discriminators_score_needs_its_generator(evo, tmp_path):
    result = evo("sample", "a cat", "--scores", "discriminator", "--out", "run", "--quiet", *SMALL)
    assert result.code == 2
    assert "neither the generator nor an installed extractor provides" in result.err
    assert not (tmp_path / "run").exists()
