"""Folders and shards of captioned pictures, whole and faulty ones, on real files."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from evo_t2i.errors import DiskFullError, UsageError
from evo_t2i.training.data import list_pictures, prepare
from evo_t2i.training.data.pictures import square

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(colour=RED, size=(40, 40), form="PNG", mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, form)
    return file.getvalue()


def striped(width, height):
    """Red left, green in the middle, blue right."""
    image = Image.new("RGB", (width, height), GREEN)
    image.paste(RED, (0, 0, width // 4, height))
    image.paste(BLUE, (width - width // 4, 0, width, height))
    return image


@pytest.fixture
def folder(tmp_path):
    """Three good pictures, and one of each fault."""
    home = tmp_path / "own"
    (home / "deep").mkdir(parents=True)
    (home / "red.png").write_bytes(encoded())
    (home / "red.txt").write_text("a red square\n\n  a  square that is red \na red square\n")
    (home / "deep" / "green.JPG").write_bytes(encoded(GREEN, form="JPEG"))
    (home / "deep" / "blue.webp").write_bytes(encoded(BLUE, form="WEBP"))
    (home / "small.png").write_bytes(encoded(size=(31, 64)))
    (home / "small.txt").write_text("too small")
    (home / "broken.png").write_bytes(encoded(size=(200, 200))[:60])
    (home / "broken.txt").write_text("cut off")
    (home / "no.jpg").write_bytes(b"this is no picture")
    (home / "no.txt").write_text("not a picture")
    (home / "silent.png").write_bytes(encoded(size=(50, 50)))
    (home / "captions.csv").write_text(
        "file,caption\ndeep/green.JPG,a green square\ndeep/green.JPG,grün\ngone.png,not there\n",
        encoding="utf-8",
    )
    (home / "captions.jsonl").write_text(
        '{"file_name": "deep/blue.webp", "captions": ["a blue square", "blue"]}\n'
    )
    return home


def test_a_folder_gives_its_pictures_and_names_what_it_leaves_out(folder, tmp_path):
    found = prepare(folder, 32, tmp_path / "out", workers=2)
    captions = dict(zip(found.names, found.captions, strict=True))
    assert captions == {
        "red.png": ("a red square", "a square that is red"),
        "deep/green.JPG": ("a green square", "grün"),
        "deep/blue.webp": ("a blue square", "blue"),
    }
    assert found.images.shape == (3, 32, 32, 3)
    colours = {
        name: image.mean((0, 1)) for name, image in zip(found.names, found.images, strict=True)
    }
    assert np.allclose(colours["red.png"], RED)
    assert np.allclose(colours["deep/green.JPG"], GREEN, atol=8)
    assert {kind: len(names) for kind, names in found.problems.items()} == {
        "captions of a picture that is not there": 1,
        "unreadable pictures": 2,
        "pictures without caption": 1,
        "pictures too small": 1,
    }
    assert found.problems["pictures too small"] == ["small.png (31x64)"]
    assert any(
        name.startswith("no.jpg (not a picture") for name in found.problems["unreadable pictures"]
    )
    for name in ("gone.png", "broken.png", "silent.png", "3 pictures with 6 captions"):
        assert name in found.report()


def test_what_was_read_is_found_again_and_read_anew_when_it_changes(folder, tmp_path):
    first = prepare(folder, 32, tmp_path / "out")
    calls = []
    again = prepare(folder, 32, tmp_path / "out", progress=lambda *a: calls.append(a))
    assert calls == []
    assert again.digest == first.digest
    assert again.problems == first.problems
    (folder / "red.txt").write_text("crimson")
    changed = prepare(folder, 32, tmp_path / "out", progress=lambda *a: calls.append(a))
    assert changed.digest != first.digest
    assert calls == [(7, 7)]
    assert dict(zip(changed.names, changed.captions, strict=True))["red.png"] == ("crimson",)


def test_an_interrupted_reading_leaves_nothing_half_read(folder, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, 32, tmp_path / "out", progress=interrupt)
    assert len(prepare(folder, 32, tmp_path / "out")) == 3


def test_pixels_that_were_cut_off_are_read_again(folder, tmp_path):
    first = prepare(folder, 32, tmp_path / "out")
    kept = np.array(first.images)
    path = first.folder / "pixels.u8"
    path.write_bytes(path.read_bytes()[:-1])
    assert np.array_equal(prepare(folder, 32, tmp_path / "out").images, kept)


def test_without_captions_wanted_a_silent_picture_is_kept(folder, tmp_path):
    found = prepare(folder, 32, tmp_path / "out", captioned=False)
    assert "silent.png" in found.names
    assert found.captions[found.names.index("silent.png")] == ()


def write_shard(path, members):
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_webdataset_shards_are_read_in_place(tmp_path):
    home = tmp_path / "shards"
    home.mkdir()
    write_shard(
        home / "a-000.tar",
        {
            "000.png": encoded(RED),
            "000.txt": b"a red square",
            "001.jpg": encoded(GREEN, form="JPEG"),
            "001.json": json.dumps({"caption": "a green square", "url": "x"}).encode(),
            "002.txt": b"alone",
        },
    )
    write_shard(home / "a-001.tar", {"deep/000.webp": encoded(BLUE, form="WEBP")})
    (home / "a-002.tar").write_bytes(b"not a tar at all" * 100)
    found = prepare(home, 32, tmp_path / "out", captioned=False)
    assert found.names == ["a-000.tar/000.png", "a-000.tar/001.jpg", "a-001.tar/deep/000.webp"]
    assert found.captions == [("a red square",), ("a green square",), ()]
    assert found.problems["captions of a picture that is not there"] == ["a-000.tar/002"]
    assert "a-002.tar" in found.problems["damaged shard"][0]
    assert np.allclose(found.images[0], RED)
    assert np.allclose(found.images[2].mean((0, 1)), BLUE, atol=8)
    alone = list_pictures(home / "a-000.tar")
    assert len(alone.pictures) == 2


def test_the_middle_square_is_kept_and_reduced_with_antialiasing():
    file = io.BytesIO()
    striped(160, 80).save(file, "PNG")
    pixels = square(file.getvalue(), 32)
    assert pixels.shape == (32, 32, 3)
    assert np.abs(pixels[:, 2:-2].astype(int) - GREEN).max() <= 2  # the outer quarters are cut off
    fine = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    file = io.BytesIO()
    fine.save(file, "PNG")
    grey = square(file.getvalue(), 16)[2:-2, 2:-2]
    assert 120 < grey.mean() < 136
    assert grey.std() < 10


def test_transparency_is_white_and_a_turned_photograph_is_upright():
    clear = square(encoded((255, 0, 0, 0), mode="RGBA"), 32)
    assert clear.min() == 255
    turned = Image.new("RGB", (64, 64), GREEN)
    turned.paste(RED, (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    pixels = square(file.getvalue(), 32)
    assert np.allclose(pixels[-4], RED, atol=2)
    assert np.allclose(pixels[4], GREEN, atol=2)


def test_a_picture_is_held_out_by_its_name_alone(folder, tmp_path):
    for index in range(60):
        (folder / f"more-{index}.png").write_bytes(encoded())
        (folder / f"more-{index}.txt").write_text("a red square")
    full = prepare(folder, 32, tmp_path / "out")
    sides = dict(zip(full.names, full.held_out(0.25), strict=True))
    assert 6 <= sum(sides.values()) <= 26
    for index in range(0, 60, 2):
        (folder / f"more-{index}.png").unlink()
    fewer = prepare(folder, 32, tmp_path / "out")
    assert all(sides[n] == h for n, h in zip(fewer.names, fewer.held_out(0.25), strict=True))
    assert not full.held_out(0.0).any()


def test_sources_that_cannot_be_used_are_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="gone is not there; name a folder"):
        list_pictures(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no picture; give a folder with"):
        list_pictures(tmp_path / "empty")
    with pytest.raises(UsageError, match=r"red\.png is not a folder and not a \.tar shard"):
        list_pictures(folder / "red.png")
    with pytest.raises(
        UsageError, match=r"Not one picture .* can be used \(.*6 pictures too small"
    ):
        prepare(folder, 4096, tmp_path / "out", captioned=False)
    (folder / "captions.jsonl").write_text('{"file": "red.png"}\n')
    with pytest.raises(
        UsageError, match=r"Line 1 of .*captions\.jsonl names no file with a caption"
    ):
        list_pictures(folder)
    for text in ("{\n", "[" * 100_000):
        (folder / "captions.jsonl").write_text(text)
        with pytest.raises(UsageError, match="cannot be read as a table of captions"):
            list_pictures(folder)


def test_pixels_that_would_not_fit_the_disk_are_not_begun(folder, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    with pytest.raises(DiskFullError, match="free some, or give a smaller `size`"):
        prepare(folder, 32, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
