"""`train generator`, `clip` and `classifier`: small trainings of people's pictures, for real."""

import json
import shlex
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from evo_t2i.cli.terminal import stop
from evo_t2i.config import ScorerModels
from evo_t2i.features.classifiers import load_classifier
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.generators.lafite import LafiteGenerator
from evo_t2i.testing import check_feature_extractor
from evo_t2i.training import lafite, own_fit

COLOURS = ("red", "green", "blue", "black", "white", "yellow")
SMALL = ["--resolution", 16, "--channel-base", 64, "--channel-max", 4, "--latent-size", 4,
         "--style-size", 8, "--fidelity", "none", "--held-out", 0.3, "--device", "cpu"]  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Two dozen plain pictures of six colours, in a folder for each colour; one has no caption."""
    home = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    rows = []
    for index in range(24):
        colour = COLOURS[index % 6]
        (home / colour).mkdir(exist_ok=True)
        shade = np.asarray(Image.new("RGB", (64, 64), colour), np.int64)
        noisy = (shade + rng.integers(-40, 40, shade.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(home / colour / f"{index}.png")
        if index:
            caption = f"a {colour} square number {index}"
            rows.append({"file": f"{colour}/{index}.png", "caption": caption, "hue": colour})
    (home / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (home / "red" / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (8, 8)).save(home / "red" / "tiny.png")
    for name in ("broken", "tiny"):
        (home / "red" / f"{name}.txt").write_text(name)
    return home


def weights(folder):
    return load_file(folder / "checkpoint.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_a_generator_is_trained_and_its_line_says_how_to_use_it(evo, own, tmp_path):
    out = tmp_path / "my generator"
    asked = ("train", "generator", "--data", own, "--out", out, "--images", 8, "--batch", 4)
    result = evo(*asked, *SMALL, "--with", "image-image", "--separate-heads", "--tensorboard")
    assert result.code == 0
    model, _, command = result.out.rstrip("\n").partition(": ")
    assert model == f"{out}/model"
    words = shlex.split(command)
    assert words[:2] == ["evo-t2i", "sample"]
    assert words[3:] == ["--generator", f"lafite:{out}"]
    assert "square number" in words[2]
    assert LafiteGenerator(device=CPU, argument=str(out)).image_size == (16, 16)
    said = result.err
    assert "23 pictures with 23 captions" in said
    assert "1 pictures without caption: red/0.png" in said
    assert "1 unreadable pictures: red/broken.png (not a picture)" in said
    assert "1 pictures too small: red/tiny.png (8x8)" in said
    assert "problems.json" in said
    assert "generator 8/8, " in said
    assert "images/s" in said
    line = json.loads((out / "metrics.jsonl").read_text())
    assert "G.iid_r" in line
    assert list((out / "tensorboard").iterdir())
    refused = evo(*asked, *SMALL, "--with", "image-imag")
    assert (refused.code, refused.err) == (
        2, "error: --with is 'image-imag'; did you mean 'image-image'?\n",
    )  # fmt: skip
    other = evo(*asked, *SMALL, "--with", "image-image", "--separate-heads", "--seed", 1)
    assert other.code == 5
    assert other.err.endswith(
        "is another training's: it has seed=0 where seed=1 is asked for; give the same options "
        "again, or another --out.\n"
    )


@pytest.fixture
def signals():
    """The handlers of a real command line, for one test."""
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    stop.stop_on_signals()
    yield
    for each, handler in kept.items():
        signal.signal(each, handler)


@pytest.mark.parametrize(
    ("command", "within_a_step"),
    [("generator", (lafite, "follow")), ("clip", (own_fit, "course"))],
)
@pytest.mark.usefixtures("signals")
def test_a_stop_saves_and_the_same_command_goes_on_to_the_same_weights(
    evo, own, tmp_path, monkeypatch, command, within_a_step
):
    asked = ["train", command, "--data", own, "--images", 16, "--batch", 4]
    asked += SMALL if command == "generator" else ["--device", "cpu", "--held-out", 0.3]
    assert evo(*asked, "--out", tmp_path / "whole").code == 0
    module, name = within_a_step
    original, steps = getattr(module, name), []

    def interrupted(*arguments):
        steps.append(0)
        if len(steps) == 2:
            signal.raise_signal(signal.SIGTERM)  # SIGINT is ignored in a background job
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, interrupted)
        result = evo(*asked, "--out", tmp_path / "cut")
    assert (result.code, len(steps)) == (143, 2)
    assert result.err.endswith(
        f"Stopped; the last checkpoint is in {tmp_path / 'cut'}. "
        "Give the same command again to go on.\n"
    )
    assert evo(*asked, "--out", tmp_path / "cut").code == 0
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_a_stop_before_the_first_step_says_so(evo, own, tmp_path, monkeypatch):
    def stopped(*_arguments, **_settings):
        raise stop.Stopped(2)

    monkeypatch.setattr("evo_t2i.training.lafite.gather", stopped)
    result = evo("train", "generator", "--data", own, "--out", tmp_path / "out", *SMALL)
    assert result.code == 130
    assert result.err.endswith(
        "Stopped before the first checkpoint. Give the same command again to go on.\n"
    )


def test_a_clip_is_trained_measured_and_read_by_the_scorers(evo, own, tmp_path):
    out = tmp_path / "clip"
    result = evo("train", "clip", "--data", own, "--out", out, "--images", 8, "--batch", 4,
                 "--held-out", 0.3, "--device", "cpu", "--loss", "siglip")  # fmt: skip
    assert result.code == 0
    assert f"--clip local-dir:{out}/model" in result.out
    for name in ("image_to_text_r1", "image_to_text_r5", "text_to_image_r1", "text_to_image_r5"):
        assert name in result.out
    assert "23 pictures with 23 captions" in result.err
    features = ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{out}/model"))
    check_feature_extractor(features, size=(64, 64))
    generated = evo("train", "generator", "--data", own, "--out", tmp_path / "g", "--images", 4,
                    "--batch", 4, "--clip", f"local-dir:{out}/model", *SMALL)  # fmt: skip
    assert generated.code == 0
    words = shlex.split(generated.out)
    assert words[-2:] == ["-o", f"lafite.clip={out}/model"]


@pytest.mark.parametrize("label", [[], ["--label", "hue"]])
def test_a_classifier_is_trained_on_folders_or_a_column_and_read_by_the_scorers(
    evo, own, tmp_path, label
):
    out = tmp_path / "classifier"
    asked = ("train", "classifier", "--data", own, "--out", out, "--images", 8, "--batch", 4,
             "--held-out", 0.3, "--device", "cpu", "--resolution", 32)  # fmt: skip
    result = evo(*asked, *label)
    assert result.code == 0
    assert "top1 " in result.out
    assert f"--classifier {out}/model" in result.out
    assert load_classifier(f"{out}/model").labels == tuple(sorted(COLOURS))
    left_out = "3 pictures without label: red/0.png" in result.err
    assert left_out == bool(label)


def test_an_unknown_column_is_answered_with_those_that_are_there(evo, tmp_path):
    home = tmp_path / "flat"
    home.mkdir()
    Image.new("RGB", (64, 64)).save(home / "a.png")
    (home / "labels.csv").write_text("file,kind\na.png,cat\n")
    result = evo("train", "classifier", "--data", home, "--out", tmp_path / "out")
    assert result.code == 2
    assert "with a column 'label' (columns here: file, kind)" in result.err


@pytest.mark.usefixtures("signals")
def test_a_signal_within_work_that_has_to_be_whole_is_held_back_until_its_end():
    done = []

    def work():
        with stop.held_back():
            signal.raise_signal(signal.SIGTERM)
            done.append("all of it")

    with pytest.raises(stop.Stopped) as stopped:
        work()
    assert (stopped.value.exit_code, done) == (143, ["all of it"])
    with stop.held_back():  # and is forgotten then
        pass
