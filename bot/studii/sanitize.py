"""Words and figures that come with an answer, made safe to keep and to show."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from pydantic_core import from_json

from bot.domain.visible import visible

LONGEST_DETAIL = 300
LONGEST_RETRY_AFTER = 300.0

_LIKE_A_KEY = re.compile(r"stu_[A-Za-z0-9_\-]{6,}")


def words_of(value: Any) -> str | None:
    """The sentence in an `error` field: a text, or an object that has one."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        value = fields.get("message") or fields.get("error")
    return value if isinstance(value, str) and value.strip() else None


def clean(text: str | None, key: str) -> str | None:
    """One line of printable text of at most 300 characters, in which no key can be read; None if nothing is
    left."""
    if text is None:
        return None
    # Without what is invisible, which would hide a key from the pattern; masked before it is cut, as half a
    # key is too much as well.
    shown = visible(text)
    masked = _LIKE_A_KEY.sub("stu_…", shown.replace(key, "stu_…") if key else shown)
    line = " ".join(masked.split())
    return (line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…") or None


def quoted(detail: str) -> str:
    """Somebody's words as a part of ours, as their own sentence: “No such style.”, “No such style”."""
    return f"“{detail}”" if detail.endswith((".", "!", "?", "…")) else f"“{detail}”."


def detail_of(body: bytes | None, key: str) -> str | None:
    """Studii's own words in the JSON body of an error: its `error` or `message`."""
    if body is None:
        return None
    try:
        document: Any = from_json(body)
    except ValueError:
        return None
    if not isinstance(document, Mapping):
        return None
    fields = cast("Mapping[str, Any]", document)
    return clean(words_of(fields.get("error")) or words_of(fields.get("message")), key)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, from 0 to 300 (RFC 9110, section 10.2.3: seconds or a date); None if it does not say.

    A date is measured against the answer's own Date, so that two clocks that differ do no harm; `now` stands
    in.
    """
    value = headers.get("Retry-After", "").strip()
    moment = _http_date(value)
    if moment is not None:
        seconds = (moment - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    else:
        try:
            seconds = float(value)
        except ValueError:
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
