"""Decide from an error of Discord's whether to deliver again, later or never."""

import logging
from enum import Enum, auto
from http import HTTPStatus

import discord

from bot import posts
from bot.jobs.delivery import Announcement, ChannelGone, Posted, TryLater, Undeliverable

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
REQUEST_TOO_LARGE = 40005
# Said with a 403: trouble of Discord's own; and 0, as its refusals have a code and the page of what stands in
# front of it has none.
_NO_REFUSALS = frozenset({40333, 0})
# The channel, or the server, is gone or closed to the bot; 50083 is an archived thread.
_PLACE_GONE = frozenset({10003, 10004, 50001, 50013, 50083})
RETRY_SECONDS = 15.0
UNAUTHORISED_SECONDS = 60.0


class Outcome(Enum):
    """The meaning of a failed call."""

    LATER = auto()
    NEVER = auto()
    TOO_LARGE = auto()
    WAS_DELETED = auto()  # posted before, and deleted since


def outcome_of(error: Exception) -> Outcome:
    """Decide what to do about an error that a call to Discord raised."""
    if not isinstance(error, discord.HTTPException):
        return Outcome.LATER
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE:
        return Outcome.TOO_LARGE
    if error.status == 404 and error.code == UNKNOWN_MESSAGE:
        return Outcome.WAS_DELETED
    if error.status == 403 and error.code in _NO_REFUSALS:
        return Outcome.LATER
    if error.status in {401, 408, 429} or error.status >= 500:
        return Outcome.LATER
    return Outcome.NEVER


def may_pass(error: Exception | None) -> bool:
    """Return whether the error, if there is one, is a reason to make the call again later."""
    return error is not None and outcome_of(error) is Outcome.LATER


def token_expired(error: discord.HTTPException) -> bool:
    """Return whether a call with an interaction's token failed because that can't be used any more."""
    return error.status in {401, 403, 404}


def ensure_final(error: discord.HTTPException) -> None:
    """Raise the error again if it may pass, so that the whole is tried again later."""
    if may_pass(error):
        raise error


def seconds_until_retry(error: Exception) -> float:
    """Return how long to leave Discord alone after an error that may pass."""
    if isinstance(error, discord.RateLimited):
        return max(RETRY_SECONDS, error.retry_after)
    if isinstance(error, discord.HTTPException) and error.status == 401:
        return UNAUTHORISED_SECONDS
    return RETRY_SECONDS


def seconds_until_again(error: Exception | None, what: str, *values: object) -> float | None:
    """Return after how long to make a call again that raised the error, or None if it isn't made again.

    An error that won't pass is logged as `what`, in the style of a log call.
    """
    if error is None:
        return None
    if may_pass(error):
        return seconds_until_retry(error)
    _log.info(f"{what}: %r", *values, error)
    return None


def outcome_to_tell(error: Exception) -> Announcement:
    """Return what became of a message that isn't about a job's end, whose sending raised the error."""
    match outcome_of(error):
        case Outcome.LATER:
            return TryLater(seconds_until_retry(error))
        case Outcome.WAS_DELETED:
            return Posted(None)
        case Outcome.NEVER | Outcome.TOO_LARGE:
            return Undeliverable(str(error))


def outcome_there(error: Exception) -> Announcement | ChannelGone:
    """Return what became of a message for a channel that admins have chosen, which may be gone."""
    gone = isinstance(error, discord.HTTPException) and error.code in _PLACE_GONE
    return ChannelGone(str(error)) if gone else outcome_to_tell(error)


def outcome_of_post(error: Exception, *, by_dm: bool, moves: bool) -> posts.Outcome:
    """Return what became of a post whose sending, edit or removal raised the error.

    `moves`: another place is tried whatever the reason is.
    """
    status = error.status if isinstance(error, discord.HTTPException) else None
    match outcome_of(error):
        case Outcome.LATER:
            unsent = status in {401, 429} or isinstance(error, discord.RateLimited)
            return posts.Later(seconds_until_retry(error), unsent=unsent)
        case Outcome.WAS_DELETED:
            return posts.Gone()
        case Outcome.NEVER | Outcome.TOO_LARGE as never:
            code = error.code if isinstance(error, discord.HTTPException) else None
            closed = code in _PLACE_GONE or (by_dm and status == 403) or (moves and never is Outcome.NEVER)
            return posts.NotHere(str(error)) if closed else posts.Never(str(error))
