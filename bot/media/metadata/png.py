"""PNG: chunks, each with a length, a type and a checksum. https://www.w3.org/TR/png-3/"""

import zlib

from bot.media.metadata.findings import Findings
from bot.media.metadata.marks import MAX_STORE, MAX_XMP
from bot.media.metadata.pieces import BrokenStructure, PartCounter, Piece, Range, Source

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"IEND"
_STORE = b"caBX"
# What a decoder needs, moving pictures included; all other chunks go.
_KEPT = frozenset(
    (
        b"IHDR PLTE IDAT tRNS gAMA cHRM sRGB iCCP cICP mDCV mDCv cLLI cLLi sBIT bKGD pHYs hIST acTL fcTL fdAT"
    ).split()
)
_XMP = b"XML:com.adobe.xmp"
_RAW_EXIF = b"Raw profile type exif"  # ImageMagick's: three lines, then hexadecimal digits
_MAX_EXIF = 1024 * 1024  # bytes


def pieces_of(source: Source) -> list[Piece]:
    """Return what the PNG is made of without metadata. Raises `BrokenStructure`."""
    if source.read(0, len(_SIGNATURE)) != _SIGNATURE:
        raise BrokenStructure("no signature")
    pieces: list[Piece] = [Range(0, len(_SIGNATURE))]
    store: set[Range] = set()
    findings, parts, at = Findings(), PartCounter(), len(_SIGNATURE)
    metadata_at: int | None = None
    while True:
        parts.count()
        head = source.read(at, 8)
        length, kind = int.from_bytes(head[:4]), head[4:]
        chunk = Range(at, at + length + 12)
        if chunk.end > source.size or not kind.isalpha():
            raise BrokenStructure("a chunk has no room for its length, or no type")
        at = chunk.end
        if kind == _END:
            break
        if kind in _KEPT:
            pieces.append(chunk)
        elif kind == _STORE:
            if length <= MAX_STORE:
                findings.add_store(source.read(chunk.start + 8, length))
                metadata_at = len(pieces) if metadata_at is None else metadata_at
                store.add(chunk)
                pieces.append(chunk)
        else:
            metadata_at = len(pieces) if metadata_at is None else metadata_at
            _note(source, kind, chunk, findings)
    return _composed(pieces, store, findings, metadata_at)


def _composed(
    pieces: list[Piece], store: set[Range], findings: Findings, metadata_at: int | None
) -> list[Piece]:
    keeps_store = findings.keeps_store()
    written = b""
    if exif := findings.exif():
        written += _chunk(b"eXIf", exif)
    if xmp := findings.xmp():
        written += _chunk(b"iTXt", _XMP + bytes(5) + xmp)
    composed: list[Piece] = [*pieces[:metadata_at], written, *pieces[metadata_at:]] if written else pieces
    composed = [*composed, _chunk(_END, b"")]
    if keeps_store:
        return composed
    return [piece for piece in composed if isinstance(piece, bytes) or piece not in store]


def _note(source: Source, kind: bytes, chunk: Range, findings: Findings) -> None:
    """Note what has to stay of a chunk that goes. Compressed text is dropped unread."""
    length = chunk.end - chunk.start - 12
    if length > MAX_XMP:
        return
    if kind == b"eXIf" and length <= _MAX_EXIF:
        findings.add_exif(source.read(chunk.start + 8, length))
    elif kind == b"iTXt":
        keyword, _, rest = source.read(chunk.start + 8, length).partition(b"\0")
        if keyword == _XMP and rest[:1] == b"\0":
            findings.add_xmp(rest)
    elif kind == b"tEXt":
        keyword, _, text = source.read(chunk.start + 8, length).partition(b"\0")
        if keyword == _RAW_EXIF:
            findings.add_raw_exif(_from_hexadecimal(text))


def _from_hexadecimal(text: bytes) -> bytes:
    try:
        return bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except ValueError:
        return b""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
