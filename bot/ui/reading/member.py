"""Read what the rules of access and the limits need to know of a person and their channel."""

import discord

from bot.features.moderation import Approver
from bot.jobs.models import MemberContext
from bot.ui.reading.permissions import channel_in, is_manager, is_moderator, moderates_in


def member_context(interaction: discord.Interaction) -> MemberContext:
    """Return the context of the person who sent the interaction."""
    user = interaction.user
    channels = channel_ids_of(interaction.channel)
    if interaction.channel_id is not None:
        channels |= {interaction.channel_id}
    roles = roles_of(user) if isinstance(user, discord.Member) else frozenset[int]()
    permissions = interaction.permissions
    return MemberContext(roles, channels, is_manager(permissions), is_moderator(permissions))


def approver_of(interaction: discord.Interaction) -> Approver:
    """Return the person who sent the interaction, with what decides whether they may approve."""
    context = member_context(interaction)
    return Approver(interaction.user.id, context.roles, context.manages, context.moderates)


def approver_in(interaction: discord.Interaction, channel_id: int | None) -> Approver:
    """Return the same with their permissions in the channel for approvals.

    Where none is set any more (None), those in the whole server count.
    """
    context, user = member_context(interaction), interaction.user
    return Approver(user.id, context.roles, context.manages, _moderates_approvals(user, channel_id))


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


def _moderates_approvals(user: discord.abc.User, channel_id: int | None) -> bool:
    if not isinstance(user, discord.Member):
        return False
    if channel_id is None:
        return is_moderator(user.guild_permissions)
    return moderates_in(user, channel_in(user.guild, channel_id))
