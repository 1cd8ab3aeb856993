"""Decide from an error of Discord's whether to deliver again, later or never."""

from enum import Enum, auto
from http import HTTPStatus

import discord

from bot import posts

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


class Meaning(Enum):
    """The meaning of a failed call."""

    LATER = auto()
    NEVER = auto()
    TOO_LARGE = auto()
    WAS_DELETED = auto()  # posted before, and deleted since


def outcome_of(error: Exception) -> Meaning:
    """Decide what to do about an error that a call to Discord raised."""
    if not isinstance(error, discord.HTTPException):
        return Meaning.LATER
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE:
        return Meaning.TOO_LARGE
    if error.status == 404 and error.code == UNKNOWN_MESSAGE:
        return Meaning.WAS_DELETED
    if error.status == 403 and error.code in _NO_REFUSALS:
        return Meaning.LATER
    if error.status in {401, 408, 429} or error.status >= 500:
        return Meaning.LATER
    return Meaning.NEVER


def may_pass(error: Exception | None) -> bool:
    """Return whether the error, if there is one, is a reason to make the call again later."""
    return error is not None and outcome_of(error) is Meaning.LATER


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


def outcome_of_post(error: Exception, *, by_dm: bool, moves: bool) -> posts.Outcome:
    """Return what became of a post whose sending, edit or removal raised the error.

    `moves`: another place is tried whatever the reason is.
    """
    status = error.status if isinstance(error, discord.HTTPException) else None
    match outcome_of(error):
        case Meaning.LATER:
            unsent = status in {401, 429} or isinstance(error, discord.RateLimited)
            return posts.Later(seconds_until_retry(error), unsent=unsent)
        case Meaning.WAS_DELETED:
            return posts.Gone()
        case Meaning.NEVER | Meaning.TOO_LARGE as never:
            code = error.code if isinstance(error, discord.HTTPException) else None
            closed = code in _PLACE_GONE or (by_dm and status == 403) or (moves and never is Meaning.NEVER)
            return posts.NotHere(str(error)) if closed else posts.Never(str(error))
