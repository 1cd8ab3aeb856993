"""Servers, channels and members, and what each member may do where.

https://discord.com/developers/docs/topics/permissions
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

APPLICATION_ID = 7001
OPERATOR_ID = 7002
OWNER_ID = 7003
MIB = 1024 * 1024

ADMINISTRATOR, MANAGE_GUILD, ADD_REACTIONS, VIEW, SEND = 1 << 3, 1 << 5, 1 << 6, 1 << 10, 1 << 11
MANAGE_MESSAGES, ATTACH, HISTORY, USE_COMMANDS = 1 << 13, 1 << 15, 1 << 16, 1 << 31
MANAGE_THREADS, PUBLIC_THREADS, SEND_IN_THREADS = 1 << 34, 1 << 35, 1 << 38
EVERYTHING = (1 << 53) - 1
READ_AND_WRITE = VIEW | SEND | ATTACH | HISTORY
EVERYONE_PERMISSIONS = READ_AND_WRITE | ADD_REACTIONS | USE_COMMANDS | PUBLIC_THREADS | SEND_IN_THREADS

TEXT, DM, PUBLIC_THREAD = 0, 1, 11
BOT: dict[str, Any] = {
    "id": str(APPLICATION_ID),
    "username": "Studii",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "bot": True,
}


USER_NAMES: dict[int, str] = {}  # of people who have one, by id; users are the same in every server


def person(user_id: int) -> dict[str, Any]:
    """Return a user of that id, who is a person."""
    shown = USER_NAMES.get(user_id)
    username = f"member{user_id}" if shown is None else shown.lower()
    name = {"username": username, "discriminator": "0", "global_name": shown, "avatar": None}
    return {"id": str(user_id), **name, "bot": False}


@dataclass
class Overwrite:
    """What a channel changes for a role or a member."""

    id: int
    allow: int = 0
    deny: int = 0
    member: bool = False


@dataclass
class Channel:
    """A channel, a thread (which has a `parent_id`) or direct messages (which have a `recipient`).

    `closed`: the recipient takes no direct messages.
    """

    id: int
    guild_id: int | None
    name: str = "general"
    kind: int = TEXT
    topic: str | None = None
    parent_id: int | None = None
    recipient: int | None = None
    overwrites: list[Overwrite] = field(default_factory=list[Overwrite])
    nsfw: bool = False
    archived: bool = False
    locked: bool = False
    closed: bool = False

    @property
    def is_thread(self) -> bool:
        return self.kind == PUBLIC_THREAD

    def told(self) -> dict[str, Any]:
        """Return the channel as Discord tells of it."""
        if self.kind == DM:
            return {"id": str(self.id), "type": DM, "recipients": [person(self.recipient or 0)]}
        told: dict[str, Any] = {"id": str(self.id), "type": self.kind, "name": self.name}
        told |= {"guild_id": str(self.guild_id), "parent_id": self.parent_id and str(self.parent_id)}
        if self.is_thread:
            state = {"archived": self.archived, "locked": self.locked, "auto_archive_duration": 1440}
            state |= {"archive_timestamp": "2026-01-01T12:00:00+00:00"}
            counts = {"message_count": 1, "member_count": 1}
            return told | {"owner_id": str(APPLICATION_ID), "thread_metadata": state} | counts
        overwrites = [
            {"id": str(one.id), "type": int(one.member), "allow": str(one.allow), "deny": str(one.deny)}
            for one in self.overwrites
        ]
        told |= {"topic": self.topic, "nsfw": self.nsfw}
        return told | {"position": 0, "permission_overwrites": overwrites}


@dataclass
class Role:
    """A role of a server. The one with the server's own id is everyone's."""

    id: int
    permissions: int
    name: str = "role"

    def told(self) -> dict[str, Any]:
        """Return the role as Discord tells of it."""
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "hoist": False,
            "position": 0,
            "permissions": str(self.permissions),
            "managed": False,
            "mentionable": False,
        }


@dataclass
class Guild:
    """A server. `members` are the roles of those who have any; everybody else has none and is a member too.

    `upload_limit`: bytes of a message's files. `unavailable`: an outage hides it from the gateway.
    """

    id: int
    name: str = "Harbour Street Studio"
    owner_id: int = OWNER_ID
    upload_limit: int = 10 * MIB
    unavailable: bool = False
    roles: dict[int, Role] = field(default_factory=dict[int, Role])
    channels: dict[int, Channel] = field(default_factory=dict[int, Channel])
    members: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    member_count: int = 2
    locale: str = "en-US"

    def member(self, user_id: int) -> dict[str, Any]:
        """Return the member as Discord tells of them, with their user."""
        roles = [str(role) for role in self.members.get(user_id, ())]
        user = BOT if user_id == APPLICATION_ID else person(user_id)
        told = {"user": user, "roles": roles, "joined_at": "2026-01-01T12:00:00+00:00"}
        return told | {"flags": 0, "deaf": False, "mute": False}

    def told(self) -> dict[str, Any]:
        """Return the server as GUILD_CREATE tells of it."""
        channels = [one.told() for one in self.channels.values() if not one.is_thread]
        threads = [one.told() for one in self.channels.values() if one.is_thread and not one.archived]
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            "unavailable": False,
            "system_channel_id": str(next(iter(self.channels), 0)),
            "preferred_locale": self.locale,
            "member_count": self.member_count,
            "premium_tier": 3 if self.upload_limit > 50 * MIB else 2 if self.upload_limit > 10 * MIB else 0,
            "roles": [role.told() for role in self.roles.values()],
            "members": [self.member(APPLICATION_ID)],
            "channels": channels,
            "threads": threads,
            **{name: [] for name in ("emojis", "stickers", "presences", "voice_states", "features")},
        }

    def permissions(self, user_id: int, channel: Channel) -> int:
        """Return what a member may do in the channel; in a thread, what its parent says."""
        if user_id == self.owner_id:
            return EVERYTHING
        roles = self.members.get(user_id, ())
        given = self.roles[self.id].permissions
        for role in roles:
            given |= self.roles[role].permissions
        if given & ADMINISTRATOR:
            return EVERYTHING
        if channel.parent_id is not None and channel.is_thread:
            channel = self.channels[channel.parent_id]
        for some in _in_order(channel.overwrites, self.id, roles, user_id):
            for one in some:
                given &= ~one.deny
            for one in some:
                given |= one.allow
        return given if given & VIEW else 0


def _in_order(
    overwrites: Iterable[Overwrite], everyone: int, roles: Iterable[int], user_id: int
) -> list[list[Overwrite]]:
    """Return the overwrites that concern a member: everyone's, then those of roles, then their own."""
    of_roles: Mapping[int, Overwrite] = {one.id: one for one in overwrites if not one.member}
    first = [of_roles[everyone]] if everyone in of_roles else []
    second = [of_roles[role] for role in roles if role in of_roles and role != everyone]
    return [first, second, [one for one in overwrites if one.member and one.id == user_id]]


class Places:
    """All servers and channels by id."""

    def __init__(self) -> None:
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.left: dict[int, Guild] = {}  # servers that the bot was removed from

    def add_guild(self, guild_id: int, channels: Iterable[int], everyone: int, upload_limit: int) -> Guild:
        """Add a server with these channels."""
        guild = Guild(guild_id, upload_limit=upload_limit)
        guild.roles[guild_id] = Role(guild_id, everyone, "@everyone")
        self.guilds[guild_id] = guild
        for channel_id in channels:
            self.add_channel(Channel(channel_id, guild_id))
        return guild

    def add_channel(self, channel: Channel) -> Channel:
        """Add a channel, thread or direct messages."""
        self.channels[channel.id] = channel
        if channel.guild_id is not None:
            self.guilds[channel.guild_id].channels[channel.id] = channel
        return channel

    def remove_guild(self, guild_id: int) -> None:
        """Take a server with its channels from the bot."""
        guild = self.left[guild_id] = self.guilds.pop(guild_id)
        for channel_id in guild.channels:
            del self.channels[channel_id]

    def bring_back(self, guild_id: int) -> None:
        """Give a server to the bot again, as it is now."""
        guild = self.guilds[guild_id] = self.left.pop(guild_id)
        self.channels |= guild.channels

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the channel's server, or None for direct messages."""
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    def may(self, user_id: int, channel: Channel) -> int:
        """Return the member's permissions in the channel; everything in direct messages."""
        guild = self.guild_of(channel)
        return EVERYTHING if guild is None else guild.permissions(user_id, channel)
