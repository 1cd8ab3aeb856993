"""Studii's answers, checked and made safe to store and to show.

Unknown fields are ignored, and optional fields that are invalid count as missing, so that one odd field never
loses a job that was paid for.
"""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta, Struct, ValidationError

from bot.visible_text import visible

MAX_DETAIL_CHARACTERS = 300
MAX_RETRY_AFTER_SECONDS = 300.0

_LIKE_A_KEY = re.compile(r"stu_[A-Za-z0-9_\-]{6,}")
_T = TypeVar("_T", bound=Struct)
_Id = Annotated[str, Meta(pattern=r"\A[!-~]{1,200}\Z")]
_Text = Annotated[str, Meta(pattern=r"\A[^\0]+\Z")]  # what PostgreSQL stores
_Credits = Annotated[int, Meta(ge=0, le=10**9)]


class CreatedJob(Struct, frozen=True):
    """A job that Studii took (Studii API docs, Create a job). `status_url` is unchecked."""

    id: _Id
    status: _Text = "queued"
    status_url: _Text | None = None
    credits_charged: _Credits | None = None


class JobReport(Struct, frozen=True):
    """A job's status (Studii API docs, Poll status), as far as the bot reads it.

    An undocumented status is kept and means that the job still runs. `output_refused` is set by the client:
    there is an output URL, but an unsafe one.
    """

    id: _Id
    status: _Text
    output_url: _Text | None = None
    output_kind: _Text | None = None
    error: str | None = None
    credits_charged: _Credits | None = None
    output_refused: bool = msgspec.field(default=False, name="")

    def __repr__(self) -> str:
        return f"<job {self.id}: {self.status}>"  # anybody with the output's URL can fetch it

    @property
    def succeeded(self) -> bool:
        return self.status == "completed"

    @property
    def failed(self) -> bool:
        return self.status == "failed"


class UploadTarget(Struct, frozen=True):
    """The address to which to upload a source (Studii API docs, Upload a source image)."""

    object_key: Annotated[_Text, Meta(max_length=2000)]
    signed_url: _Text

    def __repr__(self) -> str:
        return f"<upload {self.object_key}>"  # anybody with the signed URL can upload


def fields_of(body: bytes | None) -> dict[str, Any]:
    """Return the fields of an answer; none if it can't be read."""
    try:
        # Half a character, as \ud800, can't be stored.
        whole = json.dumps(json.loads((body or b"").decode()), ensure_ascii=False).encode(errors="replace")
        found = json.loads(whole)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def shaped(shape: type[_T], fields: Mapping[str, Any]) -> _T | None:
    """Return the answer, or None if a required field is missing or invalid."""
    good = dict(fields)
    if isinstance(given := good.get("credits_charged"), float) and math.isfinite(given):
        good["credits_charged"] = math.ceil(given)  # so that no budget is overdrawn
    for one in msgspec.structs.fields(shape):
        try:
            good[one.encode_name] = msgspec.convert(good.pop(one.encode_name), one.type, strict=False)
        except (KeyError, ValidationError):
            continue
    with suppress(ValidationError):
        return msgspec.convert(good, shape)
    return None


def message_in(fields: Mapping[str, Any], *names: str) -> str | None:
    """Return the first message in one of the fields, which are strings or objects with one."""
    for value in map(fields.get, names):
        if isinstance(value, Mapping):
            inner = cast("Mapping[str, Any]", value)
            value = inner.get("message") or inner.get("error")
        if isinstance(value, str) and value.strip():
            return value
    return None


def clean(text: str | None, key: str) -> str | None:
    """Return one line of printable text of at most 300 characters without keys, or None if it is empty."""
    # Invisible characters would hide a key from the pattern. It is masked before it is cut, so that no part
    # of a key is left.
    line = " ".join(_LIKE_A_KEY.sub("stu_…", visible(text or "").replace(key, "stu_…")).split())
    return (line if len(line) <= MAX_DETAIL_CHARACTERS else line[: MAX_DETAIL_CHARACTERS - 1] + "…") or None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of Retry-After, from 0 to 300, or None (RFC 9110, section 10.2.3).

    A date is compared with the answer's own Date, as clocks may differ, or with `now` if it has none.
    """
    value = headers.get("Retry-After", "")
    until, start = _http_date(value), _http_date(headers.get("Date", "")) or now
    try:
        seconds = float(value) if until is None else (until - start).total_seconds()
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _http_date(value: str) -> datetime | None:
    with suppress(ValueError, IndexError, TypeError, OverflowError):
        moment = parsedate_to_datetime(value)
        return moment if moment.tzinfo is not None else None
    return None
