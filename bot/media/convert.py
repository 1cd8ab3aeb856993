"""Pictures of other kinds made into ones that Studii takes, and results made to fit in a message.

Everything here blocks, and runs in the decoder's worker threads alone.
"""

import io
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from bot.media.metadata import digital_source_in, xmp_packet

QUALITY = 92  # of a JPEG that is sent on
LONGEST_JPEG_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION
FITTING = ((92, 1.0), (85, 1.0), (78, 1.0), (85, 0.75), (78, 0.75), (78, 0.5), (70, 0.35), (60, 0.25))


def first_picture(image: Image.Image) -> Image.Image:
    """Its first frame, turned as its EXIF data asks for, in colours that a JPEG or PNG can hold."""
    image.seek(0)
    image.load()
    # In its place: a copy of one that is upright already would take as much memory once more.
    ImageOps.exif_transpose(image, in_place=True)
    if is_transparent(image):
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in {"I;16", "I;16B", "I;16L", "I", "F"}:
        return _eight_bits(image)
    return image if image.mode in {"RGB", "L"} else image.convert("RGB")


def is_transparent(image: Image.Image) -> bool:
    """Whether some of it can be seen through, as far as its kind tells."""
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def write(image: Image.Image, path: Path, digital_source: str | None = None) -> str:
    """Write it as a PNG if it is transparent or too long for a JPEG, else as a JPEG; returns the type.

    Of what came beside the pixels only a colour profile that fits them is kept, and the mark of AI.
    """
    profile, xmp = _profile(image), xmp_packet(digital_source)
    if image.mode == "RGBA" or max(image.size) > LONGEST_JPEG_SIDE:
        texts = PngInfo()
        if xmp:
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(path, "PNG", icc_profile=profile, pnginfo=texts)
        return "image/png"
    # A comment may be longer than a JPEG can hold.
    image.save(path, "JPEG", quality=QUALITY, subsampling=0, icc_profile=profile, comment=b"", xmp=xmp)
    return "image/jpeg"


def fitted(file: BinaryIO, limit: int) -> bytes | None:
    """The picture as a JPEG of at most `limit` bytes, as good as that allows; None if it can't be had."""
    xmp = xmp_packet(digital_source_in(file))
    file.seek(0)
    with Image.open(file) as opened:
        picture = first_picture(opened)
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    for quality, share in FITTING:
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        tried = picture if share == 1.0 else picture.resize(size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        tried.save(buffer, "JPEG", quality=quality, optimize=True, comment=b"", xmp=xmp)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return None


def _profile(image: Image.Image) -> bytes | None:
    """Its colour profile, unless that is of other colours: a scan's for printing, say, is not RGB's.

    https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2.6
    """
    profile: bytes | None = image.info.get("icc_profile")
    fits = profile is not None and image.mode in {"RGB", "RGBA"} and profile[16:20] == b"RGB "
    return profile if fits else None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits a pixel and more, as scanners make them, brought to eight by what is in it."""
    wide = image.convert("F")
    low, high = cast("tuple[float, float]", wide.getextrema())
    scale = 255.0 / max(high - low, 1.0)
    return wide.point(lambda value: value * scale - low * scale).convert("L")
