"""The findings of doctor's checks."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The result of a check.

    `WARN` is for an operator to look into; `STOPS` means that the bot would not start or not work.
    """

    GOOD = "ok"
    WARN = "look"
    STOPS = "stops"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    verdict: Verdict
    words: str
