"""The sentence of each reason that is stored of a job, and of each error that a person is shown."""

from collections.abc import Callable, Mapping

from bot.config import MEGABYTE
from bot.errors import ReasonedError, StudiiBotError
from bot.jobs.decide import KeyHeld
from bot.jobs.models import APPROVAL_HOURS, KEPT_DAYS, LOST_AFTER_DAYS, UNRULED_DAYS
from bot.languages import Message, Worded, discord_timestamp, gettext as _, lazy, nlazy, paragraph, sentences
from bot.media.photo import MAX_PIXELS
from bot.reasons import Argument, Reason, ReasonCode

Arguments = Mapping[str, Argument]
Words = Worded | Callable[[Arguments], Message]

UNKNOWN_REASON = lazy("This version of the bot doesn't know the reason.")
# What may have been paid for is not to be forgotten.
_LOOK_THERE = lazy("It may still be in the Studii account: ask the server's admins.")
_ASK_FOR_IT = nlazy(
    "Moderators can still release it with `/jobs` for a day: ask one.",
    "Moderators can still release it with `/jobs` for {count} days: ask one.",
    KEPT_DAYS,
)


def reason_words(reason: Reason | None) -> str:
    """Return the reason's sentence, unformatted; empty if there is none.

    Codes and arguments may come from another version of the bot: what can't be worded is said to be unknown.
    """
    if reason is None:
        return ""
    words = _WORDS.get(reason.code, UNKNOWN_REASON)
    try:
        if isinstance(words, Message):
            words = words.using(**reason.arguments)
        return str(words(reason.arguments) if callable(words) else words)
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return str(UNKNOWN_REASON)


def error_words(error: StudiiBotError) -> str:
    """Return the sentence of an error, unformatted."""
    if isinstance(error, KeyHeld):
        again = _("Nothing was charged. You can try again {when}.", when=discord_timestamp(error.until))
        return sentences(reason_words(error.reason), again)
    return reason_words(error.told) if isinstance(error, ReasonedError) else str(error)


def _refused(refusal: Message, remedy: Worded = "") -> Words:
    """Return the words of a request that Studii refused: with Studii's own, if it gave any."""

    def words(arguments: Arguments) -> Message:
        detail = _detail(arguments)
        said = lazy("Studii says: “{detail}”.", detail=detail.removesuffix(".")) if detail else ""
        return paragraph(refusal, said, remedy)

    return words


def _detail(arguments: Arguments) -> str | None:
    detail = arguments.get("detail")
    return None if detail is None else str(detail)


def _with_reason(bare: Message, reasoned: Message) -> Words:
    """Return the words of a decision: with the moderator's reason, if they gave one."""
    return lambda arguments: reasoned.using(reason=detail) if (detail := _detail(arguments)) else bare


def _studii_failed(arguments: Arguments) -> Message:
    detail = _detail(arguments)
    if detail:
        return lazy("Studii couldn't finish this job: “{detail}”.", detail=detail.removesuffix("."))
    return lazy("Studii couldn't finish this job.")


def _too_many_pixels(arguments: Arguments) -> Message:
    width, height, most = (int(arguments[name]) for name in ("width", "height", "most"))
    size = lazy(
        "That picture has {width} × {height} pixels ({megapixels} megapixels).",
        width=str(width),
        height=str(height),
        megapixels=_megapixels(width * height),
    )
    limit = lazy("The limit is {megapixels} megapixels. Make it smaller.")
    if most < MAX_PIXELS:  # pictures of its kind take more memory
        limit = lazy(
            "The limit for this kind of file is {megapixels} megapixels. Save it as a JPEG, or make it "
            "smaller."
        )
    return paragraph(size, limit.using(megapixels=_megapixels(most)))


def _grown_too_large(arguments: Arguments) -> Message:
    size, most = (float(arguments[name]) / MEGABYTE for name in ("size", "most"))
    return lazy(
        "Studii doesn't take {kind} pictures. Converted, this one is {size} MB, over the limit of {most} MB. "
        "Send it as a JPEG, PNG or WebP, or make it smaller.",
        kind=arguments["kind"],
        size=size,
        most=most,
    )


def _not_started(arguments: Arguments) -> Message:
    if arguments.get("photo"):
        return lazy(
            "Something unexpected went wrong before anything was sent to Studii. Try again with another "
            "photo. If it happens again, tell the bot's operator."
        )
    return lazy(
        "Something unexpected went wrong before anything was sent to Studii. Try again. "
        "If it happens again, tell the bot's operator."
    )


def _megapixels(pixels: int) -> float:
    return pixels / 1_000_000


_WORDS: Mapping[str, Words] = {
    ReasonCode.TEXT: lazy("{text}"),
    ReasonCode.NO_KEY: lazy(
        "This server has no Studii key right now. An admin can set one with `/studii setup`. This "
        "job will then continue automatically."
    ),
    ReasonCode.NO_KEY_FOR_A_DAY: lazy(
        "This server had no Studii key for a day. Ask an admin to set one with `/studii setup`, then try "
        "again."
    ),
    ReasonCode.KEY_UNREADABLE: lazy(
        "This server's Studii key can't be read any more, because the bot's encryption key "
        "changed. An admin can enter it again with `/studii setup`."
    ),
    ReasonCode.KEY_MALFORMED: lazy(
        "That isn't a Studii API key: it has spaces or characters that no key has."
    ),
    ReasonCode.KEY_REFUSED: _refused(
        lazy("Studii doesn't accept this server's API key."),
        lazy(
            "An admin can make a new key at studii.tech/app/settings/api-keys and enter it with "
            "`/studii setup`."
        ),
    ),
    ReasonCode.OUT_OF_CREDITS: _refused(
        lazy("Studii has no credits left for this."),
        lazy(
            "If the Studii account is out of credits, an admin can add some at studii.tech. If the "
            "key's spend cap is reached, an admin can raise it at studii.tech/app/settings/api-keys."
        ),
    ),
    ReasonCode.KEY_REMOVED: paragraph(
        lazy("This job's Studii key was removed before the job finished."), _LOOK_THERE
    ),
    ReasonCode.DECLINED: _with_reason(
        lazy("A moderator declined this."), lazy("A moderator declined this: “{reason}”")
    ),
    ReasonCode.NOT_APPROVED: lazy(
        "No moderator decided on this within {hours} hours, so it wasn't started. Ask a moderator, "
        "or try again.",
        hours=APPROVAL_HOURS,
    ),
    ReasonCode.REQUESTER_LEFT: lazy(
        "This wasn't started, because the member who asked for it has left the server."
    ),
    ReasonCode.APPROVALS_GONE: lazy(
        "This needs a moderator's approval, but I can't post in the channel for approvals. Ask an admin to "
        "set another with `/studii moderation`, then try again."
    ),
    ReasonCode.BLOCKED_MEANWHILE: lazy(
        "While this waited for approval, you were blocked from using Studii in this server, so it wasn't "
        "started. An admin can unblock you with `/studii moderation`."
    ),
    ReasonCode.ACCESS_CHANGED: lazy(
        "While this waited for approval, the rules changed and no longer allow it, so it wasn't started. An "
        "admin can change them with `/studii moderation`."
    ),
    ReasonCode.WORDS_CHANGED: lazy(
        "While this waited for approval, the word filter changed and no longer allows it, so it "
        "wasn't started. Change the wording and try again, or ask a moderator."
    ),
    ReasonCode.RESULT_DECLINED: _with_reason(
        lazy("A moderator declined the result."), lazy("A moderator declined the result: “{reason}”")
    ),
    ReasonCode.RESULT_NOT_SEEN: paragraph(
        lazy(
            "No moderator looked at the result within {hours} hours, so it wasn't posted.",
            hours=APPROVAL_HOURS,
        ),
        _ASK_FOR_IT,
    ),
    ReasonCode.RESULT_REQUESTER_LEFT: lazy(
        "The result wasn't posted, because the member who asked for it has left the server."
    ),
    ReasonCode.RESULT_REVIEWS_GONE: paragraph(
        lazy(
            "A moderator has to look at the result first, but I can't post in the channel for approvals, so "
            "it wasn't posted."
        ),
        _ASK_FOR_IT,
    ),
    ReasonCode.RESULT_SERVER_REMOVED: lazy(
        "The bot was removed from the server before a moderator looked at the result, so it wasn't posted."
    ),
    ReasonCode.SERVER_MISSING: lazy(
        "For a day it wasn't clear whether the bot was still in this server, so this job wasn't started."
    ),
    ReasonCode.NO_ROOM_IN_BUDGET: lazy(
        "This costs {price} credits, more than the {reserved} reserved, and the server's "
        "budget is too low for it. An admin can raise it with `/studii budget`."
    ),
    ReasonCode.NO_ROOM_IN_ALLOWANCE: lazy(
        "This costs {price} credits, more than the {reserved} reserved, and your allowance is "
        "too low for it. An admin can raise it with `/studii credits`."
    ),
    ReasonCode.UNREACHABLE: lazy("Studii can't be reached right now. The bot will keep trying."),
    ReasonCode.NOT_SENT: lazy("Studii couldn't be reached. Try again in a moment."),
    ReasonCode.NO_ANSWER: lazy("Studii didn't answer. Try again in a moment."),
    ReasonCode.MALFORMED_ANSWER: lazy("Studii's answer couldn't be understood. Try again in a moment."),
    ReasonCode.STUDII_TROUBLE: lazy(
        "Something went wrong between the bot and Studii. Try again in a moment."
    ),
    ReasonCode.RATE_LIMITED: lazy("Studii is busy with this server's other requests. Try again in a minute."),
    ReasonCode.API_FAILED: lazy("Studii had a problem. Try again in a moment."),
    ReasonCode.API_REFUSED: _refused(lazy("Studii refused this request.")),
    ReasonCode.BAD_INPUTS: _refused(
        lazy("Studii didn't accept these inputs."), lazy("Change them and try again.")
    ),
    ReasonCode.PLAN_REFUSED: _refused(
        lazy("This server's Studii plan doesn't allow this."),
        lazy("Try another tool or other settings, or ask an admin about the plan at studii.tech."),
    ),
    ReasonCode.JOB_NOT_FOUND: _refused(lazy("Studii doesn't know this job.")),
    ReasonCode.UPLOAD_FAILED: lazy("The picture couldn't be sent to Studii. Try again."),
    ReasonCode.UPLOAD_TOO_LARGE: lazy("This picture is too large for Studii. Send a smaller one."),
    ReasonCode.PHOTO_UNKNOWN_KIND: lazy(
        "That file isn't a picture that can be read. Send a JPEG, PNG, WebP or HEIC photo."
    ),
    ReasonCode.PHOTO_BUILT_ODDLY: lazy(
        "That {kind} file isn't built like a photo, so it wasn't opened. Open it in a photo app, "
        "save it as a new JPEG, and send that."
    ),
    ReasonCode.PHOTO_BROKEN: lazy(
        "That {kind} picture is broken or incomplete. Send it again, or use another one."
    ),
    ReasonCode.PHOTO_TOO_MANY_PIXELS: _too_many_pixels,
    ReasonCode.PHOTO_GROWN_TOO_LARGE: _grown_too_large,
    ReasonCode.PHOTO_METADATA_BROKEN: lazy(
        "That photo's file is damaged, so its metadata can't be removed. Send it again, or use another one."
    ),
    ReasonCode.PHOTO_UNDECODABLE: lazy(
        "This picture can't be read: it crashed the program that opens pictures twice. Use "
        "another one, or save it again as a JPEG or PNG."
    ),
    ReasonCode.PHOTO_GONE: lazy("Discord no longer has that photo. Attach it again."),
    ReasonCode.PHOTO_NOT_FETCHED: lazy("The photo couldn't be fetched from Discord. Try again in a moment."),
    ReasonCode.PHOTO_LARGER_THAN_TAKEN: lazy("That photo is over this bot's size limit. Send a smaller one."),
    ReasonCode.PHOTO_TOO_SLOW: lazy("The photo took too long to arrive. Try again."),
    ReasonCode.PHOTO_NO_ROOM: lazy(
        "The bot has no room for another photo right now. Try again in a few minutes."
    ),
    ReasonCode.PHOTO_LOST: lazy("The photo is no longer on the bot's disk. Try again."),
    ReasonCode.NOT_STARTED: _not_started,
    ReasonCode.OUTCOME_UNKNOWN: lazy(
        "Studii's answer didn't arrive, so it's not clear whether Studii has this job. It won't "
        "be sent again, so that you don't pay twice. An admin can check at studii.tech and "
        "decide."
    ),
    ReasonCode.ANSWER_LOST: lazy("Studii's answer to this job didn't arrive."),
    ReasonCode.RESTORED: lazy(
        "The bot's operator restored a backup from before this job was sent, so it's not clear "
        "whether Studii has made it. It won't be sent again automatically. An admin can settle it "
        "with `/jobs`."
    ),
    ReasonCode.RUNNING_FOR_A_DAY: lazy(
        "Studii has been working on this for more than a day. The bot checks every hour. After "
        "{days} days the job ends, at the price that Studii has charged.",
        days=LOST_AFTER_DAYS,
    ),
    ReasonCode.STUDII_FAILED: _studii_failed,
    ReasonCode.UNKNOWN_TO_STUDII: paragraph(lazy("Studii doesn't know this job any more."), _LOOK_THERE),
    ReasonCode.NEVER_ENDED: lazy("Studii never finished this job."),
    ReasonCode.SERVER_REMOVED: lazy(
        "The bot was removed from the server while this job was running, and the server's Studii key with it."
    ),
    ReasonCode.RULED_CHARGED: lazy(
        "An admin checked: Studii made this. The picture is in the Studii account."
    ),
    ReasonCode.RULED_RELEASED: lazy("An admin checked: Studii never made this. You can run it again."),
    ReasonCode.NOBODY_RULED: lazy(
        "No one settled within {days} days whether Studii made this, so it counts as charged.",
        days=UNRULED_DAYS,
    ),
    ReasonCode.OUTPUT_WITHOUT_ADDRESS: paragraph(
        lazy("Studii finished this job but never said where the result is."), _LOOK_THERE
    ),
    ReasonCode.OUTPUT_UNSAFE_ADDRESS: paragraph(
        lazy("Studii finished this job, but the result's address isn't safe to open."), _LOOK_THERE
    ),
    ReasonCode.OUTPUT_NOT_THERE: paragraph(
        lazy("Studii made this, but the result isn't at its address."), _LOOK_THERE
    ),
    ReasonCode.OUTPUT_GONE: lazy("The result is no longer at the address from Studii."),
    ReasonCode.OUTPUT_DOWNLOAD_FAILED: lazy(
        "The result is ready, but it couldn't be fetched from Studii. Try again in a moment."
    ),
    ReasonCode.OUTPUT_NOT_FETCHED: lazy(
        "Studii made this, but the result couldn't be fetched after many tries."
    ),
    ReasonCode.OUTPUT_BROKEN: lazy(
        "Studii made this, but the picture keeps arriving damaged. The link below may still open it."
    ),
    ReasonCode.OUTPUT_NO_PICTURE: lazy("Studii's result isn't a picture or a video."),
    ReasonCode.OUTPUT_TOO_LARGE: lambda arguments: lazy(
        "The result is larger than the limit of {mebibytes} MiB.",
        mebibytes=round(int(arguments["limit"]) / 2**20),
    ),
    ReasonCode.OUTPUT_UNEXPECTED_ERROR: lazy(
        "Studii made this, but something unexpected went wrong while fetching the result."
    ),
}
