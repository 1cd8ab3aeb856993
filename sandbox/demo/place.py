"""The server in which the bot is tried: its people, roles and channels, and what has been posted there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import PurePath

from sandbox.discord.emulator import APPLICATION_ID, DiscordServer
from sandbox.discord.emulator.places import (
    ADD_REACTIONS,
    ATTACH,
    HISTORY,
    MANAGE_GUILD,
    MANAGE_MESSAGES,
    PUBLIC_THREAD,
    PUBLIC_THREADS,
    SEND,
    SEND_IN_THREADS,
    USE_COMMANDS,
    USER_NAMES,
    VIEW,
    Channel,
    Guild,
    Overwrite,
    Role,
)

SERVER = "Harbour Street Studio"
# Ids are snowflakes of 2026: what looks like one in a message is taken for one.
GUILD = 1461000000000000001
OWNER, NORA, MIKA, MAYA, TOM, INES = range(GUILD + 10, GUILD + 16)
ADMINS, MODERATORS, MEMBERS, BOTS = range(GUILD + 20, GUILD + 24)
PHOTO_DESK, SHOWROOM, TEAM, THREAD = range(GUILD + 30, GUILD + 34)
BOT_PERMISSIONS = VIEW | SEND | SEND_IN_THREADS | ATTACH | HISTORY | ADD_REACTIONS | USE_COMMANDS
EVERYONE_MAY = (
    VIEW | SEND | SEND_IN_THREADS | ATTACH | HISTORY | ADD_REACTIONS | USE_COMMANDS | PUBLIC_THREADS
)

WELCOME = """**Welcome!** This is Studii for Discord, with a simulated Discord and a simulated Studii.
- Type `/` to see what Studii can make, or open the menu of a photo (right-click, or ⋯).
- Post a photo of your own: drag it here, or use the + button.
- Choose who you are at the left (☰ on a phone). **Nora** is an admin: start with `/studii setup`. **Mika** \
moderates, **Maya** and **Tom** are members, and **Ines** has just joined.
- In a prompt, `[slow]` makes a job take longer, `[fail]` makes it fail, and `[stuck]` never ends it.
- The server's key is set. To set one yourself, take `{key}`.
-# Nothing here reaches the real Discord or Studii, and nothing costs money."""


@dataclass(frozen=True)
class Person:
    """Somebody who can be chosen on the page. `about`: who that is, in a few words."""

    id: int
    name: str
    about: str
    roles: tuple[int, ...] = ()


PEOPLE: Sequence[Person] = (
    Person(MAYA, "Maya", "member", (MEMBERS,)),
    Person(TOM, "Tom", "member", (MEMBERS,)),
    Person(INES, "Ines", "newcomer, no role"),
    Person(MIKA, "Mika", "moderator", (MEMBERS, MODERATORS)),
    Person(NORA, "Nora", "admin", (MEMBERS, ADMINS)),
)
_ROLES = (
    Role(ADMINS, MANAGE_GUILD | MANAGE_MESSAGES, "Admins"),
    Role(MODERATORS, MANAGE_MESSAGES, "Moderators"),
    Role(MEMBERS, 0, "Members"),
    Role(BOTS, BOT_PERMISSIONS, "Studii"),
)


def build(server: DiscordServer) -> Guild:
    """Make the server with its people, roles and channels."""
    USER_NAMES.update({person.id: person.name for person in PEOPLE} | {OWNER: "Harbour"})
    guild = server.add_guild(GUILD, (), everyone=EVERYONE_MAY)
    guild.name, guild.owner_id, guild.member_count = SERVER, OWNER, len(PEOPLE) + 1
    guild.roles |= {role.id: role for role in _ROLES}
    guild.members |= {person.id: person.roles for person in PEOPLE} | {APPLICATION_ID: (BOTS,)}
    hidden = [
        Overwrite(GUILD, deny=VIEW),
        *(Overwrite(role, allow=VIEW) for role in (ADMINS, MODERATORS, BOTS)),
    ]
    topic = "Post a photo, then see what you can make from it"
    for channel in (
        Channel(PHOTO_DESK, GUILD, "photo-desk", topic=topic),
        Channel(SHOWROOM, GUILD, "showroom", topic="Finished pictures"),
        Channel(TEAM, GUILD, "team", topic="Admins and moderators", overwrites=hidden),
        Channel(THREAD, GUILD, "Kitchen, before and after", PUBLIC_THREAD, parent_id=PHOTO_DESK),
    ):
        server.places.add_channel(channel)
    return guild


def furnish(server: DiscordServer, photos: Mapping[str, bytes], key: str) -> None:
    """Let two members post the photos, by file name, in the first channel, and welcome everyone there.

    `key` is one that Studii knows.
    """
    for author, (name, data) in zip(cycle((MAYA, TOM)), photos.items(), strict=False):
        caption = PurePath(name).stem.replace("-", " ").capitalize()
        server.post(PHOTO_DESK, author, caption, {name: (data, "image/jpeg")})
    server.post(PHOTO_DESK, NORA, WELCOME.format(key=key))
