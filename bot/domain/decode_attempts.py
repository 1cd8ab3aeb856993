"""Records of attempts to decode a file."""

from dataclasses import dataclass
from enum import StrEnum


class FileRole(StrEnum):
    """The role of a file in the spool: a job's source or its output."""

    SOURCE = "source"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class DecodeRecord:
    """The record of decoding one file.

    `counted` is the number of attempts in which the decoder died, or the whole process while it decoded
    nothing else. A `suspect` was being decoded, among others, when the process died; it is tried alone next.
    `alone` is about the attempt that is `in_progress`.
    """

    counted: int = 0
    suspect: bool = False
    in_progress: bool = False
    alone: bool = False
