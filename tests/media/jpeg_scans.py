"""Where a JPEG has its coded data."""

import re


def scans(data: bytes) -> list[tuple[int, int]]:
    """Where the coded data of each scan starts and ends."""
    found: list[tuple[int, int]] = []
    at = 0
    while (at := data.find(b"\xff\xda", at)) >= 0:
        start = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        end = next(
            one.start() for one in re.finditer(rb"\xff[\x01-\xcf\xd8-\xfe]", data) if one.start() >= start
        )
        found.append((start, end))
        at = end
    return found
