"""The sentence of each reason that is stored of a job, and of each error that a person is shown.

What Studii's client raises keeps its sentence there, as it is also shown without having been stored.
"""

from collections.abc import Callable, Mapping

from bot.errors import ReasonedError, StudiiBotError
from bot.reasons import Argument, Reason, ReasonCode
from bot.services import KeyHeld, discord_timestamp
from bot.studii import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    DownloadFailed,
    JobNotFound,
    KeyRefused,
    MalformedAnswer,
    MalformedKey,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    OutputGone,
    PlanRefused,
    RateLimited,
    StudiiError,
    TooLarge,
    UploadFailed,
    quoted,
)

Arguments = Mapping[str, Argument]
Words = str | Callable[[Arguments], str]

UNKNOWN = "The reason is one that this version of the bot does not know."
# What may have been paid for is not to be forgotten.
_LOOK_THERE = "It may still be in the Studii account: ask the server's admins."
_NO_ROOM = "The bot has no room for another photo at the moment. Please try again in a few minutes."
_MEGABYTE = 1_000_000


def reason_words(reason: Reason | None) -> str:
    """Return the reason's sentence, unformatted; empty if there is none.

    Codes and arguments may come from another version of the bot: what can't be worded is said to be unknown.
    """
    if reason is None:
        return ""
    words = _WORDS.get(reason.code, UNKNOWN)
    try:
        return words.format_map(reason.arguments) if isinstance(words, str) else words(reason.arguments)
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return UNKNOWN


def error_words(error: StudiiBotError) -> str:
    """Return the sentence of an error, unformatted."""
    if isinstance(error, KeyHeld):
        again = discord_timestamp(error.until)
        return f"{reason_words(error.reason)} Nothing was charged. It can be tried again {again}."
    return reason_words(error.told) if isinstance(error, ReasonedError) else str(error)


def _refused(refusal: Callable[[str | None], ApiRefused]) -> Words:
    return lambda arguments: str(refusal(_detail(arguments)))


def _detail(arguments: Arguments) -> str | None:
    detail = arguments.get("detail")
    return None if detail is None else str(detail)


def _studii_failed(arguments: Arguments) -> str:
    detail = _detail(arguments)
    return (
        f"Studii could not finish this job: {quoted(detail)}"
        if detail
        else "Studii could not finish this job."
    )


def _too_many_pixels(arguments: Arguments) -> str:
    width, height, most = (int(arguments[name]) for name in ("width", "height", "most"))
    return (
        f"That picture has {width} × {height} pixels ({_megapixels(width * height)} megapixels). "
        f"At most {_megapixels(most)} megapixels are possible: please use a smaller one."
    )


def _grown_too_large(arguments: Arguments) -> str:
    size, most = (float(arguments[name]) / _MEGABYTE for name in ("size", "most"))
    return (
        f"Studii doesn't take {arguments['kind']} pictures, and converted this one has {size:,.1f} MB; "
        f"this bot takes up to {most:,.0f} MB. Send it as a JPEG, a PNG or a WebP, or make it smaller."
    )


def _not_started(arguments: Arguments) -> str:
    with_what = " with another photo" if arguments.get("photo") else ""
    return (
        "Something that nobody foresaw stood in the way before anything was sent to Studii. "
        f"Please try again{with_what}; if it stays like this, tell whoever hosts this bot."
    )


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1_000_000:,.1f}".removesuffix(".0")


_WORDS: Mapping[str, Words] = {
    ReasonCode.TEXT: "{text}",
    ReasonCode.NO_KEY: (
        "This server has no Studii key at the moment. An admin can set one with `/studii key`; "
        "this job then goes on by itself."
    ),
    ReasonCode.NO_KEY_FOR_A_DAY: (
        "This server had no Studii key for a day. An admin can set one with `/studii key`; then try again."
    ),
    ReasonCode.KEY_UNREADABLE: (
        "This server's Studii key can't be read any more, because the bot's encryption key has changed. "
        "An admin can set it again with `/studii key`."
    ),
    ReasonCode.KEY_MALFORMED: MalformedKey.default,
    ReasonCode.KEY_REFUSED: _refused(lambda detail: KeyRefused(detail=detail)),
    ReasonCode.KEY_REMOVED: (
        f"The key that this was made with was taken out before Studii had finished. {_LOOK_THERE}"
    ),
    ReasonCode.OUT_OF_CREDITS: _refused(lambda detail: OutOfCredits(detail=detail)),
    ReasonCode.SERVER_MISSING: (
        "For a day it was not clear whether the bot was still in this server, so this was not started."
    ),
    ReasonCode.NO_ROOM_IN_BUDGET: (
        "This costs {price:,} credits, more than the {reserved:,} that were reserved, and the server's "
        "budget has no room for it. An admin can raise it with `/studii budget`."
    ),
    ReasonCode.NO_ROOM_IN_ALLOWANCE: (
        "This costs {price:,} credits, more than the {reserved:,} that were reserved, and your allowance has "
        "no room for it. An admin can raise it with `/studii allowance`."
    ),
    ReasonCode.UNREACHABLE: "Studii can't be reached at the moment. It is tried again by itself.",
    ReasonCode.NOT_SENT: NotSent.default,
    ReasonCode.NO_ANSWER: NoAnswer.default,
    ReasonCode.MALFORMED_ANSWER: MalformedAnswer.default,
    ReasonCode.STUDII_TROUBLE: StudiiError.default,
    ReasonCode.RATE_LIMITED: RateLimited.default,
    ReasonCode.API_FAILED: ApiFailed.default,
    ReasonCode.API_REFUSED: _refused(lambda detail: ApiRefused(0, detail=detail)),
    ReasonCode.BAD_INPUTS: _refused(lambda detail: BadInputs(detail=detail)),
    ReasonCode.PLAN_REFUSED: _refused(lambda detail: PlanRefused(detail=detail)),
    ReasonCode.JOB_NOT_FOUND: _refused(lambda detail: JobNotFound(detail=detail)),
    ReasonCode.UPLOAD_FAILED: UploadFailed.default,
    ReasonCode.UPLOAD_TOO_LARGE: UploadFailed.too_large,
    ReasonCode.PHOTO_UNKNOWN_KIND: (
        "That file is not a picture that can be read. Please use a JPEG, PNG, WebP or HEIC photo."
    ),
    ReasonCode.PHOTO_BUILT_ODDLY: (
        "That {kind} file is not built like a photo, so it was not opened. "
        "Please open it in a photo app, save it as a new JPEG, and use that."
    ),
    ReasonCode.PHOTO_BROKEN: (
        "That {kind} picture is broken or incomplete. Please send it again, or use another one."
    ),
    ReasonCode.PHOTO_TOO_MANY_PIXELS: _too_many_pixels,
    ReasonCode.PHOTO_GROWN_TOO_LARGE: _grown_too_large,
    ReasonCode.PHOTO_METADATA_BROKEN: (
        "That photo's file is damaged, so its metadata can't be removed. Send it again, or use another one."
    ),
    ReasonCode.PHOTO_UNDECODABLE: (
        "This picture can't be read: it stopped the program that opens pictures, twice. "
        "Please use another one, or save it anew as a JPEG or PNG."
    ),
    ReasonCode.PHOTO_GONE: "Discord no longer has that photo. Please attach it again.",
    ReasonCode.PHOTO_NOT_FETCHED: (
        "The photo could not be fetched from Discord. Please try again in a moment."
    ),
    ReasonCode.PHOTO_LARGER_THAN_TAKEN: "That photo is larger than this bot takes. Send a smaller one.",
    ReasonCode.PHOTO_TOO_SLOW: "The photo took too long to arrive. Please try again.",
    ReasonCode.PHOTO_NO_ROOM: _NO_ROOM,
    ReasonCode.PHOTO_LOST: "The photo is no longer on the bot's disk. Please try again.",
    ReasonCode.NOT_STARTED: _not_started,
    ReasonCode.OUTCOME_UNKNOWN: OutcomeUnknown.default,
    ReasonCode.ANSWER_LOST: "Studii's answer to its submission got lost.",
    ReasonCode.RESTORED: (
        "A backup was taken back, made while this was waiting, so nobody knows whether Studii has made it "
        "since. It is not sent by itself; the server's admins can settle it with `/jobs`."
    ),
    ReasonCode.RUNNING_FOR_A_DAY: (
        "Studii has been at this for more than a day. It is looked at every hour, and ends after seven days, "
        "at what Studii has charged for it."
    ),
    ReasonCode.STUDII_FAILED: _studii_failed,
    ReasonCode.UNKNOWN_TO_STUDII: f"Studii says that it does not know this job any more. {_LOOK_THERE}",
    ReasonCode.NEVER_ENDED: "Studii never finished this job.",
    ReasonCode.SERVER_REMOVED: (
        "The bot was removed from the server while this was being made, and with it the server's Studii key."
    ),
    ReasonCode.RULED_CHARGED: (
        "An admin looked it up: Studii had made this. The picture can be found in the Studii account."
    ),
    ReasonCode.RULED_RELEASED: ("An admin looked it up: Studii never made this. You can ask for it again."),
    ReasonCode.NOBODY_RULED: (
        "Nobody settled within 30 days whether Studii had made this, so it counts as charged."
    ),
    ReasonCode.OUTPUT_WITHOUT_ADDRESS: (
        f"Studii finished this job but never said where its result is. {_LOOK_THERE}"
    ),
    ReasonCode.OUTPUT_UNSAFE_ADDRESS: (
        f"Studii finished this job, but I don't open addresses like the one of its result. {_LOOK_THERE}"
    ),
    ReasonCode.OUTPUT_NOT_THERE: (
        f"Studii made this, but its result is not where Studii says it is. {_LOOK_THERE}"
    ),
    ReasonCode.OUTPUT_GONE: OutputGone.default,
    ReasonCode.OUTPUT_NOT_FETCHED: (
        "Studii made this, but its result could not be fetched from there, however often it was tried."
    ),
    ReasonCode.OUTPUT_DOWNLOAD_FAILED: DownloadFailed.default,
    ReasonCode.OUTPUT_BROKEN: (
        "Studii made this, but the picture arrives damaged each time. The link below may still open it."
    ),
    ReasonCode.OUTPUT_NO_PICTURE: "What Studii gave as the result is neither a picture nor a video.",
    ReasonCode.OUTPUT_TOO_LARGE: lambda arguments: str(TooLarge(int(arguments["limit"]))),
    ReasonCode.OUTPUT_UNEXPECTED_ERROR: (
        "Studii made this, but fetching its result failed for a reason that nobody foresaw."
    ),
}
