"""Models of Studii's answers.

Unknown fields are ignored. Optional fields that are invalid count as missing, so that one odd field never
loses a job that was paid for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WrapValidator

from bot.studii.sanitize import words_of

_T = TypeVar("_T")


def _lenient(value: Any, parse: Callable[[Any], Any]) -> Any:
    try:
        return parse(value)
    except ValidationError:
        return None


def _whole(value: Any) -> Any:
    """Round a fraction of a credit up, so that no budget is overdrawn."""
    return ceil(value) if isinstance(value, float) and isfinite(value) else value


_Lenient = WrapValidator(_lenient)
_Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
_Text = Annotated[str | None, _Lenient]
_Credits = Annotated[Annotated[int, BeforeValidator(_whole), Field(ge=0, le=10**9)] | None, _Lenient]


def _queued_if_unreadable(value: Any) -> Any:
    return value if isinstance(value, str) and value else "queued"


@dataclass(frozen=True)
class CreatedJob:
    """A job that Studii took (Studii API docs, Create a job).

    `status_url` is unchecked. `credits_charged` is None if the answer did not have it.
    """

    id: _Id
    status: Annotated[str, BeforeValidator(_queued_if_unreadable)] = "queued"
    status_url: _Text = None
    credits_charged: _Credits = None


@dataclass(frozen=True)
class JobReport:
    """A job's status (Studii API docs, Poll status), as far as the bot reads it.

    An undocumented status is kept and means that the job still runs.
    """

    id: _Id
    status: Annotated[str, Field(min_length=1)]
    output_url: _Text = field(default=None, repr=False)
    output_kind: _Text = None
    error: Annotated[str | None, BeforeValidator(words_of)] = None
    credits_charged: _Credits = None
    # Set by the client: there is an output URL, but an unsafe one.
    output_refused: Annotated[bool, _Lenient] = False

    @property
    def succeeded(self) -> bool:
        return self.status == "completed"

    @property
    def failed(self) -> bool:
        return self.status == "failed"


@dataclass(frozen=True)
class UploadTarget:
    """Where to upload a source (Studii API docs, Upload a source image).

    Anybody with the signed URL can upload.
    """

    object_key: Annotated[str, Field(min_length=1, max_length=2000)]
    signed_url: Annotated[str, Field(min_length=1)] = field(repr=False)


CREATED_JOB = TypeAdapter(CreatedJob)
JOB_REPORT = TypeAdapter(JobReport)
UPLOAD_TARGET = TypeAdapter(UploadTarget)


def parse(shape: TypeAdapter[_T], body: bytes | None) -> _T | None:
    """Return the validated body, or None if it is missing or invalid."""
    if body is None:
        return None
    try:
        return shape.validate_json(body)
    except ValidationError:
        return None
