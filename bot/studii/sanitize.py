"""Make texts and figures of answers safe to store and to show."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from bot.domain.visible_text import visible
from bot.validation import json_of

MAX_DETAIL_CHARACTERS = 300
MAX_RETRY_AFTER_SECONDS = 300.0

_LIKE_A_KEY = re.compile(r"stu_[A-Za-z0-9_\-]{6,}")


def error_message(value: Any) -> str | None:
    """Return the message of an `error` field, which is a string or an object with one. Else None."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        value = fields.get("message") or fields.get("error")
    return value if isinstance(value, str) and value.strip() else None


def clean(text: str | None, key: str) -> str | None:
    """Return one line of printable text of at most 300 characters without keys, or None if it is empty."""
    if text is None:
        return None
    # Invisible characters would hide a key from the pattern. It is masked before it is cut, so that no part
    # of a key is left.
    shown = visible(text)
    masked = _LIKE_A_KEY.sub("stu_…", shown.replace(key, "stu_…") if key else shown)
    line = " ".join(masked.split())
    return (line if len(line) <= MAX_DETAIL_CHARACTERS else line[: MAX_DETAIL_CHARACTERS - 1] + "…") or None


def as_quoted(detail: str) -> str:
    """Return the detail as it is quoted at the end of a sentence, which has its own full stop."""
    return detail.removesuffix(".")


def detail_of(body: bytes | None, key: str) -> str | None:
    """Return the `error` or `message` in the JSON body of an error, sanitized, or None."""
    if body is None:
        return None
    try:
        document = json_of(body)
    except ValueError:
        return None
    if not isinstance(document, Mapping):
        return None
    fields = cast("Mapping[str, Any]", document)
    return clean(error_message(fields.get("error")) or error_message(fields.get("message")), key)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of Retry-After, from 0 to 300, or None (RFC 9110, section 10.2.3).

    A date is compared with the answer's own Date, as clocks may differ, or with `now` if it has none.
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
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
