"""Reading the photo that a job was given."""

from io import BytesIO

from PIL import Image, ImageOps

MAX_PIXELS = 60_000_000


def trouble_with(data: bytes) -> str | None:
    """Say why these bytes can't be worked on, as the error of a failed job. None if they can."""
    try:
        with Image.open(BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return "The source image has too many pixels."
            picture.draft("RGB", (64, 64))
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "The source image could not be read."
    return None


def read_photo(data: bytes, long_side: int) -> Image.Image:
    """Read the photo, upright, in RGB, scaled to a long side of at most `long_side` pixels."""
    with Image.open(BytesIO(data)) as picture:
        picture.draft("RGB", (long_side, long_side))
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
    if max(upright.size) < long_side:
        upright = ImageOps.contain(upright, (long_side, long_side), Image.Resampling.LANCZOS)
    return upright
