"""PNG bytes, their texts, and the reader of other people's pictures."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.runs.images import png_bytes, read_image, save_png


def noise(height=5, width=7):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_png_keeps_every_pixel_and_text(tmp_path):
    texts = {"parameters": "a cat\nSeed: 1", "evo_t2i": '{"caption":"雪 🐈 é"}'}
    save_png(tmp_path / "a.png", noise(), texts)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), noise())
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.text == texts


def test_png_bytes_are_deterministic_and_carry_no_time():
    assert png_bytes(noise(), {"a": "b"}) == png_bytes(noise(), {"a": "b"})
    assert b"tIME" not in png_bytes(noise())


def test_metadata_is_bounded():
    png_bytes(noise(), {"k": "x" * (64 * 1024 - 1)})
    with pytest.raises(ValueError, match="65,537 bytes, more than 65,536"):
        png_bytes(noise(), {"k": "x" * 64 * 1024})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_reads_the_three_formats_whatever_the_name(tmp_path, kind):
    Image.fromarray(noise(16, 24)).save(tmp_path / "picture.dat", format=kind)
    assert read_image(tmp_path / "picture.dat").shape == (16, 24, 3)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused_even_when_named_png(tmp_path, kind):
    Image.fromarray(noise()).save(tmp_path / "a.png", format=kind)
    with pytest.raises(UsageError, match="not a readable PNG, JPEG or WEBP"):
        read_image(tmp_path / "a.png")


def test_transparency_lies_on_white(tmp_path):
    Image.new("RGBA", (2, 2), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(16, 24)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (24, 16, 3)


def test_a_decompression_bomb_is_refused_unread(tmp_path):
    for size in (20_000, 9_500):
        header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        data += chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(UsageError, match="more than 89,478,485 pixels"):
            read_image(tmp_path / "bomb.png")


def test_a_text_bomb_is_refused(tmp_path):
    text = b"Comment\0\0" + zlib.compress(b"x" * 80_000_000)
    plain = png_bytes(noise())
    (tmp_path / "bomb.png").write_bytes(plain[:33] + chunk(b"zTXt", text) + plain[33:])
    with pytest.raises(UsageError, match="not a readable"):
        read_image(tmp_path / "bomb.png")


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
            np.testing.assert_array_equal(read_image(tmp_path / "cut.png"), noise())
        except UsageError:
            refused += 1
    assert refused > len(data) - 40
