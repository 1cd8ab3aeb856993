"""Attempts to decode a file from outside, as the database has them."""

from dataclasses import dataclass
from enum import StrEnum


class FileRole(StrEnum):
    """What a file of the spool is to its job."""

    SOURCE = "source"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class DecodeRecord:
    """What is remembered about decoding one file.

    `counted` attempts ended with the death of the decoder, or of the whole process while nothing else was
    being decoded. A `suspect` was being decoded when the process died, and is tried alone. `alone` is said of
    the attempt that is `underway`.
    """

    counted: int = 0
    suspect: bool = False
    underway: bool = False
    alone: bool = False
