"""Photos with all that cameras, phones and programs put beside the pixels, for the tests."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from PIL import Image, ImageCms

_cms: Any = ImageCms
ICC: bytes = _cms.ImageCmsProfile(_cms.createProfile("sRGB")).tobytes()
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
SECRETS = (
    b"SECRET-MAKE",
    b"SECRET-MODEL",
    b"SECRET-SERIAL",
    b"SECRET-MAKERNOTE",
    b"SECRET-GPS",
    b"SECRET-XMP",
    b"SECRET-COMMENT",
    b"SECRET-THUMB",
    b"SECRET-IPTC",
    b"SECRET-VIDEO",
    b"SECRET-TIME",
)
ORIENTATION = 0x0112


def pixels(size: tuple[int, int] = (61, 47), mode: str = "RGB") -> Image.Image:
    return Image.effect_noise(size, 70).convert(mode)


@cache
def exif(orientation: int | None = 6) -> bytes:
    """Exif data as a phone writes it, with the prefix of JPEG."""
    data = Image.Exif()
    if orientation is not None:
        data[ORIENTATION] = orientation
    data[0x010F], data[0x0110], data[0x0132] = "SECRET-MAKE", "SECRET-MODEL", "SECRET-TIME"
    inner = data.get_ifd(0x8769)
    inner[0xA431], inner[0x927C] = "SECRET-SERIAL", b"SECRET-MAKERNOTE"
    gps = data.get_ifd(0x8825)
    gps[1], gps[2], gps[27] = "N", (52.0, 31.0, 12.0), b"SECRET-GPS"
    encoded = data.tobytes()
    return encoded if encoded.startswith(b"Exif\0\0") else b"Exif\0\0" + encoded


def xmp(source: str | None = None, orientation: int | None = None) -> bytes:
    mark = f"<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>" if source else ""
    turned = f'tiff:Orientation="{orientation}"' if orientation else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {turned} dc:creator="SECRET-XMP" exif:GPSLatitude="SECRET-GPS">{mark}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def jumbf(*contents: bytes) -> bytes:
    """A C2PA manifest store with these contents, as far as a search for bytes can tell."""
    inner = b"\0\0\0\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\0" + b"".join(contents)
    return struct.pack(">I", len(inner) + 8) + b"jumb" + inner


def actions(source: str) -> bytes:
    """An assertion of C2PA in CBOR; the next text begins right behind the address."""
    return b"c2pa.actions\0" + b"qdigitalSourceTypexF" + source.encode() + b"mwhen"


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def app11(store: bytes, room: int = 60_000) -> list[bytes]:
    """The store in as many segments as it takes; each repeats the head of the box."""
    head, body = store[:8], store[8:]
    parts = [body[at : at + room] for at in range(0, len(body), room)]
    return [
        segment(0xEB, b"JP\0\x01" + struct.pack(">I", number) + head + part)
        for number, part in enumerate(parts, 1)
    ]


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The segments right behind the JFIF header."""
    at = 4 + int.from_bytes(jpeg[4:6]) if jpeg[3] == 0xE0 else 2
    return jpeg[:at] + b"".join(segments) + jpeg[at:]


def plain_jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or pixels()).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def phone_jpeg(orientation: int | None = 6, source: str | None = None, **options: Any) -> bytes:
    """A photo of a phone: everything that is to go, and a motion photo's video behind its end."""
    thumbnail = plain_jpeg(pixels((8, 6)))
    made = plain_jpeg(icc_profile=ICC, **options)
    photo = with_segments(
        made,
        segment(0xE0, b"JFXX\0\x10SECRET-THUMB" + thumbnail),
        segment(0xE1, exif(orientation)[:6] + exif(orientation)[6:] + b"SECRET-THUMB" + thumbnail),
        segment(0xE1, XMP_HEAD + xmp(source)),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0SECRET-XMP"),
        segment(0xE2, b"MPF\0SECRET-MAKERNOTE"),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04SECRET-IPTC"),
        segment(0xE5, b"SECRET-SERIAL"),
        segment(0xFE, b"SECRET-COMMENT"),
    )
    return photo + plain_jpeg(pixels((20, 20))) + b"\0\0\0\x18ftypmp42SECRET-VIDEO"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def plain_png(image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or pixels(mode="RGBA")).save(buffer, "PNG", **options)
    return buffer.getvalue()


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """The chunks right behind IHDR."""
    return png[:33] + b"".join(chunks) + png[33:]


def phone_png(orientation: int | None = 6, source: str | None = None, **options: Any) -> bytes:
    made = plain_png(icc_profile=ICC, **options)
    return (
        with_chunks(
            made,
            chunk(b"tEXt", b"parameters\0SECRET-COMMENT"),
            chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"SECRET-COMMENT")),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(source)),
            chunk(b"tIME", b"\x07\xe8\x01\x01\x01\x01\x01"),
            chunk(b"eXIf", exif(orientation)[6:]),
            chunk(b"pRIv", b"SECRET-SERIAL"),
        )
        + b"SECRET-THUMB what was cut off"
    )


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp_chunks(webp: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(webp):
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        yield webp[at : at + 4], webp[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def plain_webp(image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or pixels()).save(buffer, "WEBP", **options)
    return buffer.getvalue()


def phone_webp(orientation: int | None = 6, source: str | None = None, **options: Any) -> bytes:
    made = plain_webp(icc_profile=ICC, exif=exif(orientation)[6:], xmp=xmp(source), **options)
    chunks = [webp_chunk(kind, data) for kind, data in webp_chunks(made)]
    return riff(*chunks, webp_chunk(b"PRIV", b"SECRET-SERIAL")) + b"SECRET-VIDEO"
