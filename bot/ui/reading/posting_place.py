"""Decide where a job's result will be posted, before anything is spent."""

from dataclasses import dataclass
from typing import Any

import discord

from bot.errors import Refused
from bot.features.posting import PostingRules
from bot.languages import lazy
from bot.ui.reading.permissions import (
    CREATE_PUBLIC_THREADS,
    PERMISSIONS_MENU,
    SEND_IN_THREADS,
    channel_in,
    hindrance,
    is_age_restricted,
    missing_to_post,
    permission_list,
)


@dataclass(frozen=True, slots=True)
class PostingPlace:
    """The place where a result is to be posted, if not in the channel that it is asked for in."""

    channel_id: int | None = None
    in_thread: bool = False


HERE = PostingPlace()


def posting_place(
    guild: discord.Guild | None, channel: Any, member: discord.Member | discord.User, rules: PostingRules
) -> PostingPlace:
    """Return where the result of a job from that channel is to be posted.

    Raises `Refused` if it can't be posted there, with what the bot lacks. A result stays in its channel if
    that is age-restricted, or if its member would not see the other one.
    """
    if guild is None:
        return HERE
    if rules.in_threads:
        return _in_thread(guild, channel)
    if rules.results_channel_id in {None, channel.id} or is_age_restricted(channel) is not False:
        return HERE
    there = channel_in(guild, rules.results_channel_id)
    if there is None:
        raise Refused(
            lazy(
                "The channel for results was deleted, or is an archived thread. An admin can choose another "
                "with `/studii results`. Nothing was charged."
            )
        )
    if isinstance(member, discord.Member) and not there.permissions_for(member).view_channel:
        return HERE
    missing = missing_to_post(there.permissions_for(guild.me), there)
    if missing:
        raise Refused(
            lazy(
                "I can't post in the channel for results: {reason}. Nothing was charged.",
                reason=hindrance(missing),
            )
        )
    return PostingPlace(there.id)


def _in_thread(guild: discord.Guild, channel: Any) -> PostingPlace:
    if not isinstance(channel, discord.TextChannel):
        return HERE  # it is a thread, or can't have any
    missing = missing_for_threads(channel.permissions_for(guild.me))
    if missing:
        raise Refused(
            lazy(
                "Results go in threads here, and I'm missing {permissions}. An admin can allow it under "
                "{menu}. Nothing was charged.",
                menu=PERMISSIONS_MENU,
                permissions=permission_list(missing),
            )
        )
    return PostingPlace(in_thread=True)


def missing_for_threads(permissions: discord.Permissions) -> list[str]:
    """Return the permissions that the bot lacks to post results in threads of a channel."""
    if permissions.administrator:
        return []
    needed = {
        CREATE_PUBLIC_THREADS.one: permissions.create_public_threads,
        SEND_IN_THREADS.one: permissions.send_messages_in_threads,
    }
    return [name for name, there in needed.items() if not there]
