"""Presses that no app of Discord's would send, but a changed one can: any custom id, for any message.

And apps in other languages.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import discord
import pytest
from simcord import InteractionResult, MemberActor, ResponseMessage, interactions
from simcord.backend import serializers
from simcord.backend.models import Interaction
from simcord.interactions import base_payload

from tests.support.desk import Desk

BUTTON = {"component_type": 2}
LIST = {"component_type": 3}


async def press(
    desk: Desk,
    person: MemberActor,
    message: discord.Message | ResponseMessage,
    custom_id: str,
    *,
    in_server: bool = True,
    chosen: str | None = None,
) -> InteractionResult:
    """Send such a press as `send_press`, and return the answer."""
    record = send_press(desk, person, message, custom_id, in_server=in_server, chosen=chosen)
    await desk.env.settle()
    return InteractionResult(desk.env, record)


def send_press(
    desk: Desk,
    person: MemberActor,
    message: discord.Message | ResponseMessage,
    custom_id: str,
    *,
    in_server: bool = True,
    chosen: str | None = None,
) -> Interaction:
    """Send the press of a button with that custom id, as if it were in the message; with `chosen`, the choice
    from a list.

    It isn't waited for what becomes of it. Without `in_server` the message is a direct one.
    """
    # An answer that one person alone sees is in the channel where they asked.
    channel_id = message.channel.id if isinstance(message, discord.Message) else desk.channel.id
    stored = desk.env.backend.get_message(channel_id, message.id)
    record, payload = base_payload(
        desk.env.backend,
        type=3,
        channel_id=channel_id,
        guild_id=person.guild.id if in_server else None,
        user_id=person.id,
        data={"custom_id": custom_id, **(BUTTON if chosen is None else {**LIST, "values": [chosen]})},
    )
    payload["message"] = dict(serializers.message_payload(desk.env.backend, stored))
    record.source_message_id = stored.id
    desk.env.backend.emit("INTERACTION_CREATE", payload)
    return record


def send_command(desk: Desk, person: MemberActor, name: str, /, **options: str | bool) -> Interaction:
    """Send a command without waiting for what becomes of it. `name` has its groups' names before it."""
    first, *others = name.split()
    given: list[dict[str, object]] = [
        {"type": 5 if isinstance(value, bool) else 3, "name": option, "value": value}
        for option, value in options.items()
    ]
    for number, sub in enumerate(reversed(others)):
        given = [{"type": 2 if number else 1, "name": sub, "options": given}]
    return _send_command(desk, person, first, 1, {"options": given})


def send_menu(desk: Desk, person: MemberActor, name: str, message: discord.Message) -> Interaction:
    """Send the choice of a message's menu without waiting for what becomes of it."""
    stored = desk.env.backend.get_message(message.channel.id, message.id)
    shown = dict(serializers.message_payload(desk.env.backend, stored))
    target = {"target_id": str(message.id), "resolved": {"messages": {str(message.id): shown}}}
    return _send_command(desk, person, name, 3, target)


def _send_command(
    desk: Desk, person: MemberActor, name: str, kind: int, data: Mapping[str, object]
) -> Interaction:
    command = desk.env.backend.find_command(name, desk.guild.id, type=kind)
    assert command is not None
    record, payload = base_payload(
        desk.env.backend,
        type=2,
        channel_id=desk.channel.id,
        guild_id=desk.guild.id,
        user_id=person.id,
        data={"id": command["id"], "name": name, "type": kind, **data},
    )
    desk.env.backend.emit("INTERACTION_CREATE", payload)
    return record


async def hand_in(
    desk: Desk, person: MemberActor, custom_id: str, message: discord.Message | ResponseMessage | None = None
) -> InteractionResult:
    """Hand in a form with that custom id and nothing in it, shown or not, and return the answer.

    With `message`, as if a button of it had shown the form.
    """
    record, payload = base_payload(
        desk.env.backend,
        type=5,
        channel_id=desk.channel.id,
        guild_id=person.guild.id,
        user_id=person.id,
        data={"custom_id": custom_id, "components": []},
    )
    if message is not None:
        stored = desk.env.backend.get_message(desk.channel.id, message.id)
        payload["message"] = dict(serializers.message_payload(desk.env.backend, stored))
    desk.env.backend.emit("INTERACTION_CREATE", payload)
    await desk.env.settle()
    return InteractionResult(desk.env, record)


@contextmanager
def app_in(locale: str) -> Generator[None]:
    """Let people's Discord apps be set to that language."""
    payload_of = interactions.base_payload

    def localised(*given: Any, **named: Any) -> Any:
        record, payload = payload_of(*given, **named)
        return record, payload | {"locale": locale}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactions, "base_payload", localised)
        yield
