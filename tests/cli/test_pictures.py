"""Pictures in a terminal: what it can do, and what is sent to it, decoded again."""

import base64
import io
import re
import sys

import numpy as np
import pytest
from PIL import Image

from evo_t2i.cli.terminal import graphics
from evo_t2i.cli.terminal.pictures import GAP, Drawing, Terminal, draw, fitting, terminal_of
from evo_t2i.errors import UsageError

PIXEL = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m▀")
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)]


def of_blocks(columns, lines, *, true_colour=True):
    return Terminal("blocks", true_colour, columns, lines, (10, 20))


def picture(height=20, width=30, seed=0):
    """(h, w, 4): few colours, with a clear part at the right."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (12, 4))
    pixels = palette[rng.integers(0, 12, (height, width))].astype(np.uint8)
    pixels[..., 3] = 255
    pixels[:, -4:] = 0
    return pixels


@pytest.mark.parametrize(
    ("columns", "lines", "across"), [(80, 24, 4), (120, 40, 2), (30, 10, 4), (300, 20, 4)]
)
def test_half_blocks_fit_the_terminal_and_keep_the_colours(columns, lines, across):
    images = [np.full((16, 16, 3), colour, np.uint8) for colour in COLOURS]
    drawing = draw(images, "1234", of_blocks(columns, lines), lines - 4, most_rows=2)
    text = drawing.text.splitlines()
    assert drawing.lines == len(text)
    assert len(text) <= lines - 4
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in text]
    assert max(map(len, plain)) <= columns
    assert plain[0].split() == [str(place + 1) for place in range(across)]
    found = [tuple(map(int, match)) for match in PIXEL.findall(text[1])]
    side = (len(plain[1]) - GAP * (across - 1)) // across
    assert len(found) == across * side
    assert found[0] == (255, 0, 0, 255, 0, 0)
    assert found[-1] == 2 * COLOURS[across - 1]
    assert all(line.endswith("\x1b[0m") for line in text if "▀" in line)


def test_a_half_block_is_the_upper_pixel_above_the_lower():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0], image[1] = (255, 0, 0), (0, 0, 255)
    text = draw([image, image], "12", of_blocks(2 + 2 * GAP, 9), 5).text.splitlines()
    assert PIXEL.findall(text[1])[0] == ("255", "0", "0", "0", "0", "255")


def test_wide_and_tall_pictures_keep_their_shape():
    images = [np.full((8, 32, 3), 200, np.uint8), np.full((32, 8, 3), 100, np.uint8)]
    drawing = draw(images, "12", of_blocks(60, 30), 26)
    rows = [PIXEL.findall(line) for line in drawing.text.splitlines()]
    wide = [row.count(("200",) * 6) for row in rows]
    tall = [row.count(("100",) * 6) for row in rows]
    assert max(wide) == 28
    assert 2 * sum(map(bool, wide)) == pytest.approx(max(wide) / 4, abs=1)
    assert sum(map(bool, tall)) == 14
    assert max(tall) == pytest.approx(28 / 4, abs=1)


@pytest.mark.parametrize(
    ("pixel", "code"),
    [((255, 0, 0), 196), ((95, 135, 175), 67), ((128, 128, 128), 244), ((0, 0, 0), 16)],
)
def test_without_true_colour_the_nearest_of_256_is_taken(pixel, code):
    image = np.full((4, 4, 3), pixel, np.uint8)
    text = draw([image], "1", of_blocks(4, 9, true_colour=False), 5).text
    assert f"\x1b[38;5;{code};48;5;{code}m▀" in text
    assert "38;2" not in text


def test_without_room_nothing_is_drawn():
    images = [np.zeros((8, 8, 3), np.uint8)] * 5
    for terminal, lines in ((of_blocks(1, 30), 20), (of_blocks(60, 30), 1)):
        assert draw(images, "12345", terminal, lines) == Drawing("", 0)


@pytest.mark.parametrize(("columns", "count"), [(10, 1), (24, 1), (49, 1), (50, 2), (102, 4)])
def test_how_many_pictures_fit(columns, count):
    assert fitting(columns, 24) == count


@pytest.mark.parametrize("size", [(20, 30), (300, 400)])
def test_kitty_gets_a_png_in_chunks(size):
    pixels = picture(*size)
    text = graphics.kitty(pixels, 15, 5)
    commands = re.findall(r"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{head}{';' * bool(data)}{data}\x1b\\" for head, data in commands) == text
    (removal, nothing), *chunks = commands
    assert (removal, nothing) == ("a=d,d=C,q=2", "")
    first = dict(part.split("=") for part in chunks[0][0].split(","))
    assert first | {"m": ""} == {
        "a": "T", "f": "100", "q": "2", "C": "1", "c": "15", "r": "5", "m": "",
    }  # fmt: skip
    assert [head[-1] for head, _ in chunks] == ["1"] * (len(chunks) - 1) + ["0"]
    assert all(len(data) <= 4096 and len(data) % 4 == 0 for _, data in chunks)
    png = base64.b64decode("".join(data for _, data in chunks), validate=True)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), pixels)


def test_iterm2_gets_a_png():
    pixels = picture()
    match = re.fullmatch(r"\x1b\]1337;File=([^:]*):([^\x07]*)\x07", graphics.iterm2(pixels, 15, 5))
    facts = dict(part.split("=") for part in match[1].split(";"))
    png = base64.b64decode(match[2], validate=True)
    assert facts == {
        "inline": "1", "size": str(len(png)), "width": "15", "height": "5",
        "preserveAspectRatio": "0",
    }  # fmt: skip
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), pixels)


@pytest.mark.parametrize("way", ["kitty", "iterm2"])
def test_a_picture_is_drawn_in_lines_of_its_own(way):
    images = [np.full((8, 8, 3), colour, np.uint8) for colour in COLOURS[:3]]
    drawing = draw(images, ["one", "two", "three"], Terminal(way, True, 40, 30, (8, 16)), 9)
    title, rest = drawing.text.split("\n", 1)
    assert title.split() == ["one", "two", "three"]
    assert drawing.lines == 1 + 6
    assert rest.startswith("\n" * 6 + "\x1b[6A\x1b7")
    assert rest.endswith("\x1b8\x1b[6B\r")
    data = "".join(re.findall(r"[;:]([A-Za-z0-9+/=]{9,})(?=\x1b\\|\x07)", rest))
    sent = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    width, height = 1, 3  # 8 pixels, enlarged to 12 columns
    assert sent.shape == (6 * height, (3 * 12 + 2 * GAP) * width, 4)
    starts = np.arange(3) * (12 + GAP) * width
    assert np.abs(sent[10, starts, :3].astype(int) - COLOURS[:3]).max() <= 2
    assert (sent[10, starts - 1, 3] == 0)[1:].all()


@pytest.mark.parametrize(
    ("environment", "way", "true_colour"),
    [
        ({"TERM": "xterm-kitty"}, "kitty", True),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty", False),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"}, "blocks",
         False),
        ({"TERM": "xterm-ghostty", "NO_COLOR": "1"}, "kitty", True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2", False),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2", False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2", False),
        ({"TERM": "foot"}, "blocks", True),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, "blocks", False),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, "blocks", True),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, "blocks", False),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "blocks", True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, "blocks", False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none", False),
        ({"TERM": "dumb"}, "none", False),
        ({}, "none", False),
        ({"TERM": "xterm-256color", "EVO_T2I_GRAPHICS": "iterm2"}, "iterm2", False),
        ({"TERM": "xterm-kitty", "EVO_T2I_GRAPHICS": "blocks"}, "blocks", True),
    ],
)  # fmt: skip
def test_what_a_terminal_can_is_read_from_its_environment(terminal, environment, way, true_colour):
    with terminal(91, 27, cell=(9, 18)):
        found = terminal_of(sys.stderr, environment)
    assert found == Terminal(way, true_colour, 91, 27, (9, 18))


def test_no_terminal_shows_nothing():
    assert terminal_of(io.StringIO(), {"TERM": "xterm-kitty"}).way == "none"
    with pytest.raises(UsageError, match="EVO_T2I_GRAPHICS is 'ansi'; give one of kitty"):
        terminal_of(io.StringIO(), {"EVO_T2I_GRAPHICS": "ansi"})
