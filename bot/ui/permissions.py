"""What the bot has to be allowed, and people too, before anything is done."""

from typing import Any

import discord

from bot.errors import Refused

MANAGERS_ONLY = "Only people with the Manage Server permission can do this."


MANAGE_THREADS = "Manage Threads"
HOW = "Edit Channel, Permissions, Studii"


def missing_to_post(permissions: discord.Permissions, channel: object, *, file: bool = True) -> list[str]:
    """The permissions, by their names in Discord's app, that a result cannot be posted there without.

    A thread that is merely archived comes back by posting; a locked one takes messages of those alone
    who manage threads. https://discord.com/developers/docs/topics/threads
    """
    if permissions.administrator:
        return []
    # What is posted in a forum stands in its threads.
    thread = isinstance(channel, discord.Thread | discord.ForumChannel)
    needed = {
        "View Channel": permissions.view_channel,
        "Send Messages in Threads": permissions.send_messages_in_threads if thread else True,
        "Send Messages": True if thread else permissions.send_messages,
        "Attach Files": permissions.attach_files or not file,
        "Read Message History": permissions.read_message_history,
        MANAGE_THREADS: permissions.manage_threads or not is_locked(channel),
    }
    return [name for name, there in needed.items() if not there]


def missing_to_offer(permissions: discord.Permissions) -> list[str]:
    """What more it takes to put emoji under photos, by the names in Discord's app."""
    if permissions.administrator or permissions.add_reactions:
        return []
    return ["Add Reactions"]


def is_locked(channel: object) -> bool:
    """Whether it is a thread that somebody locked."""
    return isinstance(channel, discord.Thread) and channel.locked


def ensure_can_post(interaction: discord.Interaction[Any]) -> int:
    """The server in which a result can be posted.

    Raises `Refused` with what the bot lacks here and who can change it.
    """
    if interaction.guild_id is None:
        raise Refused("This works in a server only.")
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    if MANAGE_THREADS in missing:
        raise Refused(
            "This thread is locked, so I could not post the result here. Nothing was charged. "
            "Use the command in another channel, or ask whoever manages this thread to unlock it.",
        )
    if missing:
        raise Refused(
            f"I could not post the result here: in this channel I lack {listed(missing)}. "
            f"Nothing was charged. Whoever manages the channel can allow it under {HOW}.",
        )
    return interaction.guild_id


def hindrance(missing: list[str]) -> str:
    """What keeps the bot from posting, and what helps; `missing` is not empty.

    A locked thread is to be unlocked: what the bot lacks for posting there is more than it needs.
    """
    lacking = [name for name in missing if name != MANAGE_THREADS]
    locked = ["the thread is locked: unlock it, or take another channel"] if MANAGE_THREADS in missing else []
    return "; ".join([*locked, *([f"I lack {listed(lacking)}: {HOW}"] if lacking else [])])


def ensure_manager(interaction: discord.Interaction[Any]) -> int:
    """The server that the person may manage; raises `Refused` if they may not."""
    if interaction.guild_id is None:
        raise Refused("This works in a server only.")
    if not (interaction.permissions.manage_guild or interaction.permissions.administrator):
        raise Refused(MANAGERS_ONLY)
    return interaction.guild_id


def may_cancel_all(interaction: discord.Interaction[Any]) -> bool:
    """Whether the person may cancel what others asked for."""
    may = interaction.permissions
    return may.manage_messages or may.manage_guild or may.administrator


def listed(names: list[str]) -> str:
    """The names as people write them in a row: `**A**, **B** and **C**`."""
    marked = [f"**{name}**" for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"
