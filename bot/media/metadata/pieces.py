"""The pieces of the stripped file: ranges of the original file, and new bytes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

MAX_PARTS = 100_000
"""The most segments or chunks that a file may have. A 25 MB PNG with chunks of 8 KiB has 3,200."""

BLOCK = 256 * 1024  # bytes that are read, searched or copied in one step
_FIRST_LOOK = 64


class BrokenStructure(Exception):
    """The file's structure contradicts itself, so nothing can be removed from it safely."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of the original file that are kept."""

    start: int
    end: int


FilePiece = Range | bytes


class Source:
    """A file with random access in small parts."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start`. Raises `BrokenStructure` if the file ends before."""
        if start + length > self.size:
            raise BrokenStructure("the file ends too early")
        self._file.seek(start)
        data = self._file.read(length)
        if len(data) != length:
            raise BrokenStructure("the file ends too early")
        return data

    def find(self, pattern: re.Pattern[bytes], at: int) -> int | None:
        """Return where the next match of a pattern of two bytes begins, or None if there is none.

        Reads little at first, so that many short distances are as cheap as a long one.
        """
        size = _FIRST_LOOK
        while at + 2 <= self.size:
            self._file.seek(at)
            block = self._file.read(size)
            found = pattern.search(block)
            if found is not None:
                return at + found.start()
            if len(block) < 2:
                return None
            at += len(block) - 1  # the match may begin with the last byte
            size = min(size * 8, BLOCK)
        return None


class PartCounter:
    """Limits the number of parts of a file, and so the work."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def count(self) -> None:
        """Count one part. Raises `BrokenStructure` if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise BrokenStructure("the file has too many parts")


def length_of(piece: FilePiece) -> int:
    """Return the number of bytes that the piece stands for."""
    return len(piece) if isinstance(piece, bytes) else piece.end - piece.start


def joined(pieces: Iterable[FilePiece]) -> list[FilePiece]:
    """Return the pieces with neighbouring ranges joined and empty pieces left out."""
    result: list[FilePiece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if length_of(piece) == 0:
            continue
        if isinstance(piece, Range) and isinstance(last, Range) and last.end == piece.start:
            result[-1] = Range(last.start, piece.end)
        elif isinstance(piece, bytes) and isinstance(last, bytes):
            result[-1] = last + piece
        else:
            result.append(piece)
    return result


def is_unchanged(pieces: Iterable[FilePiece], source: Source) -> bool:
    """Return whether the pieces are the original file, byte for byte."""
    at = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            if at + len(piece) > source.size or source.read(at, len(piece)) != piece:
                return False
        elif piece.start != at:
            return False
        at += length_of(piece)
    return at == source.size


def copy(pieces: Iterable[FilePiece], source: Source, target: BinaryIO) -> None:
    """Write the pieces to `target`."""
    for piece in pieces:
        if isinstance(piece, bytes):
            target.write(piece)
            continue
        starts = range(piece.start, piece.end, BLOCK)
        target.writelines(source.read(start, min(BLOCK, piece.end - start)) for start in starts)
