"""`train builtin`: what a person reads, and what is saved."""

from types import SimpleNamespace

import pytest
import torch

from evo_t2i.cli.terminal import stop
from evo_t2i.training.builtin import claims, classifier, clip, export, judge, text

SUPERVISED = {"classifier": classifier, "clip": clip, "judge": judge}
COMMANDS = "evo_t2i.cli.commands.train_builtin"


@pytest.fixture(autouse=True)
def no_renders_and_no_texts(monkeypatch):
    monkeypatch.setattr(f"{COMMANDS}._pool", lambda *_, **__: None)
    monkeypatch.setattr(text, "load_texts", lambda *_, **__: None)
    monkeypatch.setattr(text, "train_text", lambda *_, **__: SimpleNamespace(reader=None))
    monkeypatch.setattr(claims, "train_claims", lambda *_, **__: None)
    monkeypatch.setattr(export, "load_text", lambda *_: torch.nn.Identity())


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("reported", [True, False])
def test_a_stopped_training_says_how_to_go_on(evo, tmp_path, monkeypatch, name, reported):
    out = tmp_path / name
    out.mkdir()

    def stopped(*_, **_settings):
        if reported:
            (out / "checkpoint.safetensors").write_bytes(b"")
        raise stop.Stopped(2)

    monkeypatch.setattr(SUPERVISED[name], f"train_{name}", stopped)
    result = evo("train", "builtin", name, "--out", str(tmp_path))
    assert result.code == 130
    kept = f"Stopped; the last checkpoint is in {out}."
    begun = "Stopped before the first checkpoint."
    again = " Give the same command again to go on.\n"
    assert result.err.endswith((kept if reported else begun) + again)


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("classifier", "vgg"),
        ("clip", "clip"),
        ("judge", "judge"),
        ("judge --second", "second-judge"),
    ],
)
def test_a_finished_training_is_measured_and_saved_with_its_command(
    evo, monkeypatch, command, folder
):
    name = command.split()[0]
    calls = []
    trained = object()

    def train(*given, **_):
        calls.append(given)
        return trained

    monkeypatch.setattr(SUPERVISED[name], f"train_{name}", train)
    monkeypatch.setattr(SUPERVISED[name], "evaluate", lambda *_: {"hits": 0.75})
    monkeypatch.setattr(export, f"save_{name}", lambda *saved: calls.append(saved))
    options = ("--images", "640", "--renders", "300", "--seed", "9")
    result = evo(
        "train", "builtin", *command.split(), "--device", "cpu", "--weights", "mine", *options
    )
    assert (result.code, result.out) == (0, f"mine/{folder}: hits 0.7500\n")
    given, (weights, model, facts, *_) = calls
    settings = next(each for each in given if hasattr(each, "images"))
    assert (settings.images, settings.seed) == (640, 9)
    assert (str(weights), model) == ("mine", trained)
    more = (
        " --texts 3600000 --captions 600000 --claims 500000 --batch 128" if name == "clip" else ""
    )
    assert facts["command"] == (
        f"`evo-t2i train builtin {command}{more} --images 640 --renders 300 --seed 9`"
    )
    assert "hits 0.7500" in facts.values()


def test_a_generator_without_a_decider_names_the_command_that_makes_it(evo, tmp_path):
    result = evo("train", "builtin", "generator", "--out", str(tmp_path))
    assert result.code == 2
    assert "run `evo-t2i train builtin text` first" in result.err
