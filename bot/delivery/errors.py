"""Decide from an error of Discord's whether to deliver again, later or never."""

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


def may_pass(error: discord.HTTPException) -> bool:
    """Return whether the error is a reason to make the call again later."""
    if too_large(error):
        return False
    if error.status == 403:
        return error.code in _NO_REFUSALS
    return error.status in {401, 408, 429} or error.status >= 500


def too_large(error: discord.HTTPException) -> bool:
    """Return whether Discord doesn't take so much in one message."""
    return error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE


def token_expired(error: discord.HTTPException) -> bool:
    """Return whether a call with an interaction's token failed because that can't be used any more."""
    return error.status in {401, 403, 404}


def ensure_final(error: discord.HTTPException) -> None:
    """Raise the error again if it may pass, so that the whole is tried again later."""
    if may_pass(error):
        raise error


def outcome_of_post(error: Exception, *, by_dm: bool, moves: bool) -> posts.Outcome:
    """Return what became of a post whose sending, edit or removal raised the error.

    `moves`: another place is tried whatever the reason is.
    """
    if isinstance(error, discord.RateLimited):
        return posts.Later(max(RETRY_SECONDS, error.retry_after), unsent=True)
    if not isinstance(error, discord.HTTPException):
        return posts.Later(RETRY_SECONDS)
    if may_pass(error):
        pause = UNAUTHORISED_SECONDS if error.status == 401 else RETRY_SECONDS
        return posts.Later(pause, unsent=error.status in {401, 429})
    if error.status == 404 and error.code == UNKNOWN_MESSAGE:
        return posts.Gone()  # posted before, and deleted since
    closed = error.code in _PLACE_GONE or (by_dm and error.status == 403) or (moves and not too_large(error))
    return posts.NotHere(str(error)) if closed else posts.Never(str(error))
