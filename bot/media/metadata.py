"""Remove metadata from photos without re-encoding them, and keep or set the marks of AI.

Location, camera, serial numbers, XMP, comments, thumbnails and trailing data go. Orientation and colours
stay, and IPTC's DigitalSourceType where it says that AI was used: https://cv.iptc.org/newscodes/digitalsourcetype/
"""

import mmap
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff

# Of what is made of a result, which has no mark of its own.
MADE_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
MAX_PARTS = 100_000
"""The most segments or chunks that a file may have. A 25 MB PNG with chunks of 8 KiB has 3,200."""

_MAX_READ = 4 * 1024 * 1024  # bytes of one part that are searched; a longer one is dropped unread
# In XMP, and in the CBOR of a C2PA manifest, where nothing marks the end of a name.
_MARK = re.compile(
    rb"(?i:digitalsourcetype)(?:/|[\"'>=\s]|resource|<?rdf:(?:bag|li|seq|alt)){1,64}"
    rb"(?:https?://(?:cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/)?"
    rb"(compositeWithTrainedAlgorithmicMedia|trainedAlgorithmicMedia|algorithmicMedia|compositeSynthetic"
    rb"|algorithmicallyEnhanced)(?![?/#])",
)
_ORIENTATION = re.compile(rb"tiff:Orientation(?:\s{0,64}=\s{0,64}[\"']|>\s{0,64})([1-8])")
_END_OF_RDF = re.compile(rb"</((?:[A-Za-z_][\w.-]{0,30}:)?)RDF\s{0,16}>")
_TURNED = 0x0112  # the tag of a picture's orientation
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # kinds of values
_IPTC = b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_MARKER, _END_OF_SCAN = re.compile(rb"\xff[\x01-\xfe]"), re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
CODING = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDA, 0xE0)})
_APPLICATIONS, _COMMENT = range(0xE0, 0xF0), 0xFE
SCAN, END = 0xDA, 0xD9  # markers of a JPEG
_PNG_KEPT = frozenset(
    (
        b"IHDR PLTE IDAT tRNS gAMA cHRM sRGB iCCP cICP mDCV mDCv cLLI cLLi sBIT bKGD pHYs hIST acTL fcTL fdAT"
    ).split()
)
_WEBP_PICTURE = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
_WEBP_KEPT = _WEBP_PICTURE | {b"ANIM", b"ICCP"}
_FRAME_HEADER = 16  # bytes that come before a frame's own chunks
_HAS_XMP, _HAS_EXIF, _HAS_ALPHA = 0x04, 0x08, 0x10

Data = bytes | mmap.mmap
Part = tuple[bytes, int, int]
"""The name of a chunk, where its content starts, and where it ends."""


class BrokenStructure(Exception):
    """The file's structure contradicts itself, so nothing can be removed from it safely."""


class _Kept:
    """Collects what the parts that are removed say of how the picture is to be seen."""

    def __init__(self) -> None:
        self.mark: str | None = None
        self._turned: int | None = None  # as the first Exif data say; None if they say nothing
        self._turned_by_xmp = 1  # which counts where there are none
        self._store = b""

    def remove(self, part: bytes) -> None:
        """Note what has to stay of a part that goes."""
        if len(part) > _MAX_READ:
            return
        plain = part.replace(b"\0", b"")  # XMP may be in UTF-16
        self.mark = self.mark or digital_source(plain)
        if self._turned_by_xmp == 1 and (match := _ORIENTATION.search(plain)) is not None:
            self._turned_by_xmp = int(match[1])

    def remove_exif(self, part: bytes) -> None:
        """Note what has to stay of Exif data; the first counts, as for decoders."""
        if self._turned is None:
            self._turned = _orientation(part.removeprefix(_EXIF))
        self.remove(part)

    def remove_store(self, part: bytes) -> None:
        """Note what a part of a C2PA manifest says: a mark may begin in one and end in the next."""
        self._store = (self._store + part)[-_MAX_READ:]
        self.mark = self.mark or digital_source(self._store)

    def written(self) -> tuple[bytes, bytes]:
        """Return the Exif data and the XMP packet to write, each empty if there is nothing to say."""
        turned = self._turned_by_xmp if self._turned is None else self._turned
        # A directory of one entry: https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E
        exif = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _TURNED, 3, 1, turned, 0, 0)
        return exif if 2 <= turned <= 8 else b"", xmp_packet(self.mark)


def strip_metadata(path: Path) -> None:
    """Remove the metadata of a JPEG, PNG or WebP.

    The coded picture is copied byte for byte. Files of other kinds stay as they are: they are converted,
    which leaves their metadata behind. The file is replaced at once or not at all. Blocks. Raises
    `BrokenStructure`, and OSError if the file can't be read or written.
    """
    with path.open("rb") as file:
        strip = _CONTAINERS.get(sniff(file.read(HEAD_BYTES)))
        if strip is None:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                pieces = strip(data, _Kept())
            except (IndexError, struct.error):
                raise BrokenStructure("the file ends too early") from None
            # Named after the job like the photo, so that a sweep of the spool finds it after a crash.
            stripped = path.with_name(f"{path.name}.stripped")
            try:
                with stripped.open("wb") as target:
                    target.writelines(piece if isinstance(piece, bytes) else data[piece] for piece in pieces)
                stripped.replace(path)
            finally:
                stripped.unlink(missing_ok=True)


def jpeg_segments(data: Data) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment, where it starts and where it ends, up to the end of the image.

    A scan's coded data belongs to it. Stray bytes are passed over, as libjpeg does. ITU-T T.81, annex B.
    Raises `BrokenStructure`, and `struct.error` if the file ends too early.
    """
    at, has_scan = 2, False
    for _ in range(MAX_PARTS):
        match = _MARKER.search(data, at)
        if match is None:
            raise BrokenStructure("no end of image")
        marker, start, at = match[0][1], match.start(), match.end()
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue  # outside of a scan they mean nothing
        if marker == END and has_scan:
            yield marker, start, at
            return
        at += struct.unpack_from(">H", data, at)[0]
        if at < match.end() + 2 or at > len(data):
            raise BrokenStructure("a segment has no room for its length")
        # Tables alone before an end are what some decoders take for the beginning of the picture behind it.
        if marker == END or marker not in {*CODING, *_APPLICATIONS, _COMMENT}:
            raise BrokenStructure("a segment of a kind that no decoder takes")
        if marker == SCAN:
            match = _END_OF_SCAN.search(data, at)
            if match is None:
                raise BrokenStructure("no end of image")
            at, has_scan = match.start(), True
        yield marker, start, at
    raise BrokenStructure("too many segments")


def _jpeg(data: Data, kept: _Kept) -> list[slice | bytes]:
    """JFIF: ITU-T T.871; ICC: ICC.1:2022, annex B.4; C2PA: JUMBF in APP11, ISO 19566-5."""
    pieces: list[slice | bytes] = [slice(0, 2)]
    place: int | None = None  # where the first metadata was found, as it is written again there
    has_jfif = False
    for marker, start, end in jpeg_segments(data):
        is_coding = marker in {*CODING, END}
        body = b"" if is_coding else data[start + 4 : end]
        if is_coding or (marker == 0xE2 and body.startswith(_ICC)):
            pieces.append(slice(start, end))
        elif marker == 0xE0:  # the first, without its thumbnail; extensions hold nothing but thumbnails
            if body.startswith(b"JFIF\0") and len(body) >= 14 and not has_jfif:
                pieces.append(_segment(marker, body[:12] + bytes(2)))
                has_jfif = True
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            pieces.append(_segment(marker, body[:12]))
        else:
            place = len(pieces) if place is None else place
            if body.startswith(_EXIF):
                kept.remove_exif(body)
            elif marker == 0xEB and body.startswith(b"JP"):
                # Each part after the first repeats the head of the box.
                kept.remove_store(body[8 if body[4:8] == b"\0\0\0\1" else 16 :])
            else:
                kept.remove(body)
    exif, xmp = kept.written()
    made = [_segment(0xE1, one) for one in (exif and _EXIF + exif, xmp and _XMP + xmp) if one]
    pieces[place or 1 : place or 1] = made
    return pieces


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png_chunks(data: Data) -> Iterator[Part]:
    """Yield the chunks of a PNG up to its end: https://www.w3.org/TR/png-3/

    Raises as `jpeg_segments` does.
    """
    at = 8
    for _ in range(MAX_PARTS):
        length, name = struct.unpack_from(">I4s", data, at)
        start, at = at + 8, at + length + 12
        if at > len(data) or not name.isalpha():
            raise BrokenStructure("a chunk has no room for its length, or no name")
        yield name, start, start + length
        if name == b"IEND":
            return
    raise BrokenStructure("too many chunks")


def _png(data: Data, kept: _Kept) -> list[slice | bytes]:
    pieces: list[slice | bytes] = [slice(0, 8)]
    place: int | None = None
    for name, start, end in png_chunks(data):
        if name in _PNG_KEPT:
            pieces.append(slice(start - 8, end + 4))
        elif name == b"IEND":
            pieces.append(_chunk(name, b""))
        else:
            place = len(pieces) if place is None else place
            (kept.remove_exif if name == b"eXIf" else kept.remove)(data[start:end])
    exif, xmp = kept.written()
    made = [(b"eXIf", exif), (b"iTXt", xmp and b"XML:com.adobe.xmp" + bytes(5) + xmp)]
    pieces[place or 2 : place or 2] = [_chunk(name, one) for name, one in made if one]
    return pieces


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _webp_chunks(data: Data, at: int, end: int) -> Iterator[Part]:
    """Yield the chunks of a WebP, or of a frame of one: RFC 9649. Raises as `jpeg_segments` does."""
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            return
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > min(end, len(data)):
            raise BrokenStructure("a chunk has no room for its length")
        yield name, at + 8, at + 8 + size
        at += 8 + size + size % 2
    raise BrokenStructure("too many chunks")


def _webp(data: Data, kept: _Kept) -> list[slice | bytes]:
    extended, parts = b"", list[slice | bytes]()
    seen = set[bytes]()
    for name, start, end in _webp_chunks(data, 12, 8 + struct.unpack_from("<I", data, 4)[0]):
        is_first = name not in seen
        seen.add(name)
        if name == b"VP8X" and start == 20 and end - start >= 10:
            extended = data[start : start + 10]
        elif name in _WEBP_KEPT:
            parts += _whole(start, end)
        elif name == b"ANMF":
            chunks = _webp_chunks(data, start + _FRAME_HEADER, end)
            frame = [data[start : start + _FRAME_HEADER]]
            frame += [one for inner, *place in chunks if inner in _WEBP_PICTURE for one in _whole(*place)]
            parts += [b"ANMF" + struct.pack("<I", _size(frame)), *frame]
        elif name == b"EXIF" and is_first and extended and extended[0] & _HAS_EXIF:
            kept.remove_exif(data[start:end])  # decoders look at it only if the first chunk announces it
        elif name != b"XMP " or (is_first and extended and extended[0] & _HAS_XMP):
            kept.remove(data[start:end])
    if not parts:
        raise BrokenStructure("no picture")
    exif, xmp = kept.written()
    extended = extended or (_extended_for(data) if exif or xmp else b"")
    if extended:
        flags = extended[0] & ~(_HAS_XMP | _HAS_EXIF) | (_HAS_EXIF if exif else 0) | (_HAS_XMP if xmp else 0)
        parts.insert(0, _riff(b"VP8X", bytes((flags,)) + extended[1:]))
        parts += [_riff(name, one) for name, one in ((b"EXIF", exif), (b"XMP ", xmp)) if one]
    return [b"RIFF" + struct.pack("<I", 4 + _size(parts)) + b"WEBP", *parts]


def _whole(start: int, end: int) -> list[slice | bytes]:
    """Return a chunk as it is, with its name, its length and what fills it up."""
    return [slice(start - 8, end), bytes((end - start) % 2)]


def _size(parts: list[slice | bytes]) -> int:
    return sum(len(one) if isinstance(one, bytes) else one.stop - one.start for one in parts)


def _riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _extended_for(data: Data) -> bytes:
    """Return the content of a VP8X chunk for a file that has none; empty if its size can't be told."""
    if data[12:16] == b"VP8 ":  # RFC 6386, 9.1
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        flags = 0
    else:
        bits = struct.unpack_from("<I", data, 21)[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _HAS_ALPHA if bits >> 28 & 1 else 0
    sides = (max(side - 1, 0).to_bytes(3, "little") for side in (width, height))
    return bytes((flags, 0, 0, 0)) + b"".join(sides)


_CONTAINERS: dict[PhotoKind | None, Callable[[Data, _Kept], list[slice | bytes]]] = {
    PhotoKind.JPEG: _jpeg,
    PhotoKind.PNG: _png,
    PhotoKind.WEBP: _webp,
}


def _orientation(tiff: bytes) -> int | None:
    """Return which way up Exif data say that the picture is, or None. The first counts, as in Pillow."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4], "")
    at = struct.unpack_from(f"{order}I", tiff.ljust(8, b"\0"), 4)[0]
    if not (order and 8 <= at <= len(tiff) - 2):
        return None
    count = min(struct.unpack_from(f"{order}H", tiff, at)[0], 1000)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, entry)
        if tag == _TURNED and values == 1 and kind in _NUMBERS:
            return struct.unpack_from(f"{order}{_NUMBERS[kind]}", tiff, entry + 8)[0]
    return None


def digital_source(data: Data) -> str | None:
    """Return the mark of AI in XMP or a C2PA manifest, or None."""
    match = _MARK.search(data)
    return None if match is None else f"{MADE_BY_AI.rpartition('/')[0]}/{match[1].decode()}"


def digital_source_in(path: Path) -> str | None:
    """Return the mark of AI in a file of any kind, wherever it is, if not compressed."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return digital_source(data)


def with_digital_source(xmp: bytes, source: str) -> bytes:
    """Return the XMP packet with this `DigitalSourceType`, unless it has one that says AI was used."""
    if digital_source(xmp) is not None:
        return xmp
    end = _END_OF_RDF.search(xmp)
    if end is None:
        return xmp_packet(source)
    about = b'<%bDescription %babout="" xmlns:Iptc4xmpExt="%b" Iptc4xmpExt:DigitalSourceType="%b"/>'
    added = about % (end[1], end[1], _IPTC, source.encode())
    return xmp[: end.start()] + added + xmp[end.start() :]


def xmp_packet(source: str | None) -> bytes:
    """Return an XMP packet that says this and nothing else; empty if there is nothing to say."""
    if source is None:
        return b""
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        b' xmlns:Iptc4xmpExt="%b" Iptc4xmpExt:DigitalSourceType="%b"/></rdf:RDF></x:xmpmeta>'
        b'<?xpacket end="r"?>' % (_IPTC, source.encode())
    )
