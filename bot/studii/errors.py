"""Errors of requests to Studii (Studii API docs, Errors), by what may be done next.

`str(error)` may be shown to a member. `detail` is Studii's own message, sanitized; `reason` is a short text
for the log. No error has the library's exception as its cause, as that contains the headers with the key.
"""

from http import HTTPStatus
from typing import ClassVar

from bot.errors import StudiiBotError
from bot.languages import Message, Worded, lazy, paragraph
from bot.reasons import Reason, ReasonCode
from bot.studii.sanitize import as_quoted


class StudiiError(StudiiBotError):
    """Base of all errors of requests to Studii."""

    told_as: ClassVar[ReasonCode] = ReasonCode.STUDII_TROUBLE
    default = lazy("Something went wrong between the bot and Studii. Try again in a moment.")

    def __init__(
        self, message: Worded | None = None, *, detail: str | None = None, reason: str | None = None
    ) -> None:
        super().__init__(message)
        self.detail = detail
        self.reason = reason

    @property
    def told(self) -> Reason:
        """Return what is stored of the error; its words are this error's own."""
        return Reason(self.told_as)


class ApiRefused(StudiiError):
    """A 4xx: Studii refused the request, and would refuse it again."""

    told_as = ReasonCode.API_REFUSED
    default = lazy("Studii refused this request.")
    remedy: ClassVar[Worded] = ""

    def __init__(self, status: int, *, detail: str | None = None) -> None:
        super().__init__(self._sentence(detail), detail=detail, reason=f"status {status}")
        self.status = status

    @property
    def told(self) -> Reason:
        return Reason(self.told_as, {"detail": self.detail} if self.detail else {})

    @classmethod
    def _sentence(cls, detail: str | None) -> Message:
        said = lazy("Studii says: “{detail}”.", detail=as_quoted(detail)) if detail else ""
        return paragraph(cls.default, said, cls.remedy)


class _Documented(ApiRefused):
    """A refusal with a documented status."""

    code: ClassVar[int]

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__(self.code, detail=detail)


class BadInputs(_Documented):
    """400: a field is missing, or an input is not one that the tool takes."""

    told_as = ReasonCode.BAD_INPUTS
    code = 400
    default = lazy("Studii didn't accept these inputs.")
    remedy = lazy("Change them and try again.")


class KeyRefused(_Documented):
    """401: the key is missing, malformed or revoked. Also raised, unsent, for what cannot be a key."""

    told_as = ReasonCode.KEY_REFUSED
    code = 401
    default = lazy("Studii doesn't accept this server's API key.")
    remedy = lazy(
        "An admin can make a new key at studii.tech/app/settings/api-keys and enter it with `/studii key`."
    )


class MalformedKey(KeyRefused):
    """The text can't be a key, so nothing is sent."""

    told_as = ReasonCode.KEY_MALFORMED
    default = lazy("That isn't a Studii API key: it has spaces or characters that no key has.")
    remedy = ""


class OutOfCredits(_Documented):
    """402: out of credits or the key's spend cap is reached; the one status means both."""

    told_as = ReasonCode.OUT_OF_CREDITS
    code = 402
    default = lazy("Studii has no credits left for this.")
    remedy = lazy(
        "If the Studii account is out of credits, an admin can add some at studii.tech. If the "
        "key's spend cap is reached, an admin can raise it at studii.tech/app/settings/api-keys."
    )


class PlanRefused(_Documented):
    """403: the account's plan does not allow this tool or this combination of inputs."""

    told_as = ReasonCode.PLAN_REFUSED
    code = 403
    default = lazy("This server's Studii plan doesn't allow this.")
    remedy = lazy("Try another tool or other settings, or ask an admin about the plan at studii.tech.")


class JobNotFound(_Documented):
    """404 when polling: there is no job with that id, or it belongs to another account."""

    told_as = ReasonCode.JOB_NOT_FOUND
    code = 404
    default = lazy("Studii doesn't know this job.")


class RateLimited(StudiiError):
    """429: not taken, because the key's requests per minute are used up.

    `retry_after` is in seconds, between 0 and 300, or None if Studii did not say.
    """

    told_as = ReasonCode.RATE_LIMITED
    default = lazy("Studii is busy with this server's other requests. Try again in a minute.")

    def __init__(self, retry_after: float | None, *, detail: str | None = None) -> None:
        super().__init__(detail=detail, reason="status 429")
        self.retry_after = retry_after


class ApiFailed(StudiiError):
    """A 500 ("safe to retry"), or any 5xx to a request that costs nothing: it may be repeated."""

    told_as = ReasonCode.API_FAILED
    default = lazy("Studii had a problem. Try again in a moment.")

    def __init__(self, status: int, *, detail: str | None) -> None:
        super().__init__(detail=detail, reason=f"status {status}")
        self.status = status


class NotSent(StudiiError):
    """Nothing was sent, because no connection was made: DNS, refused, TLS, or a timeout."""

    told_as = ReasonCode.NOT_SENT
    default = lazy("Studii couldn't be reached. Try again in a moment.")


class NoAnswer(StudiiError):
    """The answer to a request that costs nothing was lost. It may be repeated."""

    told_as = ReasonCode.NO_ANSWER
    default = lazy("Studii didn't answer. Try again in a moment.")


class OutcomeUnknown(StudiiError):
    """POST /jobs was sent, but it is unknown whether Studii took the job. It must never be repeated."""

    told_as = ReasonCode.OUTCOME_UNKNOWN
    default = lazy(
        "Studii's answer didn't arrive, so it's not clear whether Studii has this job. It won't "
        "be sent again, so that you don't pay twice. An admin can check at studii.tech and "
        "decide."
    )


class MalformedAnswer(StudiiError):
    """The answer to a request that costs nothing does not match the documentation."""

    told_as = ReasonCode.MALFORMED_ANSWER
    default = lazy("Studii's answer couldn't be understood. Try again in a moment.")


class UploadFailed(StudiiError):
    """The file may not have arrived. A signed URL is good for one upload, so the next one needs a new URL.

    `status` is the storage's answer, if there was one. `too_large_for_any` says that no URL takes the file.
    """

    told_as = ReasonCode.UPLOAD_FAILED
    default = lazy("The picture couldn't be sent to Studii. Try again.")
    too_large: ClassVar[Worded] = lazy("This picture is too large for Studii. Send a smaller one.")

    def __init__(self, status: int | None = None, *, reason: str | None = None) -> None:
        self.too_large_for_any = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        why = reason or f"status {status}"  # Untranslated: for the log
        super().__init__(self.too_large if self.too_large_for_any else None, reason=why)
        self.status = status

    @property
    def told(self) -> Reason:
        return Reason(ReasonCode.UPLOAD_TOO_LARGE if self.too_large_for_any else self.told_as)


class DownloadFailed(StudiiError):
    """The output could not be downloaded completely, after several attempts. It may work later."""

    told_as = ReasonCode.OUTPUT_DOWNLOAD_FAILED
    default = lazy("The result is ready, but it couldn't be fetched from Studii. Try again in a moment.")


class OutputGone(StudiiError):
    """The output's URL is not valid or has expired. Polling the job may give a new one."""

    told_as = ReasonCode.OUTPUT_GONE
    default = lazy("The result is no longer at the address from Studii.")


class TooLarge(StudiiError):
    """The output is larger than `limit` bytes. Nothing of it is kept."""

    told_as = ReasonCode.OUTPUT_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(
            lazy("The result is larger than the limit of {mebibytes} MiB.", mebibytes=round(limit / 2**20)),
            reason=f"over {limit} bytes",
        )
        self.limit = limit

    @property
    def told(self) -> Reason:
        return Reason(self.told_as, {"limit": self.limit})
