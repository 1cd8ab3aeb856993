"""Films: a slow move over a picture, as H.264 in MP4."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, cast

import av
from PIL import Image

from sandbox.drawing import resized

SECONDS = 2.5
FRAMES_PER_SECOND = 24


def film(picture: Image.Image) -> bytes:
    """Make an MP4 that plays everywhere: H.264, yuv420p, index in front.

    Width and height must be even.
    """
    # A real file: to move the index to the front, FFmpeg opens what it wrote a second time.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        _encode(picture, path)
        return path.read_bytes()


def _encode(picture: Image.Image, path: Path) -> None:
    frames = round(SECONDS * FRAMES_PER_SECOND)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        options = {"crf": "25", "preset": "veryfast"}
        stream = cast("_AddsStreams", container).add_stream("libx264", FRAMES_PER_SECOND, options)
        stream.width, stream.height = picture.size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            container.mux(stream.encode(_frame(_view(picture, number / (frames - 1)))))
        container.mux(stream.encode(None))


class _AddsStreams(Protocol):
    """PyAV leaves parts of this method without types."""

    def add_stream(self, codec_name: str, rate: int, options: dict[str, str]) -> av.VideoStream: ...


def _frame(picture: Image.Image) -> av.VideoFrame:
    frame = av.VideoFrame(picture.width, picture.height, "rgb24")
    cast("_TakesPictures", frame).set_image(picture)
    return frame


class _TakesPictures(Protocol):
    def set_image(self, img: Image.Image) -> None: ...


def _view(picture: Image.Image, progress: float) -> Image.Image:
    """Cut out a window of the picture that drifts to the right and comes closer."""
    eased = progress * progress * (3 - 2 * progress)
    share = 0.92 - 0.14 * eased
    width, height = picture.width * share, picture.height * share
    left = (picture.width - width) * (0.1 + 0.8 * eased)
    top = (picture.height - height) * 0.5
    window = (left, top, left + width, top + height)
    return resized(picture, picture.size, box=window)
