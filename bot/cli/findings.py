"""The findings of doctor's checks."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The result of a check. `STOPS` means that the bot would not start or not work."""

    GOOD = "ok"
    LOOK = "look"
    STOPS = "stops"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    verdict: Verdict
    words: str
