"""What a person sees on the page: channels, messages and commands, as Discord's client is told of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.demo.place import BOTS, GUILD, OWNER, PEOPLE
from sandbox.discord.emulator import APPLICATION_ID, DiscordServer
from sandbox.discord.emulator.files import CDN
from sandbox.discord.emulator.messages import LOADING, Message
from sandbox.discord.emulator.places import (
    ADMINISTRATOR,
    DM,
    HISTORY,
    MANAGE_MESSAGES,
    SEND,
    SEND_IN_THREADS,
    USER_NAMES,
    VIEW,
    Channel,
    person,
)

SHOWN = 80  # messages of a channel
COMMAND_KINDS = {1: "slash", 3: "menu"}


class View:
    """Looks at the server with somebody's eyes."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server

    def people(self) -> list[dict[str, Any]]:
        """Return who can be chosen."""
        return [{"id": str(one.id), "name": one.name, "about": one.about} for one in PEOPLE]

    def names(self) -> dict[str, dict[str, str]]:
        """Return what mentions stand for: names by id."""
        guild = self._server.places.guilds[GUILD]
        return {
            "users": {str(one): USER_NAMES[one] for one in (OWNER, *(person.id for person in PEOPLE))}
            | {str(APPLICATION_ID): "Studii"},
            "channels": {str(one.id): one.name for one in guild.channels.values()},
            "roles": {str(one.id): one.name for one in guild.roles.values() if one.id != BOTS},
            "commands": {str(one["id"]): str(one["name"]) for one in self._server.commands},
        }

    def channels(self, who: int) -> list[dict[str, Any]]:
        """Return the channels that the person sees, threads below their channel, direct messages last."""
        guild = self._server.places.guilds[GUILD]
        seen = [one for one in guild.channels.values() if guild.permissions(who, one) & VIEW]
        seen.sort(key=lambda one: (one.parent_id or one.id, one.is_thread, one.id))
        return [self._channel(one, who) for one in (*seen, self._server.channels.dm_with(who))]

    def _channel(self, channel: Channel, who: int) -> dict[str, Any]:
        may = self._server.places.may(who, channel)
        last = next((one for one in self._newest(channel, who)), None)
        return {
            "id": str(channel.id),
            "name": "Studii" if channel.kind == DM else channel.name,
            "kind": "dm" if channel.kind == DM else "thread" if channel.is_thread else "channel",
            "topic": "Direct messages" if channel.kind == DM else channel.topic or "",
            "writes": bool(may & (SEND_IN_THREADS if channel.is_thread else SEND)),
            "moderates": channel.kind != DM and bool(may & MANAGE_MESSAGES),
            "last": str(last.id) if last else "0",
        }

    def sees(self, who: int, channel_id: int) -> bool:
        """Return whether the person sees that channel."""
        channel = self._server.places.channels.get(channel_id)
        if channel is None:
            return False
        if channel.kind == DM:
            return channel.recipient == who
        return bool(self._server.places.may(who, channel) & VIEW)

    def sees_message(self, who: int, message: Message) -> bool:
        """Return whether the person sees that message."""
        return self.sees(who, message.channel_id) and message.for_user in {None, who}

    def messages(self, who: int, channel_id: int) -> list[dict[str, Any]]:
        """Return the newest messages that the person sees there, oldest first."""
        channel = self._server.places.channels[channel_id]
        if not self._server.places.may(who, channel) & HISTORY:
            return []
        newest = [one for one, _ in zip(self._newest(channel, who), range(SHOWN), strict=False)]
        return [self._message(one, who) for one in reversed(newest)]

    def _newest(self, channel: Channel, who: int) -> Iterator[Message]:
        for one in reversed(self._server.messages.values()):
            if one.channel_id == channel.id and one.for_user in {None, who}:
                yield one

    def _message(self, message: Message, who: int) -> dict[str, Any]:
        told = message.told()
        shown: dict[str, Any] = {name: told[name] for name in ("id", "content", "components", "timestamp")}
        shown |= {
            "author": told["author"]["global_name"] or told["author"]["username"],
            "author_id": str(message.author_id),
            "bot": message.of_the_bot,
            "mine": message.author_id == who,
            "attachments": told["attachments"],
            "edited": told["edited_timestamp"] is not None and not message.token,
            "private": message.ephemeral,
            "thinking": bool(message.flags & LOADING),
            "pings": f"<@{who}>" in str(told["content"]) + message.words(),
            "reactions": [
                {"emoji": emoji, "count": len(by), "mine": who in by}
                for emoji, by in message.reactions.items()
            ],
            "reply": self._reply(told.get("message_reference")),
        }
        if message.metadata is not None:
            shown["used_by"] = person(int(message.metadata["user"]["id"]))["global_name"]
        return _at_home(shown)

    def _reply(self, reference: Mapping[str, Any] | None) -> dict[str, str] | None:
        if reference is None:
            return None
        target = self._server.messages.get(int(reference["message_id"]))
        if target is None:
            return {"words": "Original message was deleted"}
        words = target.words() or "Click to see the picture"
        author = "Studii" if target.of_the_bot else str(person(target.author_id)["global_name"])
        return {"id": str(target.id), "author": author, "words": words}

    def commands(self, who: int, channel_id: int, locale: str = "en-US") -> list[dict[str, Any]]:
        """Return the commands that the person may use there, in their language; none in direct messages."""
        channel = self._server.places.channels[channel_id]
        if channel.guild_id is None:
            return []
        may = self._server.places.may(who, channel)
        return [
            _command(one, locale)
            for one in self._server.commands
            if one.get("type", 1) in COMMAND_KINDS and _allowed(one, may)
        ]


def _allowed(command: Mapping[str, Any], may: int) -> bool:
    needed = command.get("default_member_permissions")
    return needed is None or bool(may & ADMINISTRATOR) or may & int(needed) == int(needed) != 0


def _command(command: Mapping[str, Any], locale: str) -> dict[str, Any]:
    kind = COMMAND_KINDS[command.get("type", 1)]
    names = {"name": command["name"], "label": _in_language(command, "name", locale)}  # label: of a menu
    return {"kind": kind, "id": command.get("id")} | names | _described(command, locale)


def _described(one: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Return the description and options of a command or an option in that language, as far as they have it.

    Names stay: the bot translates none but those of choices and menus.
    """
    options = [
        {**option, **_described(option, locale), "choices": _named(option.get("choices") or (), locale)}
        for option in one.get("options") or ()
    ]
    return {"description": _in_language(one, "description", locale), "options": options}


def _named(choices: Iterable[Mapping[str, Any]], locale: str) -> list[dict[str, Any]]:
    return [{**one, "name": _in_language(one, "name", locale)} for one in choices]


def _in_language(one: Mapping[str, Any], what: str, locale: str) -> str | None:
    translated: Mapping[str, str] | None = one.get(f"{what}_localizations")
    return (translated or {}).get(locale, one.get(what))


def _at_home(value: Any) -> Any:
    """Return it with addresses of the CDN as they are on the page."""
    if isinstance(value, dict):
        return {name: _at_home(one) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_at_home(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value.replace(CDN, "/cdn", 1) if isinstance(value, str) and value.startswith(CDN) else value
