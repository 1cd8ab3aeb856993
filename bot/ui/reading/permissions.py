"""Check what the bot and people must be allowed before anything is done, and where results may be shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.errors import NotAllowed, Refused
from bot.jobs.models import Job, MemberContext
from bot.languages import Message, and_list, gettext as _, lazy, plazy
from bot.servers.settings import GuildSettings

# Their names in Discord's app.
SEND_MESSAGES = plazy("Discord permission", "Send Messages")
SEND_IN_THREADS = plazy("Discord permission", "Send Messages in Threads")
ATTACH_FILES = plazy("Discord permission", "Attach Files")
READ_MESSAGE_HISTORY = plazy("Discord permission", "Read Message History")
MANAGE_THREADS = plazy("Discord permission", "Manage Threads")
MANAGERS_ONLY = lazy(
    "You need the {permission} permission for this.", permission=plazy("Discord permission", "Manage Server")
)
# Translators: where Discord's app keeps a channel's permissions; Studii is the bot's role.
PERMISSIONS_MENU = lazy("Edit Channel > Permissions > Studii")


def missing_to_post(permissions: discord.Permissions, channel: object, *, file: bool = True) -> list[Message]:
    """Return the permissions that the bot lacks to post a result there.

    Posting reopens an archived thread; in a locked one only those who manage threads can post. https://discord.com/developers/docs/topics/threads
    """
    # Posts in a forum are threads.
    thread = isinstance(channel, discord.Thread | discord.ForumChannel)
    locked = isinstance(channel, discord.Thread) and channel.locked
    return _lacking(
        permissions,
        (plazy("Discord permission", "View Channel"), permissions.view_channel),
        (SEND_IN_THREADS, not thread or permissions.send_messages_in_threads),
        (SEND_MESSAGES, thread or permissions.send_messages),
        (ATTACH_FILES, permissions.attach_files or not file),
        (READ_MESSAGE_HISTORY, permissions.read_message_history),
        (MANAGE_THREADS, permissions.manage_threads or not locked),
    )


def missing_for_warnings(me: discord.Member, channel: Any) -> list[Message]:
    """Return the permissions that the bot lacks to post warnings there. It need not read the channel."""
    lacking = missing_to_post(channel.permissions_for(me), channel, file=False)
    return [one for one in lacking if one != READ_MESSAGE_HISTORY]


def missing_to_offer(permissions: discord.Permissions) -> list[Message]:
    """Return the further permissions that the bot lacks to put emoji under photos."""
    return _lacking(permissions, (plazy("Discord permission", "Add Reactions"), permissions.add_reactions))


def _lacking(permissions: discord.Permissions, *needed: tuple[Message, bool]) -> list[Message]:
    return [] if permissions.administrator else [name for name, there in needed if not there]


def ensure_can_post(interaction: discord.Interaction) -> int:
    """Return the id of the server.

    Raises `Refused` if a result can't be posted here, with what the bot lacks and who can change it.
    """
    guild_id = server_of(interaction)
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    if MANAGE_THREADS in missing:
        raise Refused(
            lazy(
                "This thread is locked, so I couldn't post the result here. Use the command in another "
                "channel, or ask a moderator to unlock this thread. Nothing was charged."
            )
        )
    if missing:
        raise Refused(
            lazy(
                "I couldn't post the result here: I'm missing {permissions} in this channel. An admin can "
                "allow it under {menu}. Nothing was charged.",
                menu=PERMISSIONS_MENU,
                permissions=permission_list(missing),
            )
        )
    return guild_id


def ensure_can_post_in(channel: Any, *, warnings: bool = False) -> None:
    """Raise `NotAllowed` with what the bot lacks to post results there, or only `warnings`."""
    me = channel.guild.me
    every = missing_to_post(channel.permissions_for(me), channel)
    missing = missing_for_warnings(me, channel) if warnings else every
    if missing:
        raise NotAllowed(
            lazy(
                "I can't post in {channel}: {why}. Fix that and try again. Nothing was changed.",
                channel=channel.mention,
                why=hindrance(missing),
            )
        )


def hindrance(missing: Sequence[Message]) -> str:
    """Return why the bot can't post, and what helps, as it follows a colon. `missing` is not empty.

    For a locked thread it asks to unlock it, rather than for Manage Threads.
    """
    lacking = [name for name in missing if name != MANAGE_THREADS]
    if len(lacking) == len(missing):
        # Translators: follows a colon, as in “I can't post here: I'm missing …”.
        return _(
            "I'm missing {permissions} ({menu})", permissions=permission_list(lacking), menu=PERMISSIONS_MENU
        )
    if not lacking:
        # Translators: follows a colon, as in “I can't post here: the thread is locked …”.
        return _("the thread is locked (unlock it, or use another channel)")
    # Translators: follows a colon, as in “I can't post here: the thread is locked …”.
    return _(
        "the thread is locked (unlock it, or use another channel); I'm missing {permissions} ({menu})",
        permissions=permission_list(lacking),
        menu=PERMISSIONS_MENU,
    )


def server_of(interaction: discord.Interaction) -> int:
    """Return the id of the server that the interaction comes from.

    Raises `Refused` in a DM. A command of `/studii` needs no other check: Discord sends it only for people
    whom the server lets run it, by default those with Manage Server.
    """
    if interaction.guild_id is None:
        raise Refused(lazy("This only works in a server."))
    return interaction.guild_id


def ids_there(interaction: discord.Interaction) -> frozenset[int] | None:
    """Return the ids of the server's roles, channels and active threads, or None if they are not known."""
    guild = interaction.guild
    if guild is None:
        return None
    return frozenset(one.id for one in (*guild.roles, *guild.channels, *guild.threads))


def is_manager(permissions: discord.Permissions) -> bool:
    """Return whether these permissions include Manage Server."""
    return permissions.manage_guild or permissions.administrator


def is_moderator(permissions: discord.Permissions) -> bool:
    """Return whether a member with these permissions in a channel is a moderator there.

    Those with Manage Messages are, and those with Manage Server in every channel.
    """
    return permissions.manage_messages or is_manager(permissions)


def moderates_in(member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread | None) -> bool:
    """Return whether the member is a moderator there. `channel` is None if it is lost: see `channel_in`.

    In a lost one only those with Manage Server are: no one can tell who else was allowed to moderate it.
    """
    if channel is None:
        return is_manager(member.guild_permissions)
    return is_moderator(channel.permissions_for(member))


def manages(interaction: discord.Interaction) -> bool:
    """Return whether the person has Manage Server."""
    return is_manager(interaction.permissions)


def ensure_manager(interaction: discord.Interaction) -> int:
    """Return the id of the server. Raises `Refused` if the person does not have Manage Server in it."""
    guild_id = server_of(interaction)
    if not manages(interaction):
        raise Refused(MANAGERS_ONLY)
    return guild_id


def moderates(interaction: discord.Interaction, job: Job) -> bool:
    """Return whether the person may cancel or delete what others asked for in the job's channel.

    What counts is the channel of the job, which may not be the one of the interaction.
    """
    if manages(interaction):
        return True
    if interaction.channel_id == job.channel_id:
        return is_moderator(interaction.permissions)
    channel, person = channel_in(interaction.guild, job.channel_id), interaction.user
    return isinstance(person, discord.Member) and moderates_in(person, channel)


def is_age_restricted(channel: Any) -> bool | None:
    """Return whether the channel, or the thread's channel, is age-restricted. None if that is unknown."""
    if _parent_unknown(channel):
        return None
    is_nsfw = getattr(channel, "is_nsfw", None)
    return None if is_nsfw is None else bool(is_nsfw())


def stays_there(client: discord.Client, job: Job) -> bool:
    """Return whether nothing of the job may be shown outside of age-restricted channels.

    That is so if its channel was age-restricted when the job was accepted, or is now, or if neither is known.
    """
    guild = client.get_guild(job.guild_id)
    if guild is None or job.age_restricted:
        return True
    now = is_age_restricted(guild.get_channel_or_thread(job.channel_id))
    # For a deleted channel or an archived thread, the state when the job was accepted counts.
    return job.age_restricted is None if now is None else now


def ensure_stays_there(interaction: discord.Interaction, job: Job) -> None:
    """Raise `Refused` if the job may not be shown where the interaction comes from."""
    if not may_be_here(interaction, job):
        raise Refused(
            lazy(
                "That was made in an age-restricted channel, so I can only post the result in an "
                "age-restricted channel."
            )
        )


def may_read(interaction: discord.Interaction, job: Job) -> bool:
    """Return whether the person may be shown here what the job asked for, and its picture.

    Of other people's jobs, those that are neither private nor erased, of channels that the person reads.
    """
    if not may_be_here(interaction, job):
        return False
    if job.user_id == interaction.user.id:
        return True
    if job.private or job.scrubbed_at is not None:
        return False
    where, person = job.result_channel_id or job.channel_id, interaction.user
    channel = channel_in(interaction.guild, where)
    if channel is None or not isinstance(person, discord.Member):
        return interaction.permissions.administrator
    may = channel.permissions_for(person)
    # Who was invited to a private thread is unknown.
    closed = isinstance(channel, discord.Thread) and channel.is_private() and not may.manage_threads
    return may.view_channel and may.read_message_history and not closed


def may_be_here(interaction: discord.Interaction, job: Job) -> bool:
    """Return whether what the job is about may be shown where the interaction comes from."""
    here = is_age_restricted(interaction.channel)
    unchanged = here is None and interaction.channel_id == job.channel_id
    return bool(here) or unchanged or not stays_there(interaction.client, job)


def permission_list(names: Sequence[Message]) -> str:
    """Return the permissions as Discord's app calls them, as a list in a sentence: `**A** and **B**`."""
    return and_list([f"**{name}**" for name in names])


def channel_in(
    guild: discord.Guild | None, channel_id: int | None
) -> discord.abc.GuildChannel | discord.Thread | None:
    """Return the channel or the thread, or None if it is unknown what one may do there."""
    channel = None if guild is None else guild.get_channel_or_thread(channel_id or 0)
    return None if _parent_unknown(channel) else channel


def everyone_reads(guild: discord.Guild | None, channel_id: int | None) -> bool:
    """Return whether everyone in the server can read the channel."""
    channel = channel_in(guild, channel_id)
    if guild is None or channel is None or (isinstance(channel, discord.Thread) and channel.is_private()):
        return False
    return channel.permissions_for(guild.default_role).view_channel


def _parent_unknown(channel: object) -> bool:
    """Return whether the channel is a thread whose parent the bot doesn't know.

    The parent was deleted, or the bot may not see it. No one's permissions in such a thread can be told.
    """
    return isinstance(channel, discord.Thread) and channel.parent is None


PANEL_SECONDS = 60 * 60
LET_IN = ":let"  # ends the custom id of a button in a panel that a person without Manage Server opened


def ensure_panel_opener(interaction: discord.Interaction, *, let_in: bool) -> int:
    """Return the id of the server. Raises `Refused` unless the person may press the button of a panel.

    People with Manage Server may. Others may if they opened the panel: the button is marked with `LET_IN`,
    and its message is ours, visible to them alone and not older than an hour. The client chooses the custom
    id that it sends, but discord.py calls a button only if the message, as Discord tells of it, holds it.
    """
    guild_id = server_of(interaction)
    if manages(interaction):
        return guild_id
    message = interaction.message
    if not let_in or message is None or not _opened_by_presser(interaction, message):
        raise Refused(MANAGERS_ONLY)
    # Both times are in Discord's ids, so no clock of ours is compared with Discord's.
    age = discord.utils.snowflake_time(interaction.id) - discord.utils.snowflake_time(message.id)
    if age.total_seconds() > PANEL_SECONDS:
        raise Refused(
            lazy("This panel was open for over an hour. Run the command again. Nothing was changed.")
        )
    return guild_id


def _opened_by_presser(interaction: discord.Interaction, message: discord.Message) -> bool:
    opened_by, us = message.interaction_metadata, interaction.client.user
    return (
        message.flags.ephemeral
        and us is not None
        and message.author.id == us.id
        and (opened_by is None or opened_by.user.id == interaction.user.id)
    )


# The context of a person, for the rules of access and the limits


def member_context(interaction: discord.Interaction) -> MemberContext:
    """Return the context of the person who sent the interaction."""
    user = interaction.user
    channels = channel_ids_of(interaction.channel)
    if interaction.channel_id is not None:
        channels |= {interaction.channel_id}
    roles = roles_of(user) if isinstance(user, discord.Member) else frozenset[int]()
    permissions = interaction.permissions
    return MemberContext(roles, channels, is_manager(permissions), is_moderator(permissions), user.id)


def approver_in(interaction: discord.Interaction, channel_id: int | None) -> MemberContext:
    """Return the same with their permissions in the channel for approvals.

    Where none is set any more (None), those in the whole server count.
    """
    user, moderates = interaction.user, False
    if isinstance(user, discord.Member):
        channel = channel_in(user.guild, channel_id)
        in_server = channel_id is None and is_moderator(user.guild_permissions)
        moderates = in_server or moderates_in(user, channel)
    return replace(member_context(interaction), moderates=moderates)


def member_context_in(
    member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread | None
) -> MemberContext:
    """Return the context of a member in a channel (None if it is lost), without an interaction."""
    permissions = member.guild_permissions if channel is None else channel.permissions_for(member)
    channels = channel_ids_of(channel)
    return MemberContext(roles_of(member), channels, is_manager(permissions), moderates_in(member, channel))


async def fetched_member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    """Return the member as Discord knows them now, or None if they have left. Raises other errors of its."""
    try:
        return await guild.fetch_member(user_id)
    except discord.NotFound:
        return None


def roles_of(member: discord.Member) -> frozenset[int]:
    """Return the ids of the member's roles, with the one that everyone has."""
    return frozenset({member.guild.id, *(role.id for role in member.roles)})


def channel_ids_of(channel: object) -> frozenset[int]:
    """Return the ids of the channel and its parents: a thread's channel, a channel's category."""
    if isinstance(channel, discord.Thread):
        return frozenset({channel.id, channel.parent_id}) | channel_ids_of(channel.parent)
    if isinstance(channel, discord.abc.GuildChannel):
        return frozenset({channel.id, channel.category_id or channel.id})
    return frozenset()


# Where a result will be posted


def posting_place(
    guild: discord.Guild | None, channel: Any, member: discord.Member | discord.User, rules: GuildSettings
) -> tuple[int | None, bool]:
    """Return the channel where the result of a job from that one is to be posted, if that is another, and
    whether it gets a thread.

    Raises `Refused` if it can't be posted there, with what the bot lacks. A result stays in its channel if
    that is age-restricted, or if its member would not see the other one.
    """
    if guild is None:
        return None, False
    if rules.in_threads:
        return _in_thread(guild, channel)
    if rules.results_channel_id in {None, channel.id} or is_age_restricted(channel) is not False:
        return None, False
    there = channel_in(guild, rules.results_channel_id)
    if there is None:
        raise Refused(
            lazy(
                "The channel for results was deleted, or is an archived thread. An admin can choose another "
                "with `/studii results`. Nothing was charged."
            )
        )
    if isinstance(member, discord.Member) and not there.permissions_for(member).view_channel:
        return None, False
    missing = missing_to_post(there.permissions_for(guild.me), there)
    if missing:
        raise Refused(
            lazy(
                "I can't post in the channel for results: {reason}. Nothing was charged.",
                reason=hindrance(missing),
            )
        )
    return there.id, False


def _in_thread(guild: discord.Guild, channel: Any) -> tuple[int | None, bool]:
    if not isinstance(channel, discord.TextChannel):
        return None, False  # it is a thread, or can't have any
    may = channel.permissions_for(guild.me)
    missing = _lacking(
        may,
        (plazy("Discord permission", "Create Public Threads"), may.create_public_threads),
        (SEND_IN_THREADS, may.send_messages_in_threads),
    )
    if missing:
        raise Refused(
            lazy(
                "Results go in threads here, and I'm missing {permissions}. An admin can allow it under "
                "{menu}. Nothing was charged.",
                menu=PERMISSIONS_MENU,
                permissions=permission_list(missing),
            )
        )
    return None, True
