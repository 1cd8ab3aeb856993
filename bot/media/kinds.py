"""The one table of media types, and what kind of picture some bytes are.

Names and content types that come with a file are not believed.
"""

from enum import Enum
from pathlib import Path

HEAD_BYTES = 64
"""The number of bytes at the start of a file that `sniff` needs."""


class PhotoKind(Enum):
    """Kinds that we can tell apart: a name for people, a content type, the end of a file's name, whether
    Studii is sent it as it is (the others are converted), and whether Discord's apps show it."""

    JPEG = ("JPEG", "image/jpeg", ".jpg", True, True)
    PNG = ("PNG", "image/png", ".png", True, True)
    WEBP = ("WebP", "image/webp", ".webp", True, True)
    HEIC = ("HEIC", "image/heic", ".heic", False, False)
    AVIF = ("AVIF", "image/avif", ".avif", False, False)
    GIF = ("GIF", "image/gif", ".gif", False, True)
    TIFF = ("TIFF", "image/tiff", ".tiff", False, False)
    BMP = ("BMP", "image/bmp", ".bmp", False, False)

    def __init__(self, label: str, content_type: str, suffix: str, is_accepted: bool, is_shown: bool) -> None:
        self.label = label
        self.content_type = content_type
        self.suffix = suffix
        self.is_accepted = is_accepted
        self.is_shown = is_shown


# What Discord's apps draw in a gallery.
DRAWN = frozenset(kind.content_type for kind in PhotoKind if kind.is_shown)
MP4, WEBM = "video/mp4", "video/webm"
UNKNOWN_TYPE = "application/octet-stream"
ALIASES = {
    "image/jpg": PhotoKind.JPEG,
    "image/apng": PhotoKind.PNG,
    "image/heif": PhotoKind.HEIC,
    "image/heic-sequence": PhotoKind.HEIC,
    "image/heif-sequence": PhotoKind.HEIC,
    "image/x-ms-bmp": PhotoKind.BMP,
}
"""Other names of the content types of pictures."""

PHOTO_SUFFIXES = frozenset({*(kind.suffix for kind in PhotoKind), ".heif", ".jfif", ".jpeg", ".tif"})
"""How the names of photos end that people post."""

_WEBM_SIGNATURE = b"\x1a\x45\xdf\xa3"  # an EBML document, https://www.rfc-editor.org/rfc/rfc8794
_SUFFIXES = {**{kind.content_type: kind.suffix for kind in PhotoKind}, MP4: ".mp4", WEBM: ".webm"}
_CONTENT_TYPES = {suffix: content_type for content_type, suffix in _SUFFIXES.items()}


def suffix_of(content_type: str) -> str | None:
    """Return the end of a file's name, as `.jpg` for `image/jpeg`. None for a type that is unknown."""
    return _SUFFIXES.get(content_type)


def content_type_of(path: Path) -> str:
    """Return what a file of ours holds, by its name."""
    return _CONTENT_TYPES.get(path.suffix, UNKNOWN_TYPE)


def usual_type(kind: str) -> str:
    """Return the content type of a `video`, or else an image, of which nothing else is known."""
    return MP4 if kind == "video" else PhotoKind.PNG.content_type


_SIGNATURES = (
    (b"\xff\xd8\xff", PhotoKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", PhotoKind.PNG),
    (b"GIF87a", PhotoKind.GIF),
    (b"GIF89a", PhotoKind.GIF),
    (b"II*\x00", PhotoKind.TIFF),
    (b"MM\x00*", PhotoKind.TIFF),
    (b"II+\x00", PhotoKind.TIFF),
    (b"MM\x00+", PhotoKind.TIFF),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> PhotoKind | None:
    """Return the kind of picture by a file's first `HEAD_BYTES` bytes, or None if it is unknown."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoKind.WEBP
    # A text may start with "BM", so the reserved zeros and the next header's size must match as well.
    if head[:2] == b"BM" and head[6:10] == bytes(4) and head[14:15] and head[14] in _BMP_HEADER_SIZES:
        return PhotoKind.BMP
    return _iso_media(head) if head[4:8] == b"ftyp" else None


def sniffed_type(head: bytes) -> str | None:
    """Return the content type of a picture or a video by a file's first bytes, or None if it is unknown."""
    picture = sniff(head)
    if picture is not None:
        return picture.content_type
    if head[4:8] == b"ftyp":  # ISO 14496-12, as MP4 is
        return MP4
    return WEBM if head.startswith(_WEBM_SIGNATURE) else None


def _iso_media(head: bytes) -> PhotoKind | None:
    """Tell HEIC and AVIF apart by the brands in their container (ISO 14496-12)."""
    box = head[: int.from_bytes(head[:4])]
    brands = {box[8:12], *(box[start : start + 4] for start in range(16, len(box) - 3, 4))}
    if brands & _AVIF_BRANDS:
        return PhotoKind.AVIF
    return PhotoKind.HEIC if brands & _HEIC_BRANDS else None
