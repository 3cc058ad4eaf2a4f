"""`--live terminal`: pictures above the bar, redrawn in place, while a run goes on."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from evo_t2i.cli.terminal.live import Allowance, LiveTerminal, checked_live
from evo_t2i.cli.terminal.progress import progress_display
from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.events import Event
from evo_t2i.run import Run
from evo_t2i.snapshot import Snapshot

COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (90, 90, 0), (0, 90, 90)]
BAR = "generation 2/2 (?:\x1b\\[[\\d;]*m)*━".encode()
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Watched:
    """A run's events whose pictures have one colour each; ``asked`` counts those drawn."""

    def __init__(self, generations):
        self.config = RunConfig(caption="a cat", seed=1, generations=generations)
        self.asked = 0
        self.first = np.random.default_rng(0).normal(size=(9, 2))

    def draw(self, latents):
        self.asked += len(latents)
        return np.stack([np.full((8, 8, 3), COLOURS[int(n)], np.uint8) for n in latents[:, 0]])

    def event(self, generation, colours):
        """The individual with id n has colour n and is better than those after it."""
        ids = np.array(sorted(colours))
        better = np.array([10.0 * (len(colours) - colours.index(n)) for n in ids])
        front = SimpleNamespace(
            latents=ids[:, None].astype(np.float32),
            scores=np.stack([better, better + ids], axis=1),
            ids=ids,
            generations=np.full(len(ids), generation),
        )
        snapshot = Snapshot(front, ("a", "b"), self.first, self.draw)
        done = 100 * (generation + 1)
        return Event("generation", generation, done, len(ids), 0.5, snapshot)


def show(watched, events, *, allowed=True):
    pictures = LiveTerminal(watched.config)
    if allowed:
        pictures._allowance = Allowance(share=1.0)
    with progress_display(watched.config, quiet=False, pictures=pictures) as report:
        for event in events:
            report(event)


def rgb(colour):
    return "{:02x}{:02x}{:02x}".format(*colour)


def test_pictures_are_redrawn_in_place_above_the_bar(terminal):
    watched = Watched(2)
    events = [watched.event(0, [2, 1]), watched.event(1, [0, 1]), watched.event(2, [3, 0, 1])]
    with terminal(80, 30, **TRUE_COLOUR) as shown:
        show(watched, events)
    lines = [line.rstrip() for line in shown.screen.display]
    assert lines[0] == "generation 2/2: the best of 3 on the front, and others that differ"
    assert re.fullmatch(r"value \S+ #3 +value \S+ #0 +value \S+ #1", lines[1])
    side = (80 - 2 * 2) // 3 // 2 * 2
    assert shown.pixels(2, 0, side) == [(rgb(COLOURS[3]),) * 2] * side
    assert shown.pixels(1 + side // 2, side + 2, side) == [(rgb(COLOURS[0]),) * 2] * side
    assert re.search(BAR, shown.data)
    assert lines[2 + side // 2 :] == [""] * (28 - side // 2)  # it goes with the run
    assert watched.asked == 4  # each picture once


def test_a_run_at_the_bottom_of_the_screen_scrolls_no_picture_away(terminal):
    watched = Watched(3)
    with terminal(80, 20, **TRUE_COLOUR) as shown:
        shown.stream.feed(b"before\r\n" * 30)
        show(watched, [watched.event(generation, [0, 1]) for generation in range(4)])
    lines = [line.rstrip() for line in shown.screen.display]
    assert sum(line.startswith("generation 3/3:") for line in lines) == 1
    assert not any(line.startswith("generation 2/3") for line in lines)
    assert sum("value" in line for line in lines) == 1
    assert lines[0] == "before"


@pytest.mark.parametrize("way", ["kitty", "iterm2"])
def test_real_pictures_are_sent_where_the_terminal_takes_them(terminal, way):
    watched = Watched(1)
    with terminal(80, 30, TERM="xterm-256color", EVO_T2I_GRAPHICS=way) as shown:
        show(watched, [watched.event(0, [0, 1]), watched.event(1, [2, 1])])
    start = {"kitty": rb"\x1b_Ga=T", "iterm2": rb"\x1b\]1337;File"}[way]
    assert len(re.findall(start, shown.data)) == 2
    assert "▀".encode() not in shown.data
    assert re.findall(rb"\x1b\[(\d+)A\x1b\[J", shown.data) == [b"19"]
    assert shown.data.count(b"\x1b[?2026h") == shown.data.count(b"\x1b[?2026l") == 2


def test_a_terminal_of_another_size_is_drawn_on_anew(terminal, monkeypatch):
    watched = Watched(1)
    pictures = LiveTerminal(watched.config)
    pictures._allowance = Allowance(share=1.0)
    with (
        terminal(80, 30, **TRUE_COLOUR) as shown,
        progress_display(watched.config, quiet=False, pictures=pictures) as report,
    ):
        report(watched.event(0, [0, 1]))
        monkeypatch.setattr("os.get_terminal_size", lambda _fd: (70, 30))
        report(watched.event(1, [0, 1]))
    assert not re.search(rb"\x1b\[\d+A\x1b\[J", shown.data)


def test_a_small_terminal_keeps_its_bar(terminal):
    watched = Watched(1)
    with terminal(60, 5, **TRUE_COLOUR) as shown:
        show(watched, [watched.event(0, [0, 1]), watched.event(1, [2, 1])])
    assert "generation 1/1: the terminal is too small for pictures" in shown.screen.display[0]
    assert shown.screen.display[1].startswith("generation 1/1 ")


def test_a_failure_to_draw_is_said_once_and_ends_nothing(terminal):
    watched = Watched(2)

    def broken(_latents):
        raise MemoryError("no memory left")

    watched.draw = broken
    with terminal(80, 30, **TRUE_COLOUR) as shown:
        show(watched, [watched.event(generation, [0, 1]) for generation in range(3)])
    text = "".join(shown.screen.display)
    assert text.count("cannot be drawn any more (no memory left); the run goes on.") == 1
    assert re.search(BAR, shown.data)


def test_what_takes_long_is_done_less_often():
    now = 0.0
    allowance = Allowance(share=0.1, clock=lambda: now)
    times = 0
    for _ in range(200):
        now += 1.0
        if allowance.left > 0:
            with allowance.spent():
                now += 1.0
                before = allowance.left
                now += 2.0
                assert before - allowance.left == pytest.approx(1.8)
            times += 1
    assert 3.0 * times / now == pytest.approx(0.1, abs=0.02)


def test_the_last_generation_is_always_drawn(terminal):
    watched = Watched(2)
    with terminal(80, 30, **TRUE_COLOUR) as shown:
        slow = LiveTerminal(watched.config)
        slow._allowance = Allowance(share=0.0)
        with progress_display(watched.config, quiet=False, pictures=slow) as report:
            for generation in range(3):
                report(watched.event(generation, [0, 1]))
    titles = re.findall(r"generation \d/2:", shown.data.decode())
    assert titles == ["generation 2/2:"]


@pytest.mark.parametrize(
    ("choice", "quiet", "environment", "message"),
    [
        ("yes", False, TRUE_COLOUR, "--live is 'yes'; give one of terminal, page, auto."),
        ("terminal", True, TRUE_COLOUR, "--quiet shows no progress"),
        ("terminal", False, {"TERM": "dumb"}, "needs colours"),
        ("terminal", False, TRUE_COLOUR | {"NO_COLOR": "1"}, "needs colours"),
    ],
)
def test_what_cannot_be_shown_is_refused(terminal, choice, quiet, environment, message):
    with terminal(80, 30, **environment), pytest.raises(UsageError, match=message):
        checked_live(choice, quiet=quiet)


def test_pictures_need_a_terminal(evo, tmp_path):
    result = evo("sample", "a cat", "--live", "terminal")
    assert (result.code, result.out) == (2, "")
    assert "--live terminal draws on stderr, which is no terminal here" in result.err
    assert list(tmp_path.iterdir()) == []


def test_auto_takes_the_terminal_where_there_is_one(terminal):
    assert checked_live("auto", quiet=False) == "page"
    with terminal(80, 30, **TRUE_COLOUR):
        assert checked_live("auto", quiet=False) == "terminal"
        assert checked_live("auto", quiet=True) == "page"
        assert checked_live(None, quiet=True) is None
    with terminal(80, 30, TERM="dumb"):
        assert checked_live("auto", quiet=False) == "page"


def test_a_real_run_shows_its_pick(terminal, evo):
    small = ["--population", 12, "--offspring", 8, "--generations", 2, "--seed", 5]
    exact = ["--precision", "fp32", "--no-previews"]
    with terminal(100, 40, **TRUE_COLOUR) as shown:
        shown_live = evo(
            "sample", "a red bus", "--out", "run", *small, *exact, "--live", "terminal"
        )
    assert shown_live.code == 0
    assert shown.screen.display[0].startswith("a red bus · seed 5 · ")
    assert shown.screen.display[1].startswith("generation 2/2: the best of ")
    pick = re.search(r"value (\S+) #(\d+)", shown.screen.display[2])
    run = Run("run")
    best = run.rank().chosen[0]
    assert int(pick[2]) == run.front[best].id
    assert float(pick[1]) == pytest.approx(run.rank().value[best], abs=0.006)
    side = (100 - 2 * 2) // 3
    pixels = shown.pixels(3, 0, side)
    image = run.front[best].image.resize((side, side))
    top = np.array([image.getpixel((x, 0)) for x in range(side)])
    drawn = np.array([[int(upper[i : i + 2], 16) for i in (0, 2, 4)] for upper, _ in pixels])
    assert np.abs(top - drawn).mean() < 8
