"""MP4 from frames, decoded again."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from random_runs import finished_run

from evo_t2i.picking.methods import pick
from evo_t2i.report import animation
from evo_t2i.report.video import mp4


def decoded(data):
    """(frames (n, h, w, 3), seconds of the whole, milliseconds of a frame, pixel format)."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec.canonical_name, stream.codec_context.color_primaries) == ("h264", 1)
        frames = list(container.decode(stream))
        times = [frame.time for frame in frames]
        pixels = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
        seconds = float(stream.duration * stream.time_base)
        gaps = np.diff(times)
        assert np.ptp(gaps) < 1e-4
        return pixels, seconds, 1000 * gaps[0], frames[0].format.name


def film(count, height, width):
    """Smooth pictures that move."""
    y, x = np.mgrid[0:height, 0:width]
    return [
        np.stack([x + 9 * n, 2 * y, 255 - x - y], axis=-1).clip(0, 255).astype(np.uint8)
        for n in range(count)
    ]


@pytest.mark.parametrize("size", [(60, 80), (61, 83)])
def test_the_video_is_its_frames(size):
    frames = film(5, *size)
    data = mp4(iter(frames), 180, 1000)
    pixels, seconds, gap, pixel_format = decoded(data)
    assert pixel_format == "yuv420p"
    assert len(pixels) == 4 + 6  # six frames of 180 ms are the first to last a second
    assert gap == pytest.approx(180, abs=0.1)
    assert seconds == pytest.approx(10 * 0.18, abs=0.01)
    assert pixels.shape[1:3] == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    for shown, frame in zip(pixels, [*frames, *[frames[-1]] * 5], strict=True):
        assert np.abs(shown[: size[0], : size[1]].astype(int) - frame).mean() < 3
    assert data.find(b"moov") < data.find(b"mdat")


def test_equal_frames_give_equal_bytes():
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (46, 84, 3), dtype=np.uint8) for _ in range(6)]
    assert len({mp4(frames, 100, 100) for _ in range(4)}) == 1


def test_the_animation_as_a_video_shows_the_same_as_the_gif(tmp_path):
    run = finished_run(tmp_path / "run", scores=2, generations=4)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    numbers = list(range(5))
    drawn = list(animation._frames(run, front, choice, numbers))
    pixels, seconds, gap, _ = decoded(animation.animation(run, choice, "mp4"))
    held = -(-animation.LAST_FRAME_MS // animation.FRAME_MS)
    assert len(pixels) == 4 + held
    assert Fraction(gap).limit_denominator(10) == animation.FRAME_MS
    assert seconds == pytest.approx((4 + held) * animation.FRAME_MS / 1000, abs=0.01)
    height, width, _ = drawn[0].shape  # a video's sides are even
    for shown, frame in zip(pixels[:, :height, :width], drawn, strict=False):
        assert np.abs(shown.astype(int) - frame).mean() < 2.5
    assert np.abs(pixels[-1, :height, :width].astype(int) - drawn[-1]).mean() < 2.5
