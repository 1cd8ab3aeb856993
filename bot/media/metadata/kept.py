"""Collect what is kept of a file's metadata, and encode it."""

from bot.media.metadata.ai_marks import (
    MAX_STORE,
    MAX_XMP,
    digital_source_in_xmp,
    judge_store,
    orientation_in_xmp,
    strongest,
    xmp_packet,
)
from bot.media.metadata.exif import EXIF_PREFIX, Exif, reduced


class KeptMetadata:
    """Collects metadata to keep. The first block of Exif data counts, as for decoders."""

    def __init__(self) -> None:
        self._exif: Exif | None = None
        self._raw_exif = b""
        self._marks: list[str] = []
        self._orientation: int | None = None
        self._store = bytearray()
        self._store_fits = True
        self._reduced = b""

    def add_exif(self, data: bytes) -> None:
        """Take in a block of Exif data, with the prefix that JPEG puts before it or without."""
        if self._exif is None:
            self._exif, self._reduced = reduced(data)
        self.add_marks(data)

    def add_raw_exif(self, data: bytes) -> None:
        """Take in Exif data that counts only where there is no other."""
        self._raw_exif = self._raw_exif or data.removeprefix(EXIF_PREFIX)

    def add_xmp(self, data: bytes) -> None:
        """Take in an XMP packet."""
        if len(data) <= MAX_XMP:
            self._orientation = orientation_in_xmp(data) or self._orientation
        self.add_marks(data)

    def add_marks(self, data: bytes) -> None:
        """Take in the marks of AI that a block of any kind may hold."""
        mark = digital_source_in_xmp(data) if len(data) <= MAX_XMP else None
        if mark is not None:
            self._marks.append(mark)

    def add_store(self, data: bytes) -> None:
        """Take in the next part of the C2PA manifest store."""
        self._store_fits = self._store_fits and len(self._store) + len(data) <= MAX_STORE
        if self._store_fits:
            self._store += data

    def keeps_store(self) -> bool:
        """Return whether the C2PA manifest store stays; if not, its mark is kept as XMP. To be asked once."""
        if not self._store or not self._store_fits:
            return False
        store = judge_store(bytes(self._store))
        if not store.is_kept and store.digital_source is not None:
            self._marks.append(store.digital_source)
        return store.is_kept

    def exif(self) -> bytes:
        """Return the Exif data to write, with the prefix of JPEG if it had that; empty if none."""
        if self._exif is None and self._raw_exif:
            self.add_exif(self._raw_exif)
        return self._reduced

    def xmp(self) -> bytes:
        """Return the XMP packet to write; empty if there is nothing to say."""
        self.exif()
        exif_says = self._exif is not None and self._exif.orientation is not None
        orientation = None if exif_says else self._orientation
        return xmp_packet(strongest(self._marks), orientation)
