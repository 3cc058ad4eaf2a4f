"""`train`: what a person reads when a training is stopped."""

import pytest

from evo_t2i.cli.terminal import stop
from evo_t2i.training import classifier, clip, export, judge

SUPERVISED = {"classifier": classifier, "clip": clip, "judge": judge}


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("reported", [True, False])
def test_a_stopped_training_says_how_to_go_on(evo, tmp_path, monkeypatch, name, reported):
    out = tmp_path / name

    def stopped(*_, **_settings):
        if reported:
            (out / "checkpoint.safetensors").write_bytes(b"")
        raise stop.Stopped(2)

    monkeypatch.setattr(SUPERVISED[name], f"train_{name}", stopped)
    monkeypatch.setattr("evo_t2i.cli.commands.train._pools", lambda *_: (None, None))
    out.mkdir()
    result = evo("train", name, "--out", str(out))
    assert result.code == 130
    kept = f"Stopped; the last checkpoint is in {out}."
    begun = "Stopped before the first checkpoint."
    again = " Give the same command again to go on.\n"
    assert result.err == (kept if reported else begun) + again


@pytest.mark.parametrize(
    ("name", "settings", "folder"),
    [
        ("classifier", {"images": 76_800, "seed": 1, "learning_rate": 2e-3}, "vgg"),
        ("clip", {"images": 102_400, "seed": 3, "learning_rate": 1e-3}, "clip"),
        ("judge", {"images": 51_200, "seed": 2, "learning_rate": 2e-3}, "judge"),
    ],
)
def test_a_finished_training_is_measured_and_saved(evo, monkeypatch, name, settings, folder):
    calls = []
    trained = object()

    def train(_pool, given, out, _device, progress):
        progress(given.images, given.images, {"loss": 0.5})
        calls.append((given, str(out)))
        return trained

    monkeypatch.setattr(SUPERVISED[name], f"train_{name}", train)
    monkeypatch.setattr(SUPERVISED[name], "evaluate", lambda *_: {"hits": 0.75})
    monkeypatch.setattr(export, f"save_{name}", lambda *saved: calls.append(saved))
    monkeypatch.setattr("evo_t2i.cli.commands.train._pools", lambda *_: (None, None))
    result = evo("train", name, "--device", "cpu", "--weights", "mine")
    assert (result.code, result.out) == (0, f"mine/{folder}: hits 0.7500\n")
    assert f"{name} {settings['images']:,}" in result.err
    (given, out), (weights, model, facts) = calls
    assert {key: getattr(given, key) for key in settings} == settings
    assert (out, str(weights), model) == (f"training-runs/{name}", "mine", trained)
    assert facts["command"] == (
        f"`evo-t2i train {name} --images {settings['images']} --renders 32000 "
        f"--seed {settings['seed']}`"
    )
