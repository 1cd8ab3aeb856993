"""PNG: chunks, each with a length, a type and a checksum. https://www.w3.org/TR/png-3/"""

import zlib

from bot.media.metadata.ai_marks import MAX_STORE, MAX_XMP
from bot.media.metadata.kept import KeptMetadata
from bot.media.metadata.pieces import BrokenStructure, FilePiece, PartCounter, Range, Source

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
# ImageMagick's: three lines, then hexadecimal digits.
_RAW = frozenset({b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp"})
_APP1_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MAX_EXIF = 1024 * 1024  # bytes
_MAX_INFLATED = 512 * 1024  # bytes of a text; what is longer counts as not said


def pieces_of(source: Source) -> list[FilePiece]:
    """Return what the PNG is made of without metadata. Raises `BrokenStructure`."""
    if source.read(0, len(_SIGNATURE)) != _SIGNATURE:
        raise BrokenStructure("no signature")
    pieces: list[FilePiece] = [Range(0, len(_SIGNATURE))]
    store: set[Range] = set()
    findings, parts, at = KeptMetadata(), PartCounter(), len(_SIGNATURE)
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
    return _composed(pieces, store, findings, metadata_at or 0)


def _composed(
    pieces: list[FilePiece], store: set[Range], findings: KeptMetadata, metadata_at: int
) -> list[FilePiece]:
    gone = set[FilePiece]() if findings.keeps_store() else store
    written = b""
    if exif := findings.exif():
        written += _chunk(b"eXIf", exif)
    if xmp := findings.xmp():
        written += _chunk(b"iTXt", _XMP + bytes(5) + xmp)
    composed = (*pieces[:metadata_at], written, *pieces[metadata_at:], _chunk(_END, b""))
    return [piece for piece in composed if piece not in gone]


def _note(source: Source, kind: bytes, chunk: Range, findings: KeptMetadata) -> None:
    """Note what has to stay of a chunk that goes."""
    length = chunk.end - chunk.start - 12
    if length > MAX_XMP:
        return
    if kind == b"eXIf" and length <= _MAX_EXIF:
        findings.add_exif(source.read(chunk.start + 8, length))
    elif kind in {b"iTXt", b"tEXt", b"zTXt"}:
        keyword, _, rest = source.read(chunk.start + 8, length).partition(b"\0")
        if kind == b"iTXt" and keyword == _XMP:
            findings.add_xmp(_international(rest))
        elif kind != b"iTXt" and keyword in _RAW:
            _note_raw(_from_hexadecimal(_inflated(rest[1:]) if kind == b"zTXt" else rest), findings)


def _note_raw(data: bytes, findings: KeptMetadata) -> None:
    if data.startswith(_APP1_XMP) or data.lstrip(b"\xef\xbb\xbf\xff\xfe\0")[:1] == b"<":
        findings.add_xmp(data.removeprefix(_APP1_XMP))
    else:
        findings.add_raw_exif(data)


def _international(rest: bytes) -> bytes:
    """Return the text of an iTXt chunk behind its keyword, which may be deflated."""
    flag, (_, _, text) = rest[:1], rest[2:].partition(b"\0")
    _, _, text = text.partition(b"\0")
    return _inflated(text) if flag == b"\1" else text


def _inflated(data: bytes) -> bytes:
    """Return the deflated text; empty if it is damaged or too long."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(data, _MAX_INFLATED)
    except zlib.error:
        return b""
    return text if inflating.eof else b""


def _from_hexadecimal(text: bytes) -> bytes:
    try:
        return bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except ValueError:
        return b""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
