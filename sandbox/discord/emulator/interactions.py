"""What Discord tells a bot when somebody uses a command or presses a button.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import APPLICATION_ID, EVERYTHING, MIB, Channel, Guild, person

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
_TEXT, _NUMBER, _YES_OR_NO, _FILE = 3, 4, 5, 11  # kinds of options


@dataclass
class Interaction:
    """One that is to be answered.

    `pressed`: the message whose button it was; `answer`: the message that it was answered with; `waits`: it
    was answered by a deferral alone. Moments are seconds by a clock that never jumps: `told_at` when the
    gateway told of it, `answered_at` when it was answered in any way, `said_at` when there was something to
    read, or a form. `answered_as`: the kind of its first answer. `locale`: the person's language.
    """

    id: int
    token: str
    channel: Channel
    user_id: int
    told_at: float
    kind: int
    pressed: Message | None = None
    answer: Message | None = None
    waits: bool = False
    deferred: bool = False
    locale: str = "en-US"
    answered_as: int | None = None
    answered_at: float | None = None
    said_at: float | None = None
    said: dict[str, Any] | None = None  # the payload of the first that could be read
    dropped_at: float | None = None  # when a deferral was deleted

    @property
    def over(self) -> bool:
        """Whether the person need not wait any more."""
        return self.said_at is not None or self.dropped_at is not None

    def says(self, payload: Mapping[str, Any], now: float) -> None:
        """Note the first thing that the person can read."""
        if self.said_at is None:
            self.said_at, self.said = now, dict(payload)

    def metadata(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a message that answers it tells of it."""
        owners = {"0": str(self.channel.guild_id or 0)}
        told = {"id": str(self.id), "type": self.kind, "user": dict(user)}
        return told | {"authorizing_integration_owners": owners}


def command_data(name: str, options: Mapping[str, Any], target: Message | None = None) -> dict[str, Any]:
    """Return the data of a command, of a message's menu if it has a `target`. An option that is a mapping
    is an attachment; spaces in the name part groups and subcommands."""
    given: list[dict[str, Any]] = []
    attachments: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            number = str(len(attachments) + 1)
            attachments[number] = {"id": number} | dict(cast(Mapping[str, Any], value))
            given.append({"name": key, "type": _FILE, "value": number})
        else:
            given.append({"name": key, "type": _kind_of(value), "value": value})
    if target is not None:
        told = {str(target.id): target.told()}
        return {"id": "1", "name": name, "type": 3, "target_id": str(target.id)} | {
            "resolved": {"messages": told}
        }
    first, *parts = name.split(" ")
    for number, part in enumerate(reversed(parts)):
        given = [{"name": part, "type": 1 if number == 0 else 2, "options": given}]
    data: dict[str, Any] = {"id": "1", "name": first, "type": 1, "options": given}
    if attachments:
        data["resolved"] = {"attachments": attachments}
    return data


def _kind_of(value: Any) -> int:
    if isinstance(value, bool):
        return _YES_OR_NO
    return _NUMBER if isinstance(value, int) else _TEXT


def event(interaction: Interaction, guild: Guild | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return INTERACTION_CREATE, with the permissions of this moment. Direct messages have no `guild`."""
    told: dict[str, Any] = {
        "id": str(interaction.id),
        "application_id": str(APPLICATION_ID),
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": dict(data),
        "channel_id": str(interaction.channel.id),
        "locale": interaction.locale,
        "entitlements": [],
        **_where(interaction, guild),
    }
    if interaction.pressed is not None:
        told["message"] = interaction.pressed.told()
    return told


def _where(interaction: Interaction, guild: Guild | None) -> dict[str, Any]:
    channel, user_id = interaction.channel, interaction.user_id
    if guild is None:
        return {
            "user": person(user_id),
            "channel": channel.told(),
            "app_permissions": str(EVERYTHING),
            "authorizing_integration_owners": {"0": "0"},
            "context": 1,
            "attachment_size_limit": 10 * MIB,
        }
    member = guild.member(user_id) | {"permissions": str(guild.permissions(user_id, channel))}
    return {
        "guild_id": str(guild.id),
        "channel": channel.told() | {"permissions": member["permissions"]},
        "member": member,
        "app_permissions": str(guild.permissions(APPLICATION_ID, channel)),
        "guild_locale": guild.locale,
        "authorizing_integration_owners": {"0": str(guild.id)},
        "context": 0,
        "attachment_size_limit": guild.upload_limit,
    }
