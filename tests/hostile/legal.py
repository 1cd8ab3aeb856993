"""Makes legal files, each as large as photos may be, as a camera or a program writes it."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pillow_heif
from PIL import Image, ImageChops

from tests.hostile.files import MadeFile
from tests.media.profiles import ink_profile
from tests.support.cheap.heic import save_heic

Size = tuple[int, int]


def _size(megapixels: int) -> Size:
    """As the sensors of telephones have so many."""
    unit = int((megapixels * 1_000_000 / 48) ** 0.5)
    return 8 * unit, 6 * unit


FULL = _size(64)
# Kinds that take much memory have lower limits (see `bot.media.decoder.pictures`).
OF_WEBP, OF_AVIF, OF_CLEAR_AVIF, OF_DEEP_FINE_HEIC = map(_size, (34, 58, 41, 36))
MAX_LEGAL_BYTES = 25_000_000
_PATCH = 1024  # pixels
_FINE: dict[str, Any] = {"chroma": 444, "size": OF_DEEP_FINE_HEIC}
_CELL = 512  # pixels: the side of a tile in HEIC files of telephones
_HEIF: Any = pillow_heif
_VIDEO: Any = av
_INKS = ink_profile(ink=(136, 208, 195), paper=(230, 128, 128))
# https://www.w3.org/TR/png-3/#8Interlace: the first column and row of each pass, and the steps.
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def legal_files() -> tuple[MadeFile, ...]:
    """All of them, each with less than `MAX_LEGAL_BYTES`."""
    return (
        MadeFile("JPEG", "jpg", partial(jpeg, quality=80)),
        MadeFile("JPEG, progressive", "jpg", partial(jpeg, quality=80, progressive=True)),
        MadeFile("JPEG, 4:4:4", "jpg", partial(jpeg, quality=75, subsampling=0)),
        MadeFile(
            "JPEG, progressive, 4:4:4", "jpg", partial(jpeg, quality=75, subsampling=0, progressive=True)
        ),
        MadeFile("JPEG, restart marks", "jpg", partial(jpeg, quality=80, restart_marker_rows=1)),
        MadeFile("JPEG, grey", "jpg", partial(jpeg, "L", quality=85)),
        MadeFile("JPEG, CMYK with a profile", "jpg", partial(jpeg, "CMYK", quality=40)),
        MadeFile("PNG, RGB", "png", partial(png, "RGB")),
        MadeFile("PNG, RGBA", "png", partial(png, "RGBA")),
        MadeFile("PNG, 16 bits", "png", partial(deep_png, 2)),
        MadeFile("PNG, 16 bits, transparent", "png", partial(deep_png, 6)),
        MadeFile("PNG, 16 bits, grey", "png", partial(deep_png, 0)),
        MadeFile("PNG, a palette", "png", partial(png, "P")),
        MadeFile("PNG, interlaced", "png", partial(interlaced_png, "RGB")),
        MadeFile("PNG, interlaced, transparent", "png", partial(interlaced_png, "RGBA")),
        MadeFile("WebP, lossy", "webp", partial(webp, "RGB", quality=75)),
        MadeFile("WebP, lossless", "webp", partial(webp, "RGB", lossless=True)),
        MadeFile("WebP, lossy, transparent", "webp", partial(webp, "RGBA", quality=75)),
        MadeFile("WebP, lossless, transparent", "webp", partial(webp, "RGBA", lossless=True)),
        MadeFile("AVIF, 8 bits", "avif", partial(avif, "RGB")),
        MadeFile("AVIF, 8 bits, 4:4:4", "avif", partial(avif, "RGB", subsampling="4:4:4")),
        MadeFile("AVIF, 10 bits", "avif", partial(deep_avif, "yuv420p10le")),
        MadeFile("AVIF, transparent", "avif", partial(avif, "RGBA", size=OF_CLEAR_AVIF)),
        MadeFile("HEIC, 8 bits, tiles", "heic", partial(heic, "RGB", tile_size=_CELL)),
        MadeFile("HEIC, 10 bits, tiles", "heic", partial(deep_heic, tile_size=_CELL)),
        MadeFile(
            "HEIC, 10 bits, 4:4:4, tiles",
            "heic",
            partial(deep_heic, tile_size=_CELL, **_FINE),
        ),
        MadeFile(
            "HEIC, 10 bits, 4:4:4, limited, tiles",
            "heic",
            partial(deep_heic, tile_size=_CELL, full_range_flag=0, **_FINE),
        ),
        MadeFile("HEIC, 8 bits, in one piece", "heic", partial(heic, "RGB")),
        MadeFile("HEIC, 10 bits, in one piece", "heic", deep_heic),
        MadeFile("HEIC, 10 bits, 4:4:4, in one piece", "heic", partial(deep_heic, **_FINE)),
        MadeFile("HEIC, transparent, tiles", "heic", partial(heic, "RGBA", tile_size=_CELL, quality=35)),
        MadeFile("TIFF, JPEG inside", "tiff", partial(tiff, "RGB", compression="jpeg")),
        MadeFile("TIFF, LZW", "tiff", partial(tiff, "P", compression="tiff_lzw")),
        MadeFile("TIFF, PackBits, of two colours", "tiff", partial(tiff, "1", compression="packbits")),
        MadeFile("TIFF, deflated", "tiff", partial(tiff, "RGB")),
        MadeFile("TIFF, deflated, transparent", "tiff", partial(tiff, "RGBA")),
        MadeFile("TIFF, deflated, CMYK with a profile", "tiff", partial(tiff, "CMYK")),
        MadeFile("TIFF, deflated, 16 bits, grey", "tiff", partial(tiff, "I;16")),
        MadeFile("TIFF, fax, of two colours", "tiff", partial(tiff, "1", compression="group4")),
        MadeFile("GIF", "gif", gif),
        MadeFile("GIF, four frames", "gif", partial(gif, frames=4)),
        MadeFile("BMP, of two colours", "bmp", partial(bmp, "1")),
    )


def scene(mode: str, *, noise: int = 12, share: float = 1.0, size: Size = FULL) -> Image.Image:
    """A picture with gradients that run differently in each colour, and noise on a share of it."""
    slope = Image.linear_gradient("L")
    round_ = Image.radial_gradient("L")
    colours = [slope.rotate(90), slope, round_, slope.rotate(180)]
    if mode == "I;16":
        return Image.frombytes(
            "I;16", size, _widened(scene("L", noise=noise, share=share, size=size).tobytes())
        )
    wanted = {"P": "RGB", "1": "RGB"}.get(mode, mode)
    picture = Image.merge(
        wanted, [one.resize(size) for one in colours[: len(Image.new(wanted, (1, 1)).getbands())]]
    )
    if noise:
        grain = Image.new("L", (_PATCH, _PATCH), 128)
        grain.paste(Image.effect_noise((_PATCH, int(_PATCH * share)), noise), (0, 0))
        tiles = Image.new("L", size)
        for left in range(0, size[0], _PATCH):
            for top in range(0, size[1], _PATCH):
                tiles.paste(grain, (left, top))
        layers = [tiles] * len(picture.getbands())
        picture = ImageChops.add(picture, Image.merge(wanted, layers), 1, -128)
    if mode == "P":
        return picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return picture if picture.mode == mode else picture.convert(mode)


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    """As cameras and editors write them."""
    if mode == "CMYK":
        options["icc_profile"] = _INKS
    return _saved(scene(mode), "JPEG", **options)


def png(mode: str) -> bytes:
    """As a program writes it, with noise as far as there is room for it."""
    return _saved(scene(mode, noise=6, share={"P": 0.9}.get(mode, 0.2)), "PNG", compress_level=1)


def deep_png(colours: int) -> bytes:
    """Of 16 bits for each colour, which Pillow doesn't write."""
    mode, share = {0: ("L", 0.2), 2: ("RGB", 0.05), 6: ("RGBA", 0.01)}[colours]
    picture = scene(mode, noise=6, share=share)
    row = FULL[0] * len(picture.getbands())
    pixels = picture.tobytes()
    rows = (b"\0" + _widened(pixels[start : start + row]) for start in range(0, len(pixels), row))
    return _png(rows, depth=16, colours=colours)


def interlaced_png(mode: str) -> bytes:
    """In seven passes, which Pillow doesn't write."""
    picture = scene(mode, noise=6, share=0.08)
    return _png(_passes(picture), depth=8, colours={"RGB": 2, "RGBA": 6}[mode], passes=True)


def webp(mode: str, **options: Any) -> bytes:
    """Encoded as quickly as can be, which makes no difference to a decoder."""
    lossless = options.get("lossless", False)
    if lossless:
        options["quality"] = 0
    picture = scene(mode, noise=6 if lossless else 12, share=0.2 if lossless else 1.0, size=OF_WEBP)
    return _saved(picture, "WEBP", method=0, **options)


def avif(mode: str, size: Size = OF_AVIF, **options: Any) -> bytes:
    """As telephones write them."""
    return _saved(scene(mode, noise=8, size=size), "AVIF", speed=10, quality=60, **options)


def deep_avif(samples: str) -> bytes:
    """Of ten bits for each colour, which Pillow doesn't write."""
    frame = _VIDEO.VideoFrame.from_image(scene("RGB", noise=8, size=OF_AVIF)).reformat(format=samples)
    options = {"cpu-used": "8", "still-picture": "1", "usage": "allintra", "crf": "18", "threads": "2"}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        with _VIDEO.open(str(path), "w", format="avif") as container:
            stream = container.add_stream("libaom-av1", rate=1, options=options)
            (stream.width, stream.height), stream.pix_fmt = OF_AVIF, samples
            container.mux([*stream.encode(frame), *stream.encode()])
        return path.read_bytes()


def heic(mode: str, **options: Any) -> bytes:
    """As telephones write them."""
    buffer = io.BytesIO()
    save_heic(buffer, scene(mode, noise=8), **{"quality": 45, **options})
    return buffer.getvalue()


def deep_heic(size: Size = FULL, **options: Any) -> bytes:
    """Of ten bits for each colour."""
    samples = _widened(scene("RGB", noise=8, size=size).tobytes())
    buffer = io.BytesIO()
    save_heic(buffer, _HEIF.from_bytes("RGB;16", size, samples), quality=45, **options)
    return buffer.getvalue()


def tiff(mode: str, compression: str = "tiff_adobe_deflate") -> bytes:
    """As scanners and editors write them."""
    is_even = compression in {"tiff_lzw", "packbits", "group4"}
    share = 1.0 if compression == "jpeg" else 0.1
    options: dict[str, Any] = {"icc_profile": _INKS} if mode == "CMYK" else {}
    if compression == "jpeg":
        options["quality"] = 50
    picture = scene(mode, noise=0 if is_even else 6, share=share)
    return _saved(picture, "TIFF", compression=compression, **options)


def gif(frames: int = 1) -> bytes:
    """Of 256 colours, of which the first frame is used."""
    picture = scene("P", noise=0)
    more = [Image.new("P", (64, 64), index) for index in range(1, frames)]
    return _saved(picture, "GIF", save_all=frames > 1, append_images=more)


def bmp(mode: str) -> bytes:
    """Without compression; more colours would be more than is taken."""
    return _saved(scene(mode, noise=6), "BMP")


def _widened(samples: bytes) -> bytes:
    """Two bytes for each one."""
    wide = bytearray(2 * len(samples))
    wide[0::2] = wide[1::2] = samples
    return bytes(wide)


def _passes(picture: Image.Image) -> Iterator[bytes]:
    for left, top, across, down in _ADAM7:
        size = len(range(left, FULL[0], across)), len(range(top, FULL[1], down))
        part = picture.resize(size, Image.Resampling.NEAREST)
        pixels, row = part.tobytes(), size[0] * len(picture.getbands())
        yield from (b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row))


def _png(rows: Iterator[bytes], *, depth: int, colours: int, passes: bool = False) -> bytes:
    packer = zlib.compressobj(3)
    data = b"".join(packer.compress(row) for row in rows) + packer.flush()
    header = struct.pack(">IIBBBBB", *FULL, depth, colours, 0, 0, passes)
    pieces = [(b"IDAT", data[start : start + 65_536]) for start in range(0, len(data), 65_536)]
    written = [
        struct.pack(">I", len(piece)) + name + piece + struct.pack(">I", zlib.crc32(name + piece))
        for name, piece in [(b"IHDR", header), *pieces, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def _saved(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
