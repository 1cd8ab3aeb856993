"""What of a person, and of where they are, counts for access and limits."""

from typing import Any

import discord

from bot.domain.policy import Standing


def standing_of(interaction: discord.Interaction[Any]) -> Standing:
    """Of whoever sent the interaction, where they sent it."""
    user = interaction.user
    places = places_of(interaction.channel)
    if interaction.channel_id is not None:
        places |= {interaction.channel_id}
    roles = roles_of(user) if isinstance(user, discord.Member) else frozenset[int]()
    return _standing(interaction.permissions, roles, places)


def standing_in(member: discord.Member, channel: discord.abc.GuildChannel | discord.Thread) -> Standing:
    """Of a member in a channel, where no interaction tells of them."""
    return _standing(channel.permissions_for(member), roles_of(member), places_of(channel))


def roles_of(member: discord.Member) -> frozenset[int]:
    """The member's roles, with the one that everyone has."""
    return frozenset({member.guild.id, *(role.id for role in member.roles)})


def places_of(channel: object) -> frozenset[int]:
    """The channel and what it lies in: a thread's channel, a channel's category."""
    if isinstance(channel, discord.Thread):
        return frozenset({channel.id, channel.parent_id}) | places_of(channel.parent)
    if isinstance(channel, discord.abc.GuildChannel):
        return frozenset({channel.id, channel.category_id or channel.id})
    return frozenset()


def _standing(permissions: discord.Permissions, roles: frozenset[int], places: frozenset[int]) -> Standing:
    return Standing(
        roles=roles,
        places=places,
        manages=permissions.manage_guild or permissions.administrator,
        moderates=permissions.manage_messages or permissions.administrator,
    )
