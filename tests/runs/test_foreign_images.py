"""The reader of other people's pictures: what decides the pixels, and nothing else."""

import io
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from evo_t2i.errors import UsageError
from evo_t2i.runs import foreign_images
from evo_t2i.runs.foreign_images import read_image
from evo_t2i.runs.images import png_bytes

CUT_PROFILE = "Its colour profile is cut off or too large and was ignored."


def noise(height=5, width=7):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 2.1, of a display."""
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content
    header = struct.pack(">I4sI4s4s4s", start + len(data), b"", 0x02100000, b"mntr", space, b"XYZ ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + xyz(0.9642, 1.0, 0.8249)[8:]
    return header.ljust(128, b"\0") + table + data


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


GAMMA = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
WHITE = xyz(0.9642, 1.0, 0.8249)


def wide_profile() -> bytes:
    """The primaries of Adobe RGB (1998) adapted to D50, gamma 2.2."""
    return profile(
        b"RGB ",
        {
            b"wtpt": WHITE,
            b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
            b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
            b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
            b"rTRC": GAMMA,
            b"gTRC": GAMMA,
            b"bTRC": GAMMA,
        },
    )


def srgb_of_wide(values: np.ndarray) -> np.ndarray:
    """By the matrices: linear light in the wide space → XYZ at D50 → sRGB."""
    linear = (values / 255) ** 2.2
    wide = np.array(
        [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    )
    srgb = np.array(
        [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
    )
    light = np.clip(np.linalg.solve(srgb, wide @ linear), 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def grey_profile() -> bytes:
    return profile(b"GRAY", {b"wtpt": WHITE, b"kTRC": GAMMA})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_reads_the_three_formats_whatever_the_name(tmp_path, kind):
    Image.fromarray(noise(16, 24)).save(tmp_path / "picture.dat", format=kind)
    assert read_image(tmp_path / "picture.dat").pixels.shape == (16, 24, 3)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused_even_when_named_png(tmp_path, kind):
    Image.fromarray(noise()).save(tmp_path / "a.png", format=kind)
    with pytest.raises(UsageError, match="not a readable PNG, JPEG or WEBP"):
        read_image(tmp_path / "a.png")


def test_transparency_lies_on_white(tmp_path):
    Image.new("RGBA", (2, 2), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png").pixels == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(16, 24)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").pixels.shape == (24, 16, 3)


def test_a_decompression_bomb_is_refused_unread(tmp_path):
    for size in (20_000, 9_500):
        header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        data += chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(UsageError, match="more than 89,478,485 pixels"):
            read_image(tmp_path / "bomb.png")


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_a_large_text_or_profile_is_no_matter(tmp_path, kind):
    """80 MB of text or profile in a small file: never inflated, or not beyond its limit."""
    packed = zlib.compress(b"x" * 80_000_000)
    start = b"Comment\0\1\0\0\0" if kind == "iTXt" else b"Comment\0\0"
    plain = png_bytes(noise())
    data = plain[:33] + chunk(kind.encode(), start + packed) + plain[33:]
    (tmp_path / "large.png").write_bytes(data)
    read = read_image(tmp_path / "large.png")
    np.testing.assert_array_equal(read.pixels, noise())
    assert read.notes == ((CUT_PROFILE,) if kind == "iCCP" else ())


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iCCP", b"eXIf", b"pHYs", b"gAMA", b"sBIT"])
def test_damaged_metadata_changes_no_pixel(tmp_path, kind):
    plain = png_bytes(noise())
    broken = chunk(kind, b"\xff\0\0 no such thing")[:-4] + b"crc!"
    (tmp_path / "a.png").write_bytes(plain[:33] + broken + plain[33:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, noise())


def test_a_profile_is_honoured_in_every_format(tmp_path):
    """Red of a wide space is beyond sRGB's; the same numbers without a profile stay."""
    image = np.full((8, 8, 3), (180, 90, 60), np.uint8)
    shown = {}
    for name, options in (
        ("a.png", {}),
        ("a.webp", {"lossless": True}),
        ("a.jpg", {"quality": 100}),
    ):
        Image.fromarray(image).save(tmp_path / name, icc_profile=wide_profile(), **options)
        shown[name] = read_image(tmp_path / name)
        assert shown[name].notes == ()
    expected = srgb_of_wide(np.array([180, 90, 60]))
    for name, read in shown.items():
        off = np.abs(read.pixels[4, 4] - expected).max()
        assert off <= (2 if name == "a.jpg" else 1)
    Image.fromarray(image).save(tmp_path / "plain.png")
    np.testing.assert_array_equal(read_image(tmp_path / "plain.png").pixels, image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_plain_picture_is_its_own_pixels(tmp_path, mode):
    Image.fromarray(noise(40, 30)).convert(mode).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(read.pixels, np.asarray(picture.convert("RGB")))
    assert read.notes == ()


def test_an_srgb_profile_changes_nothing(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(noise(64, 64)).save(tmp_path / "a.png", icc_profile=srgb)
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read.pixels, noise(64, 64))
    assert read.notes == ()


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200])
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_broken_profile_is_ignored_with_a_note(tmp_path, profile, name):
    Image.fromarray(noise(16, 16)).save(tmp_path / name, icc_profile=profile)
    Image.fromarray(noise(16, 16)).save(tmp_path / f"plain-{name}")
    read = read_image(tmp_path / name)
    np.testing.assert_array_equal(read.pixels, read_image(tmp_path / f"plain-{name}").pixels)
    assert len(read.notes) == 1
    assert "colour profile cannot be used" in read.notes[0]


def test_a_profile_for_grey_is_no_profile_of_colours(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.png", icc_profile=grey_profile())
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read.pixels, noise())
    assert "for another kind of colours" in read.notes[0]


def test_transparency_with_a_profile_lies_on_white(tmp_path):
    picture = Image.new("RGBA", (4, 4), (180, 90, 60, 255))
    picture.putpixel((0, 0), (180, 90, 60, 0))
    picture.save(tmp_path / "a.png", icc_profile=wide_profile())
    pixels = read_image(tmp_path / "a.png").pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[2, 2, 0] > 190


def test_sixteen_bits_of_colour_keep_the_upper_eight_and_say_so(tmp_path):
    deep = np.random.default_rng(0).integers(0, 2**16, (6, 5, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", 5, 6, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    read = read_image(tmp_path / "deep.png")
    np.testing.assert_array_equal(read.pixels, deep >> 8)
    assert read.notes == ("Of its 16 bits a channel the upper 8 are used.",)


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_of_several_pictures_the_first_is_read_with_a_note(tmp_path, kind):
    frames = [Image.fromarray(noise(8 + 0 * n, 8)).rotate(90 * n) for n in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    frames[0].save(tmp_path / f"a.{kind}", lossless=True, **options)
    read = read_image(tmp_path / f"a.{kind}")
    np.testing.assert_array_equal(read.pixels, noise(8, 8))
    assert read.notes == ("It holds several pictures; this is the first one.",)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "webp"])
def test_every_orientation_is_turned_upright(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(noise(6, 9))
    stored.save(tmp_path / f"a.{kind}", exif=exif, lossless=True)
    with Image.open(tmp_path / f"a.{kind}") as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{kind}").pixels, upright)


def test_a_file_is_read_once_so_a_pipe_will_do(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(png_bytes(noise()),))
    writer.start()
    np.testing.assert_array_equal(read_image(tmp_path / "pipe").pixels, noise())
    writer.join()


def test_an_endless_file_is_refused(monkeypatch):
    monkeypatch.setattr(foreign_images, "MAX_FILE_BYTES", 3 * 2**20)
    with pytest.raises(UsageError, match="/dev/zero has more than 3 MiB"):
        read_image(Path("/dev/zero"))


def test_bad_files_get_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_image(tmp_path / "absent.png")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(UsageError, match="not a readable"):
        read_image(tmp_path / "empty.png")
    with pytest.raises(UsageError, match="not a readable"):
        read_image(tmp_path)
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), dtype=np.uint16)).save(buffer, format="PNG")
    (tmp_path / "deep.png").write_bytes(buffer.getvalue())
    with pytest.raises(UsageError, match="more than 8 bits"):
        read_image(tmp_path / "deep.png")


def test_a_truncated_picture_is_refused_unless_every_pixel_is_there(tmp_path):
    data = png_bytes(noise())
    refused = 0
    for length in range(len(data)):
        (tmp_path / "cut.png").write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read_image(tmp_path / "cut.png").pixels, noise())
        except UsageError:
            refused += 1
    assert refused > len(data) - 40
