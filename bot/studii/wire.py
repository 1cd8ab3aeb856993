"""Models of Studii's answers.

Unknown fields are ignored. Optional fields that are invalid count as missing, so that one odd field never
loses a job that was paid for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Self, TypeVar

from bot.studii.sanitize import error_message
from bot.validation import Check, Invalid, Table, json_of, table, text_of, whole

_T = TypeVar("_T")

_ID = text_of(1, 200, form="[!-~]+")
_STATUS = text_of(1)
_OBJECT_KEY = text_of(1, 2000)
_ADDRESS = text_of(1)
_CREDITS = whole(0, 10**9)


def _credits(value: object) -> int:
    """Round a fraction of a credit up, so that no budget is overdrawn."""
    return _CREDITS(ceil(value) if isinstance(value, float) and isfinite(value) else value)


def _lenient(fields: Table, name: str, check: Check[_T]) -> _T | None:
    try:
        return fields.take(name, check, None)
    except Invalid:
        return None


@dataclass(frozen=True)
class CreatedJob:
    """A job that Studii took (Studii API docs, Create a job).

    `status_url` is unchecked. `credits_charged` is None if the answer did not have it.
    """

    id: str
    status: str = "queued"
    status_url: str | None = None
    credits_charged: int | None = None

    @classmethod
    def of(cls, fields: Table) -> Self:
        """Return the answer. Raises `Invalid`."""
        return cls(
            fields.take("id", _ID),
            _lenient(fields, "status", _STATUS) or "queued",
            _lenient(fields, "status_url", text_of()),
            _lenient(fields, "credits_charged", _credits),
        )


@dataclass(frozen=True)
class JobReport:
    """A job's status (Studii API docs, Poll status), as far as the bot reads it.

    An undocumented status is kept and means that the job still runs.
    """

    id: str
    status: str
    output_url: str | None = field(default=None, repr=False)
    output_kind: str | None = None
    error: str | None = None
    credits_charged: int | None = None
    # Set by the client: there is an output URL, but an unsafe one.
    output_refused: bool = False

    @classmethod
    def of(cls, fields: Table) -> Self:
        """Return the answer. Raises `Invalid`."""
        return cls(
            fields.take("id", _ID),
            fields.take("status", _STATUS),
            _lenient(fields, "output_url", text_of()),
            _lenient(fields, "output_kind", text_of()),
            fields.take("error", error_message, None),
            _lenient(fields, "credits_charged", _credits),
        )

    @property
    def succeeded(self) -> bool:
        return self.status == "completed"

    @property
    def failed(self) -> bool:
        return self.status == "failed"


@dataclass(frozen=True)
class UploadTarget:
    """The address to which to upload a source (Studii API docs, Upload a source image).

    Anybody with the signed URL can upload.
    """

    object_key: str
    signed_url: str = field(repr=False)

    @classmethod
    def of(cls, fields: Table) -> Self:
        """Return the answer. Raises `Invalid`."""
        return cls(fields.take("object_key", _OBJECT_KEY), fields.take("signed_url", _ADDRESS))


def parse(shape: Callable[[Table], _T], body: bytes | None) -> _T | None:
    """Return the checked body, or None if it is missing or invalid."""
    if body is None:
        return None
    try:
        return shape(table(json_of(body)))
    except ValueError:
        return None
