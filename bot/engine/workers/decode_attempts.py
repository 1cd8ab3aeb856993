"""Decide which attempts to decode a file count against it. Pure.

An attempt is written down before the decoder begins. It counts when the decoder died or ran into a bound.
When the whole process died, every file that was being decoded is a suspect: each is tried alone next, and
only such a lone attempt counts if the process dies again.
"""

from dataclasses import replace
from enum import Enum, auto

from bot.domain import DecodeRecord

MAX_DECODE_ATTEMPTS = 2  # attempts that count before a file is given up


class DecodeEnd(Enum):
    """The end of an attempt."""

    VERDICT = auto()  # the decoder answered: the file is good, or it is refused
    DECODER_DIED = auto()  # the decoder died, or ran into a bound
    TAKEN_BACK = auto()  # it was stopped, or failed for a reason that says nothing about the file


def given_up(record: DecodeRecord) -> bool:
    """Return whether the file must not be decoded any more."""
    return record.counted >= MAX_DECODE_ATTEMPTS


def begun(record: DecodeRecord, *, alone: bool) -> DecodeRecord:
    """Return the record to be stored before the decoder begins.

    Raises `ValueError` if the file is given up, or may only be decoded alone.
    """
    if given_up(record) or (record.suspect and not alone):
        raise ValueError("this attempt is not allowed")
    return replace(record, in_progress=True, alone=alone)


def ended(record: DecodeRecord, how: DecodeEnd) -> DecodeRecord | None:
    """Return the record to be stored after an attempt, or None if nothing needs to be remembered."""
    if how is DecodeEnd.VERDICT:
        return None
    counted = record.counted + (how is DecodeEnd.DECODER_DIED)
    # An attempt alone that did not take the process with it clears the suspicion.
    suspect = record.suspect and how is DecodeEnd.TAKEN_BACK
    if not counted and not suspect:
        return None
    return DecodeRecord(counted, suspect=suspect)


def after_death(record: DecodeRecord) -> DecodeRecord:
    """Return the record of an attempt that was under way when the process died."""
    return DecodeRecord(record.counted + record.alone, suspect=True)
