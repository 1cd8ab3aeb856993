"""Recognize kinds of pictures by their first bytes. File names and content types are not trusted."""

from enum import Enum

HEAD_BYTES = 64
"""The number of bytes at the start of a file that `sniff` needs."""


class PhotoKind(Enum):
    """Kinds of pictures: a name for people, the content type, and whether Studii accepts the kind.

    Others are converted.
    """

    JPEG = ("JPEG", "image/jpeg", True)
    PNG = ("PNG", "image/png", True)
    WEBP = ("WebP", "image/webp", True)
    HEIC = ("HEIC", "image/heic", False)
    AVIF = ("AVIF", "image/avif", False)
    GIF = ("GIF", "image/gif", False)
    TIFF = ("TIFF", "image/tiff", False)
    BMP = ("BMP", "image/bmp", False)

    def __init__(self, label: str, content_type: str, is_accepted: bool) -> None:
        self.label = label
        self.content_type = content_type
        self.is_accepted = is_accepted


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


def _iso_media(head: bytes) -> PhotoKind | None:
    """Tell HEIC and AVIF apart by the brands in their container (ISO 14496-12)."""
    box = head[: int.from_bytes(head[:4])]
    brands = {box[8:12], *(box[start : start + 4] for start in range(16, len(box) - 3, 4))}
    if brands & _AVIF_BRANDS:
        return PhotoKind.AVIF
    return PhotoKind.HEIC if brands & _HEIC_BRANDS else None
