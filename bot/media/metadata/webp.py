"""WebP: chunks in a RIFF file. https://developers.google.com/speed/webp/docs/riff_container (RFC 9649)"""

from dataclasses import dataclass, field

from bot.media.metadata.ai_marks import MAX_STORE, MAX_XMP
from bot.media.metadata.kept import KeptMetadata
from bot.media.metadata.pieces import BrokenStructure, FilePiece, PartCounter, Range, Source, length_of

_HEAD = 12  # "RIFF", the size of all that follows, "WEBP"
_EXTENDED, _LOSSY, _LOSSLESS, _EXIF, _XMP, _STORE = b"VP8X", b"VP8 ", b"VP8L", b"EXIF", b"XMP ", b"C2PA"
_KEPT = frozenset({_LOSSY, _LOSSLESS, b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_EXTENDED_SIZE = 10
_HAS_XMP, _HAS_EXIF, _HAS_ALPHA = 0x04, 0x08, 0x10


@dataclass
class _WebpReading:
    source: Source
    extended: bytes | None = None  # the data of VP8X
    findings: KeptMetadata = field(default_factory=KeptMetadata)
    pieces: list[FilePiece] = field(default_factory=list[FilePiece])
    store: set[Range] = field(default_factory=set[Range])
    seen: set[bytes] = field(default_factory=set[bytes])


def pieces_of(source: Source) -> list[FilePiece]:
    """Return what the WebP is made of without metadata. Raises `BrokenStructure`."""
    head = source.read(0, _HEAD)
    end = 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WEBP" or end > source.size:
        raise BrokenStructure("no head that fits the file")
    reading, parts, at = _WebpReading(source), PartCounter(), _HEAD
    while at + 8 <= end:
        parts.count()
        name_and_size = source.read(at, 8)
        kind, size = name_and_size[:4], int.from_bytes(name_and_size[4:], "little")
        data_end = at + 8 + size
        if data_end > end:
            raise BrokenStructure("a chunk has no room for its length")
        _take(reading, kind, Range(at, min(data_end + size % 2, end)), size)
        if size % 2 and data_end == end and kind in _KEPT:
            reading.pieces.append(b"\0")  # the padding that the last chunk lacks
        at = data_end + size % 2
    if not reading.pieces:
        raise BrokenStructure("no picture")
    return _composed(reading)


def _take(reading: _WebpReading, kind: bytes, chunk: Range, size: int) -> None:
    """Keep the chunk, or what has to stay of it."""
    source, is_first = reading.source, kind not in reading.seen
    reading.seen.add(kind)
    if kind == _EXTENDED and chunk.start == _HEAD and size >= _EXTENDED_SIZE:
        reading.extended = source.read(chunk.start + 8, _EXTENDED_SIZE)
    elif kind in _KEPT:
        reading.pieces.append(chunk)
    elif kind == _STORE:
        if size <= MAX_STORE:
            reading.findings.add_store(source.read(chunk.start + 8, size))
            reading.store.add(chunk)
            reading.pieces.append(chunk)
    elif size <= MAX_XMP and is_first and reading.extended is not None:
        # Decoders look at these only if the first chunk announces them.
        if kind == _EXIF and reading.extended[0] & _HAS_EXIF:
            reading.findings.add_exif(source.read(chunk.start + 8, size))
        elif kind == _XMP and reading.extended[0] & _HAS_XMP:
            reading.findings.add_xmp(source.read(chunk.start + 8, size))


def _composed(reading: _WebpReading) -> list[FilePiece]:
    findings = reading.findings
    pieces = reading.pieces
    if not findings.keeps_store():
        pieces = [piece for piece in pieces if piece not in reading.store]
    exif, xmp, extended = findings.exif(), findings.xmp(), reading.extended
    if xmp and extended is None:
        extended = _extended_for(reading)
    written: list[FilePiece] = []
    if extended is not None:
        flags = extended[0] & ~(_HAS_EXIF | _HAS_XMP)
        flags |= _HAS_EXIF if exif else 0
        flags |= _HAS_XMP if xmp else 0
        written.append(_chunk(_EXTENDED, bytes((flags,)) + extended[1:]))
        written.extend(pieces)
        written.extend(_chunk(kind, data) for kind, data in ((_EXIF, exif), (_XMP, xmp)) if data)
    else:
        written.extend(pieces)
    size = 4 + sum(length_of(piece) for piece in written)
    return [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *written]


def _extended_for(reading: _WebpReading) -> bytes | None:
    """Return the data of a VP8X chunk for a file that had none. None if its size can't be told."""
    first = reading.pieces[0]
    if isinstance(first, bytes) or first.end - first.start < 18:
        return None
    head = reading.source.read(first.start, 18)
    kind, data = head[:4], head[8:]
    if kind == _LOSSY and data[3:6] == b"\x9d\x01\x2a":  # RFC 6386, 9.1
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        flags = 0
    elif kind == _LOSSLESS and data[:1] == b"\x2f":  # RFC 9649, 3.4
        bits = int.from_bytes(data[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _HAS_ALPHA if bits >> 28 & 1 else 0
    else:
        return None
    if not width or not height:
        return None
    return bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
