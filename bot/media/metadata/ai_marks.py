"""Marks of AI: IPTC's DigitalSourceType in XMP, and C2PA manifests.

https://cv.iptc.org/newscodes/digitalsourcetype/ and https://spec.c2pa.org
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from bot.media.metadata.pieces import BLOCK

MAX_XMP = 4 * 1024 * 1024
"""Bytes of an XMP packet that are searched; a longer one is dropped unread."""

MAX_STORE = 4 * 1024 * 1024
"""Bytes of a C2PA manifest store that are searched; a longer one is dropped unread: it has pictures in it."""

_VOCABULARY = rb"(?:https?://)?(?:cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/"
# An attribute, an element's text, which may stand in a list, or a reference to a resource; the prefix of the
# namespace may be any.
_LIST = rb"(?:<rdf:(?:Bag|Seq|Alt)[^<>]{0,200}>\s{0,256}<rdf:li[^<>]{0,200}>\s{0,256})?"
_PROPERTY = re.compile(
    rb"[:\"'{}]DigitalSourceType\s{0,64}(?:=\s{0,64}[\"']|>\s{0,256}"
    + _LIST
    + rb"|\s(?:rdf:)?resource\s{0,64}=\s{0,64}[\"'])"
    rb"((?:" + _VOCABULARY + rb")?[A-Za-z]{2,64})"
)
_ORIENTATION = re.compile(rb"tiff:Orientation(?:\s{0,64}=\s{0,64}[\"']|>\s{0,64})([1-8])")
# In CBOR the next letter may belong to the next value, so only known names end a mark there.
_NAMES = (
    "algorithmicMedia",
    "algorithmicallyEnhanced",
    "compositeCapture",
    "compositeSynthetic",
    "compositeWithTrainedAlgorithmicMedia",
    "composite",
    "computationalCapture",
    "dataDrivenMedia",
    "digitalArt",
    "digitalCapture",
    "digitalCreation",
    "empty",
    "humanEdits",
    "minorHumanEdits",
    "negativeFilm",
    "positiveFilm",
    "print",
    "screenCapture",
    "softwareImage",
    "trainedAlgorithmicData",
    "trainedAlgorithmicMedia",
    "virtualRecording",
)
_ADDRESS = re.compile(
    _VOCABULARY + rb"(?:" + b"|".join(name.encode() for name in sorted(_NAMES, key=len, reverse=True)) + rb")"
)
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_END_OF_RDF = re.compile(rb"</((?:[A-Za-z_][\w.-]{0,30}:)?)RDF\s{0,16}>")
_MAX_MARK_BYTES = 1024  # of a mark; blocks of a file overlap by as much
# Of what is made of a result, which has no mark of its own.
# https://cv.iptc.org/newscodes/digitalsourcetype/
MADE_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_BY_AI = ("algorithmic", "synthetic")
_BY_CAMERA = ("capture", "film", "/print")

# Assertions that hold what is removed elsewhere, and boxes that can't be read without decompressing them.
# https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html, "Standard assertions"
_PRIVATE = re.compile(
    rb"c2pa\.thumbnail|c2pa\.metadata|c2pa\.depthmap|c2pa\.location|cawg\.|stds\.exif|stds\.iptc|stds\.schema-org"
    rb"|exif:|exifEX:|GPSL|brob"
)


@dataclass(frozen=True, slots=True)
class Store:
    """The decision whether a C2PA manifest store is kept, and its mark of AI."""

    is_kept: bool
    digital_source: str | None = None


def judge_store(store: bytes) -> Store:
    """Decide whether a C2PA manifest store may stay.

    It can only stay whole. One that holds a thumbnail, a location, a person or a camera's record goes, and
    its mark is told, to be written as XMP. One that stays still says that AI was used; its signature covers
    the whole file, so it no longer matches if anything else was removed.
    """
    if b"c2pa" not in store:
        return Store(is_kept=False)
    found = [match.group().decode("ascii") for match in _ADDRESS.finditer(store)]
    mark = strongest(found)
    by_camera = mark is not None and not is_by_ai(mark) and any(word in mark.lower() for word in _BY_CAMERA)
    return Store(is_kept=not by_camera and _PRIVATE.search(store) is None, digital_source=mark)


def digital_source_in_xmp(xmp: bytes) -> str | None:
    """Return the value of `DigitalSourceType` in an XMP packet, or None if it has none."""
    return strongest(match.group(1).decode("ascii") for match in _PROPERTY.finditer(_narrow(xmp)))


def _narrow(xmp: bytes) -> bytes:
    """Return an XMP packet as UTF-8: it may be UTF-16 as well (ISO 16684-1, 7.1)."""
    if xmp[:2] == b"\xff\xfe" or xmp[1:2] == b"\0":
        return xmp.decode("utf-16-le", "replace").encode()
    if xmp[:2] == b"\xfe\xff" or xmp[:1] == b"\0":
        return xmp.decode("utf-16-be", "replace").encode()
    return xmp


def orientation_in_xmp(xmp: bytes) -> int | None:
    """Return `tiff:Orientation` of an XMP packet: some decoders turn by it where there is no Exif data."""
    match = _ORIENTATION.search(_narrow(xmp))
    return None if match is None else int(match.group(1))


def digital_source_in(file: BinaryIO) -> str | None:
    """Return the strongest mark in a file of any kind, wherever it keeps XMP or C2PA, if not compressed."""
    file.seek(0)
    found: str | None = None
    tail = b""
    while block := file.read(BLOCK):
        data = tail + block
        marks = [match.group(1).decode("ascii") for match in _PROPERTY.finditer(data)]
        marks += [match.group().decode("ascii") for match in _ADDRESS.finditer(data)]
        found = strongest(marks if found is None else [found, *marks])
        tail = data[-_MAX_MARK_BYTES:]
    return found


def strongest(marks: Iterable[str]) -> str | None:
    """Return the first mark that says that AI was used, else the first of all. None if there is none."""
    known = list(marks)
    return next((mark for mark in known if is_by_ai(mark)), known[0] if known else None)


def is_by_ai(mark: str) -> bool:
    """Return whether the mark says that an algorithm made the picture, or part of it."""
    return any(word in mark.lower() for word in _BY_AI)


def with_digital_source(xmp: bytes, digital_source: str) -> bytes:
    """Return the XMP packet with this `DigitalSourceType`, unless it has one that says AI was used."""
    said = digital_source_in_xmp(xmp)
    if said is not None and is_by_ai(said):
        return xmp
    end = _END_OF_RDF.search(xmp)
    if end is None:
        return xmp_packet(digital_source)
    prefix = end.group(1)
    about = b'<%bDescription %babout="" xmlns:Iptc4xmpExt="%b" Iptc4xmpExt:DigitalSourceType="%b"/>'
    added = about % (prefix, prefix, _IPTC.encode(), digital_source.encode("ascii"))
    return xmp[: end.start()] + added + xmp[end.start() :]


def xmp_packet(digital_source: str | None, orientation: int | None = None) -> bytes:
    """Return an XMP packet that says this and nothing else; empty if there is nothing to say."""
    said = b""
    if orientation is not None:
        said += b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"' % orientation
    if digital_source is not None:
        complete = "://" in digital_source or "/" not in digital_source
        address = digital_source if complete else f"http://{digital_source}"
        said += b' xmlns:Iptc4xmpExt="%s" Iptc4xmpExt:DigitalSourceType="%s"' % (
            _IPTC.encode(),
            address.encode("ascii"),
        )
    if not said:
        return b""
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about=""%s/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>' % said
    )
