"""The sentence of each reason that is stored of a job, and of each error that a person is shown.

What Studii's client raises keeps its sentence there, as it is also shown without having been stored.
"""

from collections.abc import Callable, Mapping

from bot.domain import KEPT_DAYS, LOST_AFTER_DAYS, UNRULED_DAYS
from bot.domain.approvals import APPROVAL_HOURS
from bot.errors import ReasonedError, StudiiBotError
from bot.media.photo import MAX_PIXELS
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

UNKNOWN_REASON = "This version of the bot doesn't know the reason."
# What may have been paid for is not to be forgotten.
_LOOK_THERE = "It may still be in the Studii account: ask the server's admins."
_ASK_FOR_IT = f"Moderators can still release it with `/jobs` for {KEPT_DAYS} days: ask one."
_NO_ROOM = "The bot has no room for another photo right now. Try again in a few minutes."
_MEGABYTE = 1_000_000


def reason_words(reason: Reason | None) -> str:
    """Return the reason's sentence, unformatted; empty if there is none.

    Codes and arguments may come from another version of the bot: what can't be worded is said to be unknown.
    """
    if reason is None:
        return ""
    words = _WORDS.get(reason.code, UNKNOWN_REASON)
    try:
        return words.format_map(reason.arguments) if isinstance(words, str) else words(reason.arguments)
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return UNKNOWN_REASON


def error_words(error: StudiiBotError) -> str:
    """Return the sentence of an error, unformatted."""
    if isinstance(error, KeyHeld):
        again = discord_timestamp(error.until)
        return f"{reason_words(error.reason)} Nothing was charged. You can try again {again}."
    return reason_words(error.told) if isinstance(error, ReasonedError) else str(error)


def _refused(refusal: Callable[[str | None], ApiRefused]) -> Words:
    return lambda arguments: str(refusal(_detail(arguments)))


def _detail(arguments: Arguments) -> str | None:
    detail = arguments.get("detail")
    return None if detail is None else str(detail)


def _studii_failed(arguments: Arguments) -> str:
    detail = _detail(arguments)
    return (
        f"Studii couldn't finish this job: {quoted(detail)}" if detail else "Studii couldn't finish this job."
    )


def _declined(arguments: Arguments) -> str:
    detail = _detail(arguments)
    return f"A moderator declined this: “{detail}”" if detail else "A moderator declined this."


def _result_declined(arguments: Arguments) -> str:
    detail = _detail(arguments)
    if detail:
        return f"A moderator looked at the result and didn't let it be posted: “{detail}”"
    return "A moderator looked at the result and didn't let it be posted."


def _too_many_pixels(arguments: Arguments) -> str:
    width, height, most = (int(arguments[name]) for name in ("width", "height", "most"))
    size = f"That picture has {width} × {height} pixels ({_megapixels(width * height)} megapixels)."
    if most < MAX_PIXELS:
        # Pictures of its kind take more memory.
        limit = f"The limit for this kind of file is {_megapixels(most)} megapixels."
        return f"{size} {limit} Save it as a JPEG, or make it smaller."
    return f"{size} The limit is {_megapixels(most)} megapixels. Make it smaller."


def _grown_too_large(arguments: Arguments) -> str:
    size, most = (float(arguments[name]) / _MEGABYTE for name in ("size", "most"))
    return (
        f"Studii doesn't take {arguments['kind']} pictures. Converted, this one is {size:,.1f} "
        f"MB, over the limit of {most:,.0f} MB. Send it as a JPEG, PNG or WebP, or make it "
        "smaller."
    )


def _not_started(arguments: Arguments) -> str:
    if arguments.get("photo"):
        return (
            "Something unexpected went wrong before anything was sent to Studii. Try again with another "
            "photo. If it happens again, tell the bot's operator."
        )
    return (
        "Something unexpected went wrong before anything was sent to Studii. Try again. "
        "If it happens again, tell the bot's operator."
    )


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1_000_000:,.1f}".removesuffix(".0")


_WORDS: Mapping[str, Words] = {
    ReasonCode.TEXT: "{text}",
    ReasonCode.NO_KEY: (
        "This server has no Studii key right now. An admin can set one with `/studii key`. This "
        "job will then continue automatically."
    ),
    ReasonCode.NO_KEY_FOR_A_DAY: (
        "This server had no Studii key for a day. Ask an admin to set one with `/studii key`, then try again."
    ),
    ReasonCode.KEY_UNREADABLE: (
        "This server's Studii key can't be read any more, because the bot's encryption key "
        "changed. An admin can enter it again with `/studii key`."
    ),
    ReasonCode.KEY_MALFORMED: MalformedKey.default,
    ReasonCode.KEY_REFUSED: _refused(lambda detail: KeyRefused(detail=detail)),
    ReasonCode.KEY_REMOVED: (f"This job's Studii key was removed before the job finished. {_LOOK_THERE}"),
    ReasonCode.OUT_OF_CREDITS: _refused(lambda detail: OutOfCredits(detail=detail)),
    ReasonCode.DECLINED: _declined,
    ReasonCode.NOT_APPROVED: (
        f"No moderator decided on this within {APPROVAL_HOURS} hours, so it wasn't started. Ask a moderator, "
        "or try again."
    ),
    ReasonCode.REQUESTER_LEFT: "This wasn't started, because its member has left the server.",
    ReasonCode.APPROVALS_GONE: (
        "This needs a moderator's approval, but I can't post in the channel for approvals. Ask an admin to "
        "set another with `/studii approval`, then try again."
    ),
    ReasonCode.BLOCKED_MEANWHILE: (
        "While this waited for approval, you were blocked from using Studii in this server, so it wasn't "
        "started. An admin can unblock you with `/studii access`."
    ),
    ReasonCode.ACCESS_CHANGED: (
        "While this waited for approval, the rules changed and no longer allow it, so it wasn't started. An "
        "admin can change them with `/studii access`."
    ),
    ReasonCode.WORDS_CHANGED: (
        "While this waited for approval, a word rule was added that doesn't allow it, so it wasn't started. "
        "Change the wording and try again, or ask a moderator."
    ),
    ReasonCode.RESULT_DECLINED: _result_declined,
    ReasonCode.RESULT_NOT_SEEN: (
        f"No moderator looked at the result within {APPROVAL_HOURS} hours, so it wasn't posted. {_ASK_FOR_IT}"
    ),
    ReasonCode.RESULT_REQUESTER_LEFT: (
        "The result wasn't posted, because the member who asked for it has left the server."
    ),
    ReasonCode.RESULT_REVIEWS_GONE: (
        "A moderator has to look at the result first, but I can't post in the channel for approvals, so it "
        f"wasn't posted. {_ASK_FOR_IT}"
    ),
    ReasonCode.RESULT_SERVER_REMOVED: (
        "The bot was removed from the server before a moderator looked at the result, so it wasn't posted."
    ),
    ReasonCode.SERVER_MISSING: (
        "For a day it wasn't clear whether the bot was still in this server, so this job wasn't started."
    ),
    ReasonCode.NO_ROOM_IN_BUDGET: (
        "This costs {price:,} credits, more than the {reserved:,} reserved, and the server's "
        "budget is too low for it. An admin can raise it with `/studii budget`."
    ),
    ReasonCode.NO_ROOM_IN_ALLOWANCE: (
        "This costs {price:,} credits, more than the {reserved:,} reserved, and your allowance is "
        "too low for it. An admin can raise it with `/studii allowance`."
    ),
    ReasonCode.UNREACHABLE: "Studii can't be reached right now. The bot will keep trying.",
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
        "That file isn't a picture that can be read. Send a JPEG, PNG, WebP or HEIC photo."
    ),
    ReasonCode.PHOTO_BUILT_ODDLY: (
        "That {kind} file isn't built like a photo, so it wasn't opened. Open it in a photo app, "
        "save it as a new JPEG, and send that."
    ),
    ReasonCode.PHOTO_BROKEN: (
        "That {kind} picture is broken or incomplete. Send it again, or use another one."
    ),
    ReasonCode.PHOTO_TOO_MANY_PIXELS: _too_many_pixels,
    ReasonCode.PHOTO_GROWN_TOO_LARGE: _grown_too_large,
    ReasonCode.PHOTO_METADATA_BROKEN: (
        "That photo's file is damaged, so its metadata can't be removed. Send it again, or use another one."
    ),
    ReasonCode.PHOTO_UNDECODABLE: (
        "This picture can't be read: it crashed the program that opens pictures twice. Use "
        "another one, or save it again as a JPEG or PNG."
    ),
    ReasonCode.PHOTO_GONE: "Discord no longer has that photo. Attach it again.",
    ReasonCode.PHOTO_NOT_FETCHED: ("The photo couldn't be fetched from Discord. Try again in a moment."),
    ReasonCode.PHOTO_LARGER_THAN_TAKEN: "That photo is over this bot's size limit. Send a smaller one.",
    ReasonCode.PHOTO_TOO_SLOW: "The photo took too long to arrive. Try again.",
    ReasonCode.PHOTO_NO_ROOM: _NO_ROOM,
    ReasonCode.PHOTO_LOST: "The photo is no longer on the bot's disk. Try again.",
    ReasonCode.NOT_STARTED: _not_started,
    ReasonCode.OUTCOME_UNKNOWN: OutcomeUnknown.default,
    ReasonCode.ANSWER_LOST: "Studii's answer to this job didn't arrive.",
    ReasonCode.RESTORED: (
        "The bot's operator restored a backup from before this job was sent, so it's not clear "
        "whether Studii has made it. It won't be sent again automatically. An admin can settle it "
        "with `/jobs`."
    ),
    ReasonCode.RUNNING_FOR_A_DAY: (
        "Studii has been working on this for more than a day. The bot checks every hour. After "
        f"{LOST_AFTER_DAYS} days the job ends, at the price that Studii has charged."
    ),
    ReasonCode.STUDII_FAILED: _studii_failed,
    ReasonCode.UNKNOWN_TO_STUDII: f"Studii doesn't know this job any more. {_LOOK_THERE}",
    ReasonCode.NEVER_ENDED: "Studii never finished this job.",
    ReasonCode.SERVER_REMOVED: (
        "The bot was removed from the server while this job was running, and the server's Studii key with it."
    ),
    ReasonCode.RULED_CHARGED: ("An admin checked: Studii made this. The picture is in the Studii account."),
    ReasonCode.RULED_RELEASED: ("An admin checked: Studii never made this. You can ask for it again."),
    ReasonCode.NOBODY_RULED: (
        f"No one settled within {UNRULED_DAYS} days whether Studii made this, so it counts as charged."
    ),
    ReasonCode.OUTPUT_WITHOUT_ADDRESS: (
        f"Studii finished this job but never said where the result is. {_LOOK_THERE}"
    ),
    ReasonCode.OUTPUT_UNSAFE_ADDRESS: (
        f"Studii finished this job, but the result's address isn't safe to open. {_LOOK_THERE}"
    ),
    ReasonCode.OUTPUT_NOT_THERE: (f"Studii made this, but the result isn't at its address. {_LOOK_THERE}"),
    ReasonCode.OUTPUT_GONE: OutputGone.default,
    ReasonCode.OUTPUT_NOT_FETCHED: ("Studii made this, but the result couldn't be fetched after many tries."),
    ReasonCode.OUTPUT_DOWNLOAD_FAILED: DownloadFailed.default,
    ReasonCode.OUTPUT_BROKEN: (
        "Studii made this, but the picture keeps arriving damaged. The link below may still open it."
    ),
    ReasonCode.OUTPUT_NO_PICTURE: "Studii's result isn't a picture or a video.",
    ReasonCode.OUTPUT_TOO_LARGE: lambda arguments: str(TooLarge(int(arguments["limit"]))),
    ReasonCode.OUTPUT_UNEXPECTED_ERROR: (
        "Studii made this, but something unexpected went wrong while fetching the result."
    ),
}
