"""Convert pictures to kinds that Studii takes, and reduce results to fit into a message.

Everything here blocks and runs in the decoder's processes only.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from bot.media.kinds import PhotoKind
from bot.media.metadata import xmp_packet

QUALITY = 92  # of a JPEG that is sent on
MAX_JPEG_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION
MAX_FITTED_PIXELS = 20_000_000  # of a picture that is made to fit
MAX_LIGHT_PIXELS = 12_000_000  # of one that becomes a WebP, which takes more memory to write
_BAND = 64  # rows
_SAMPLE, _SAMPLES = 8, 8  # rows of a band that tells how large a PNG would be, and how many there are
_REACH = 3  # rows of the smaller picture, of which one more is interpolated on each side
_COLOURS = {"RGB": b"RGB ", "RGBA": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_LIGHT = ((92, 100, 1.0), (85, 80, 1.0), (75, 60, 0.75), (60, 40, 0.5), (50, 20, 0.25))
FITTING = ((92, 1.0), (85, 1.0), (78, 1.0), (85, 0.75), (78, 0.75), (78, 0.5), (70, 0.35), (60, 0.25))


def first_picture(image: Image.Image) -> Image.Image:
    """Return a decoded picture, rotated by its EXIF data, in a mode that JPEG or PNG supports."""
    # In place: a copy of an upright picture would take its memory twice.
    ImageOps.exif_transpose(image, in_place=True)
    if is_transparent(image):
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in {"I;16", "I;16B", "I;16L", "I", "F"}:
        return _eight_bits(image)
    if image.mode == "CMYK":
        return _of_inks(image)
    return image if image.mode in {"RGB", "L"} else image.convert("RGB")


def is_transparent(image: Image.Image) -> bool:
    """Return whether the picture has transparency, by its mode and palette."""
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


class _TooHeavy(Exception):
    """A transparent picture takes more bytes as a PNG than there may be."""


def write(image: Image.Image, path: Path, digital_source: str | None, most: int) -> str | None:
    """Write a JPEG, or a PNG if it is transparent or too large for JPEG. Return the content type.

    Of the metadata only a matching colour profile and the mark of AI are kept. Returns None if a PNG that is
    transparent would have more than `most` bytes; of one that is `_heavy_by_far` nothing is written.
    """
    profile, xmp = _profile(image), xmp_packet(digital_source)
    if image.mode == "RGBA" or max(image.size) > MAX_JPEG_SIDE:
        if image.mode == "RGBA" and _heavy_by_far(image, most):
            return None
        texts = PngInfo()
        if xmp:
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        with path.open("wb") as file:
            into: Any = _Bounded(file, most) if image.mode == "RGBA" else file
            try:
                image.save(into, "PNG", icc_profile=profile, pnginfo=texts)
            except _TooHeavy:
                return None
        return PhotoKind.PNG.content_type
    # The comment may be too long for JPEG.
    image.save(path, "JPEG", quality=QUALITY, subsampling=0, icc_profile=profile, comment=b"", xmp=xmp)
    return PhotoKind.JPEG.content_type


def _heavy_by_far(image: Image.Image, most: int) -> bool:
    """Return whether some bands of the picture tell that all of it has twice `most` bytes as a PNG.

    Writing the first `most` bytes of a large one takes longer than decoding it.
    """
    written, rows = io.BytesIO(), 0
    for top in range(0, image.height, max(_SAMPLE, image.height // _SAMPLES)):
        band = image.crop((0, top, image.width, min(top + _SAMPLE, image.height)))
        band.save(written, "PNG", icc_profile=None)
        rows += band.height
    return written.tell() * image.height > 2 * most * rows


class _Bounded:
    """Writes to a file, and raises `_TooHeavy` instead of writing more than `most` bytes.

    It has no number that a library could write to by itself.
    """

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._left = most

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise _TooHeavy
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def write_light(image: Image.Image, path: Path, digital_source: str | None, most: int) -> str:
    """Write a transparent picture as a WebP of at most `most` bytes, if one of `_LIGHT` allows that.

    It is not larger than what `shrunk` returns for `MAX_LIGHT_PIXELS`. Return the content type.
    """
    options: dict[str, Any] = {"icc_profile": _profile(image), "xmp": xmp_packet(digital_source), "method": 2}
    for quality, alpha, share in _LIGHT:
        tried = _resized(image, share)
        tried.save(path, "WEBP", quality=quality, alpha_quality=alpha, **options)
        if path.stat().st_size <= most:
            break
    return PhotoKind.WEBP.content_type


def shrunk(image: Image.Image, most: int = MAX_FITTED_PIXELS) -> Image.Image:
    """Return a very large picture with fewer pixels, as each takes much memory when it is made to fit.

    Works in bands, because a transparent picture is copied as a whole otherwise.
    """
    pixels = image.width * image.height
    if pixels <= most:
        return image
    share = (most / pixels) ** 0.5
    size = (max(1, int(image.width * share)), max(1, int(image.height * share)))
    if image.palette is not None or image.mode == "1":
        smaller = image.resize(size)
    else:
        smaller = Image.new(image.mode, size)
        step = image.height / size[1]
        for row in range(0, size[1], _BAND):
            count = min(_BAND, size[1] - row)
            top, bottom = row * step, min((row + count) * step, image.height)
            first, last = max(0, int(top - _REACH * step)), min(image.height, int(bottom + _REACH * step) + 1)
            band = image.crop((0, first, image.width, last))
            box = (0, top - first, image.width, bottom - first)
            smaller.paste(band.resize((size[0], count), box=box), (0, row))
    smaller.info = image.info
    return smaller


def fitted(image: Image.Image, limit: int, xmp: bytes) -> bytes | None:
    """Return the picture as a JPEG of at most `limit` bytes with this XMP packet, as good as that allows, or
    None.

    It is not larger than what `shrunk` returns.
    """
    picture = first_picture(image)
    profile = _profile(picture)
    if picture.mode == "RGBA":
        picture = on_white(picture)
    if profile is not None and len(profile) > limit // 4:  # it leaves no room for the picture
        picture, profile = _in_srgb(picture, profile), None
    for quality, share in FITTING:
        buffer = io.BytesIO()
        tried = _resized(picture, share)
        tried.save(buffer, "JPEG", quality=quality, optimize=True, icc_profile=profile, comment=b"", xmp=xmp)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return None


def _resized(image: Image.Image, share: float) -> Image.Image:
    """Return the picture with that share of its width and height."""
    if share == 1.0:
        return image
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image.resize(size, Image.Resampling.LANCZOS)


def on_white(image: Image.Image) -> Image.Image:
    """Return a picture in RGBA on a white ground."""
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _profile(image: Image.Image) -> bytes | None:
    """Return the colour profile, or None if it is for other colours, such as a scan's for printing.

    https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2.6
    """
    profile: bytes | None = image.info.get("icc_profile")
    return profile if profile is not None and profile[16:20] == _COLOURS.get(image.mode) else None


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the picture in the colours that are assumed without a profile, or as it is if that is broken."""
    cms: Any = ImageCms
    try:
        return cms.applyTransform(image, _to_srgb(profile, image.mode))
    except (cms.PyCMSError, OSError):
        return image


def _of_inks(image: Image.Image) -> Image.Image:
    """Return a picture for printing in the colours that its profile gives the inks.

    Without a profile, or with a broken one, they are those of ideal inks. Works in bands, because what
    LittleCMS makes would be another copy of the whole picture.
    """
    profile = _profile(image)
    if profile is None:
        return image.convert("RGB")
    cms: Any = ImageCms
    picture = Image.new("RGB", image.size)
    try:
        transform = _to_srgb(profile, image.mode)
        for band, top in _bands(image):
            picture.paste(cms.applyTransform(band, transform), (0, top))
    except (cms.PyCMSError, OSError):
        return image.convert("RGB")
    picture.info = {name: value for name, value in image.info.items() if name != "icc_profile"}
    return picture


def _to_srgb(profile: bytes, mode: str) -> Any:
    """Return the conversion from the colours of a profile. Raises `PyCMSError` and OSError."""
    cms: Any = ImageCms
    source = cms.ImageCmsProfile(io.BytesIO(profile))
    return cms.buildTransform(source, cms.createProfile("sRGB"), mode, "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of 16 or more bits a pixel, as scanners make them, scaled to 8 bits.

    Works in bands, because floating point numbers for the whole picture would take 12 bytes a pixel.
    """
    extremes = [cast("tuple[float, float]", band.convert("F").getextrema()) for band, _ in _bands(image)]
    low, high = min(one[0] for one in extremes), max(one[1] for one in extremes)
    scale = 255.0 / max(high - low, 1.0)
    narrow = Image.new("L", image.size)
    for band, top in _bands(image):
        scaled = band.convert("F").point(lambda value: value * scale - low * scale)
        narrow.paste(scaled.convert("L"), (0, top))
    narrow.info = image.info
    return narrow


def _bands(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(top + _BAND, image.height)))
        yield band, top
