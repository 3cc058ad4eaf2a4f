import json
import os
import threading

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_missing_and_damaged_pictures_are_refused(evo, tmp_path, content):
    file = tmp_path / "[red]picture.png"
    if content is not None:
        file.write_bytes(content)
    result = evo("score", file, "--caption", "a cat")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {file} ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--caption", " "], "The caption is empty"),
        (["--caption", "a cat", "--scores", "beauty"], "no score called 'beauty'"),
        (["--caption", "a cat", "--scores", ""], "--scores is empty"),
        ([], "Missing option '--caption'"),
    ],
)
def test_bad_score_requests(evo, tmp_path, options, message):
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    result = evo("score", "picture.png", *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.usefixtures("random_models")
def test_scores_of_pictures_of_any_size(evo, tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (64, 64, 3)), ("b.png", (40, 90, 3))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / name)
    arguments = ("score", "a.png", "b.png", "--caption", "a cat on a table")
    result = evo(*arguments, "--scores", "image_real,text_image", "--device", "cpu", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert [image["file"] for image in found["images"]] == ["a.png", "b.png"]
    assert list(found["images"][0]["scores"]) == ["image_real", "text_image"]
    assert found["label_matched"] is None
    alone = json.loads(
        evo("score", "b.png", *arguments[3:], "--scores", "text_image", "--json").out
    )["images"][0]["scores"]
    assert alone["text_image"] == pytest.approx(found["images"][1]["scores"]["text_image"])
    table = evo(*arguments, "--scores", "image_real,text_image").out.splitlines()
    assert table[0].split() == ["file", "image_real", "text_image"]
    assert float(table[2].split()[1]) == pytest.approx(
        found["images"][1]["scores"]["image_real"], abs=1e-6
    )


@pytest.mark.usefixtures("random_models")
def test_one_bad_file_leaves_the_others_scored(evo, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    for name, image in zip(("a.png", "c.png"), pixels, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    options = ("--caption", "a cat", "--scores", "image_real")
    result = evo("score", "a.png", "bad.png", "missing.png", "c.png", *options)
    assert result.code == 1
    assert [line.split()[0] for line in result.out.splitlines()] == ["file", "a.png", "c.png"]
    said = result.err.splitlines()
    assert sum(line.startswith("error: bad.png is not a readable PNG") for line in said) == 1
    assert sum(line.startswith("error: missing.png does not exist") for line in said) == 1
    assert said[-1] == "error: 2 of 4 files could not be scored; see above."
    found = json.loads(evo("score", "bad.png", "c.png", *options, "--json").out)["images"]
    assert found[0]["file"] == "bad.png"
    assert found[0]["error"].startswith("bad.png is not a readable PNG")
    assert "scores" not in found[0]
    assert f"{found[1]['scores']['image_real']:.6f}" == result.out.split()[-1]


def test_files_none_of_which_is_a_picture_load_no_models(evo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    result = evo("score", "bad.png", "missing.png", "--caption", "a cat", "--json")
    assert (result.code, result.out) == (2, "")
    assert "Loading" not in result.err
    assert result.err.splitlines()[-1].startswith("error: None of the 2 files can be read")


@pytest.mark.usefixtures("random_models")
def test_a_pipe_is_scored_as_its_file_is(evo, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe")
    data = (tmp_path / "a.png").read_bytes()
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
    writer.start()
    options = ("--caption", "a cat", "--scores", "image_real", "--json")
    result = evo("score", "a.png", "pipe", *options)
    writer.join()
    assert result.code == 0, result.err
    file, pipe = json.loads(result.out)["images"]
    assert file["scores"] == pipe["scores"]


@pytest.mark.usefixtures("random_models")
def test_what_was_changed_in_a_picture_is_said(evo, tmp_path):
    Image.new("RGB", (16, 16), "red").save(tmp_path / "a.png", icc_profile=b"no profile")
    result = evo("score", "a.png", "--caption", "a cat", "--scores", "image_real", "--json")
    note = json.loads(result.out)["images"][0]["notes"][0]
    assert note.startswith("Its colour profile cannot be used")
    assert f"a.png: {note}" in result.err


def test_world_render_writes_pictures_and_captions(evo, tmp_path):
    result = evo("world", "render", "--out", "pictures", "--count", 3, "--size", 32, "--seed", 5)
    assert result.code == 0, result.err
    assert "seed      5" in result.out
    assert len((tmp_path / "pictures" / "captions.jsonl").read_text().splitlines()) == 3
    assert Image.open(tmp_path / "pictures" / "images" / "000002.png").size == (32, 32)
    assert "3 of 3 pictures" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "full", "--count", 1], "already has contents"),
        (["--out", "new", "--count", 0], "--count"),
        (["--out", "new", "--count", 1, "--size", 4], "--size"),
        (["--out", "new", "--count", 1, "--size", 100_000], "--size"),
        (["--out", "new", "--count", 1, "--seed", -1], "--seed"),
        (["--out", "full/kept.txt/new", "--count", 1], "cannot be written"),
    ],
)
def test_bad_exports_are_refused(evo, tmp_path, options, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("keep")
    result = evo("world", "render", *options)
    assert result.code in (1, 2)
    assert message in result.err
    assert result.err.count("\n") == 1
    assert (tmp_path / "full" / "kept.txt").read_text() == "keep"
    assert not (tmp_path / "new").exists()
