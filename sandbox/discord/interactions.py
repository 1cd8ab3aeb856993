"""What Discord tells a bot when somebody uses a command or presses a button.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sandbox.discord.messages import BOT_ID, Message

COMMAND, COMPONENT = 2, 3
EVERYTHING = str((1 << 53) - 1)  # permissions
_TEXT, _YES_OR_NO, _FILE = 3, 5, 11  # kinds of options


@dataclass
class Interaction:
    """One that is to be answered. `pressed`: the message whose button it was; `answer`: the message that it
    was answered with; `waits`: it was answered by a deferral alone."""

    id: int
    token: str
    channel_id: int
    given_at: float  # seconds, by a clock that never jumps
    pressed: Message | None = None
    answered: bool = False
    answer: Message | None = None
    waits: bool = False


def command(
    interaction: Interaction, guild_id: int, user_id: int, name: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """INTERACTION_CREATE for a slash command. An option that is a mapping is an attachment."""
    given: list[dict[str, Any]] = []
    attachments: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            attachments[str(len(attachments) + 1)] = {"id": str(len(attachments) + 1)} | dict(
                cast(Mapping[str, Any], value)
            )
            given.append({"name": key, "type": _FILE, "value": str(len(attachments))})
        else:
            given.append(
                {"name": key, "type": _YES_OR_NO if isinstance(value, bool) else _TEXT, "value": value}
            )
    data: dict[str, Any] = {"id": "1", "name": name, "type": 1, "options": given}
    if attachments:
        data["resolved"] = {"attachments": attachments}
    return _payload(interaction, COMMAND, guild_id, user_id, data)


def press(interaction: Interaction, guild_id: int, user_id: int, custom_id: str) -> dict[str, Any]:
    """INTERACTION_CREATE for a button under the message `interaction.pressed`."""
    data = {"custom_id": custom_id, "component_type": 2}
    message = interaction.pressed.as_discord_tells() if interaction.pressed is not None else {}
    return _payload(interaction, COMPONENT, guild_id, user_id, data) | {"message": message}


# Long: one value, with the fields that Discord sends.
def _payload(
    interaction: Interaction, kind: int, guild_id: int, user_id: int, data: Mapping[str, Any]
) -> dict[str, Any]:
    user = {"id": str(user_id), "username": "maya", "discriminator": "0", "global_name": None, "avatar": None}
    channel: dict[str, Any] = {
        "id": str(interaction.channel_id),
        "type": 0,
        "name": "photo-desk",
        "guild_id": str(guild_id),
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "nsfw": False,
        "permissions": EVERYTHING,
    }
    member: dict[str, Any] = {
        "user": user,
        "roles": [],
        "joined_at": "2026-01-01T12:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": "2147483648",  # Use Application Commands
    }
    return {
        "id": str(interaction.id),
        "application_id": str(BOT_ID),
        "type": kind,
        "token": interaction.token,
        "version": 1,
        "data": dict(data),
        "guild_id": str(guild_id),
        "channel_id": str(interaction.channel_id),
        "channel": channel,
        "member": member,
        "app_permissions": EVERYTHING,
        "locale": "en-US",
        "guild_locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {},
        "context": 0,
        "attachment_size_limit": 10 * 1024 * 1024,
    }
