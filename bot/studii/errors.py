"""Errors of requests to Studii (Studii API docs, Errors), by what may be done next.

Each is a code with arguments (`told`), whose sentences are in `bot.ui.kit.reasons`: `detail` is Studii's own
message, sanitized. `reason` is a short text for the log. No error has the library's exception as its cause,
as that contains the headers with the key.
"""

from bot.errors import ReasonedError
from bot.reasons import Reason, ReasonCode


class StudiiError(ReasonedError):
    """Base of all errors of requests to Studii."""

    code = ReasonCode.STUDII_TROUBLE

    def __init__(self, *, told: Reason | None = None, reason: str | None = None) -> None:
        super().__init__(told)
        self.reason = reason


class ApiRefused(StudiiError):
    """A 4xx: Studii refused the request, and would refuse it again."""

    code = ReasonCode.API_REFUSED

    def __init__(
        self, status: int | None = None, *, told: Reason | None = None, detail: str | None = None
    ) -> None:
        said = Reason(self.code, {"detail": detail} if detail else {})
        super().__init__(told=told or said, reason=f"status {status}")


class BadInputs(ApiRefused):
    """400: a field is missing, or an input is not one that the tool takes."""

    code = ReasonCode.BAD_INPUTS


class KeyRefused(ApiRefused):
    """401: the key is missing, malformed or revoked. Also raised, unsent, for what cannot be a key."""

    code = ReasonCode.KEY_REFUSED


class OutOfCredits(ApiRefused):
    """402: out of credits or the key's spend cap is reached; the one status means both."""

    code = ReasonCode.OUT_OF_CREDITS


class PlanRefused(ApiRefused):
    """403: the account's plan does not allow this tool or this combination of inputs."""

    code = ReasonCode.PLAN_REFUSED


class JobNotFound(ApiRefused):
    """404 when polling: there is no job with that id, or it belongs to another account."""

    code = ReasonCode.JOB_NOT_FOUND


class RateLimited(StudiiError):
    """429: not taken, because the key's requests per minute are used up.

    `retry_after` is in seconds, between 0 and 300, or None if Studii did not say.
    """

    code = ReasonCode.RATE_LIMITED

    def __init__(self, retry_after: float | None) -> None:
        super().__init__(reason="status 429")
        self.retry_after = retry_after


class ApiFailed(StudiiError):
    """A 500 ("safe to retry"), or any 5xx to a request that costs nothing: it may be repeated."""

    code = ReasonCode.API_FAILED


class NotSent(StudiiError):
    """Nothing was sent, because no connection was made: DNS, refused, TLS, or a timeout."""

    code = ReasonCode.NOT_SENT


class NoAnswer(StudiiError):
    """The answer to a request that costs nothing was lost. It may be repeated."""

    code = ReasonCode.NO_ANSWER


class OutcomeUnknown(StudiiError):
    """POST /jobs was sent, but it is unknown whether Studii took the job. It must never be repeated."""

    code = ReasonCode.OUTCOME_UNKNOWN


class MalformedAnswer(StudiiError):
    """The answer to a request that costs nothing does not match the documentation."""

    code = ReasonCode.MALFORMED_ANSWER


class UploadFailed(StudiiError):
    """The file may not have arrived. A signed URL is good for one upload, so the next one needs a new URL.

    `too_large_for_any` says that no URL takes the file.
    """

    code = ReasonCode.UPLOAD_FAILED

    def __init__(self, status: int | None = None, *, reason: str | None = None) -> None:
        self.too_large_for_any = status == 413
        told = Reason(ReasonCode.UPLOAD_TOO_LARGE) if self.too_large_for_any else None
        super().__init__(told=told, reason=reason or f"status {status}")


class DownloadFailed(StudiiError):
    """The output could not be downloaded completely. It may work later."""

    code = ReasonCode.OUTPUT_DOWNLOAD_FAILED


class OutputGone(StudiiError):
    """The output's URL is not valid or has expired. Polling the job may give a new one."""

    code = ReasonCode.OUTPUT_GONE


class TooLarge(StudiiError):
    """The output is larger than `limit` bytes. Nothing of it is kept."""

    code = ReasonCode.OUTPUT_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(told=Reason(self.code, {"limit": limit}), reason=f"over {limit} bytes")
