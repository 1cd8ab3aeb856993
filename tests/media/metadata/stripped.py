"""What is seen of a picture, and what must not be left in its file."""

import io
from collections.abc import Callable

from PIL import Image, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile

from tests.media.metadata.photos import ORIENTATION, SECRETS, phone_jpeg, phone_png, phone_webp

Maker = Callable[..., bytes]
PHONES = [phone_jpeg, phone_png, phone_webp]
Strip = Callable[[bytes], bytes]


def opened(data: bytes) -> Image.Image:
    """As the bot opens it: a JPEG is never taken for several pictures in one file."""
    file = io.BytesIO(data)
    return JpegImageFile(file) if data.startswith(b"\xff\xd8") else Image.open(file)


def shown(data: bytes) -> tuple[bytes, int, bytes | None]:
    """What is seen of a picture: its pixels, how it is turned, and in which colours."""
    with opened(data) as image:
        frames = b"".join(frame.tobytes() for frame in ImageSequence.Iterator(image))
        return frames, image.getexif().get(ORIENTATION, 1), image.info.get("icc_profile")


def assert_nothing_private(data: bytes) -> None:
    assert [secret for secret in SECRETS if secret in data] == []
    with Image.open(io.BytesIO(data)) as image:
        assert set(image.getexif()) <= {ORIENTATION}
        assert not image.getexif().get_ifd(0x8825)
        assert not image.info.keys() & {"comment", "photoshop", "mp", "parameters", "Comment"}


def cleaned(strip: Strip, photo: bytes) -> bytes:
    """The photo without what is private, which looks the same."""
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)
    return stripped
