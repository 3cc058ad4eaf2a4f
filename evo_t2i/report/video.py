"""Frames → MP4, by PyAV (extra ``evo-t2i[video]``), the only module that imports it."""

import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from evo_t2i.errors import UsageError

QUALITY = "16"
"""x264's constant rate factor: 0 is without loss, 18 about as good as that to the eye."""
_BT709 = 1
_LIMITED_RANGE = 1


def mp4(frames: Iterable[np.ndarray], milliseconds: int, last_milliseconds: int) -> bytes:
    """``frames`` (h, w, 3) uint8 of one size as H.264 in MP4, which browsers and editors play.

    Each is shown for ``milliseconds``, and the last one repeated for at least
    ``last_milliseconds``, so that the rate is constant. 4:2:0 chroma needs even sides: an odd one
    repeats its last line. Equal frames give equal bytes with the same version of PyAV. Raises
    UsageError when PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise UsageError(
            "MP4 needs PyAV, which is not installed; "
            "run `pip install 'evo-t2i[video]'` or write a GIF."
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "video.mp4"
        # the index goes to the front, where a browser finds it before the rest has arrived
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(str(file), "w", options=options) as container:
            stream = container.add_stream(
                "libx264",
                rate=Fraction(1000, milliseconds),
                options={"crf": QUALITY, "preset": "slow", "x264-params": "cpu-independent=1"},
            )
            stream.pix_fmt = "yuv420p"
            codec = stream.codec_context
            codec.thread_count = 1  # with cpu-independent: equal frames give equal bytes
            codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
            codec.color_range = _LIMITED_RANGE
            for pixels in _repeated(frames, -(-last_milliseconds // milliseconds)):
                height, width = pixels.shape[:2]
                even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                if not codec.is_open:
                    codec.height, codec.width = even.shape[:2]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
                yuv = frame.reformat(
                    format="yuv420p",
                    dst_colorspace="ITU709",
                    dst_color_range="MPEG",
                    interpolation="LANCZOS",
                )
                container.mux(stream.encode(yuv))
            container.mux(stream.encode())
        return file.read_bytes()


def _repeated(frames: Iterable[np.ndarray], times: int) -> Iterable[np.ndarray]:
    """``frames`` with the last one so many times in all."""
    last = None
    for frame in frames:
        yield frame
        last = frame
    for _ in range(times - 1):
        if last is not None:
            yield last
