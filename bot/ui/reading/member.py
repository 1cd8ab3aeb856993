"""What the rules of access and the limits need to know of a person and their channel."""

import discord

from bot.domain.access import MemberContext
from bot.services import Approver
from bot.ui.reading.permissions import is_manager, is_moderator, moderates_in


def member_context(interaction: discord.Interaction) -> MemberContext:
    """Return the context of the person who sent the interaction."""
    user = interaction.user
    channels = channel_ids_of(interaction.channel)
    if interaction.channel_id is not None:
        channels |= {interaction.channel_id}
    roles = roles_of(user) if isinstance(user, discord.Member) else frozenset[int]()
    return _context(interaction.permissions, roles, channels)


def approver_of(interaction: discord.Interaction) -> Approver:
    """Return the person who sent the interaction, with what decides whether they may approve."""
    context = member_context(interaction)
    return Approver(interaction.user.id, context.roles, context.manages, context.moderates)


def approver_in(interaction: discord.Interaction, channel_id: int | None) -> Approver:
    """Return the same with their permissions in that channel, or in the whole server if it is unknown."""
    context, user = member_context(interaction), interaction.user
    moderates = isinstance(user, discord.Member) and moderates_in(user, channel_id)
    return Approver(user.id, context.roles, context.manages, moderates)


def member_context_in(
    member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread | None
) -> MemberContext:
    """Return the context of a member in a channel, or in the whole server, without an interaction."""
    if channel is None:
        return _context(member.guild_permissions, roles_of(member), frozenset())
    return _context(channel.permissions_for(member), roles_of(member), channel_ids_of(channel))


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


def _context(
    permissions: discord.Permissions, roles: frozenset[int], channels: frozenset[int]
) -> MemberContext:
    return MemberContext(
        roles=roles,
        channels=channels,
        manages=is_manager(permissions),
        moderates=is_moderator(permissions),
    )
