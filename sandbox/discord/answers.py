"""How Discord takes a bot's answers to interactions.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.discord.interactions import Interaction
from sandbox.discord.messages import (
    EPHEMERAL,
    UNKNOWN_MESSAGE,
    Message,
    Messages,
    Refusal,
    answer_with,
    ensure_valid,
    read_request,
)

TOKEN_SECONDS = 15 * 60.0
UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
INVALID_TOKEN = (401, 50027, "Invalid Webhook Token")


class Answers:
    """The calls by an interaction's token. Its first answer is to come within `first_answer` seconds."""

    def __init__(self, kept: Messages, first_answer: float, before_answer: Callable[[], float]) -> None:
        self._kept = kept
        self._first_answer = first_answer
        self._before_answer = before_answer
        self._interactions: dict[str, Interaction] = {}  # by token

    def forget(self) -> None:
        """No token works any more."""
        self._interactions.clear()

    async def callback(self, request: web.Request) -> web.Response:
        body, files = await read_request(request)
        interaction = self._interactions.get(request.match_info["token"])
        if interaction is None or time.monotonic() - interaction.given_at > self._first_answer:
            raise Refusal(*UNKNOWN_INTERACTION)
        if interaction.answered:
            raise Refusal(*ALREADY_ACKNOWLEDGED)
        payload: dict[str, Any] = body.get("data") or {}
        channel_id, token = interaction.channel_id, interaction.token
        match body["type"]:
            case 4:
                ensure_valid(payload)
                interaction.answer = self._kept.keep(channel_id, {"content": "…"} | payload, {}, token)
                interaction.waits = True
            case 7 if interaction.pressed is not None:
                interaction.pressed.change(payload, files)
                interaction.answer = interaction.pressed
            case _:
                interaction.answer = interaction.pressed
        interaction.answered = True
        told = {"id": str(interaction.id), "type": 2, "response_message_loading": interaction.waits}
        told["response_message_ephemeral"] = interaction.answer is not None and interaction.answer.ephemeral
        resource: dict[str, Any] = {"type": body["type"]}
        if body["type"] in {4, 7} and interaction.answer is not None:
            told["response_message_id"] = str(interaction.answer.id)
            resource["message"] = interaction.answer.as_discord_tells()
        await asyncio.sleep(self._before_answer())
        return answer_with({"interaction": told, "resource": resource})

    async def followup(self, request: web.Request) -> web.Response:
        payload, files = await read_request(request)
        interaction = self._alive(request)
        if interaction.waits and interaction.answer is not None:  # it takes the place of the deferral
            interaction.waits = False
            visibility = interaction.answer.flags & EPHEMERAL
            interaction.answer.payload = {"flags": visibility}
            kept = int(payload.get("flags") or 0) & ~EPHEMERAL | visibility
            interaction.answer.change(payload | {"flags": kept}, files)
            return answer_with(interaction.answer.as_discord_tells())
        ensure_valid(payload)
        said = self._kept.keep(interaction.channel_id, payload, files, interaction.token)
        return answer_with(said.as_discord_tells())

    async def look_at(self, request: web.Request) -> web.Response:
        return answer_with(self._answer_named(request).as_discord_tells())

    async def edit(self, request: web.Request) -> web.Response:
        payload, files = await read_request(request)
        message = self._answer_named(request)
        message.change(payload, files)
        return answer_with(message.as_discord_tells())

    async def delete(self, request: web.Request) -> web.Response:
        del self._kept[self._answer_named(request).id]
        return web.Response(status=204)

    def begin(self, channel_id: int, pressed: Message | None = None) -> Interaction:
        """Somebody uses a command there, or presses a button of that message."""
        number = self._kept.number()
        interaction = Interaction(number, f"token-{number}", channel_id, time.monotonic(), pressed)
        self._interactions[interaction.token] = interaction
        return interaction

    def _alive(self, request: web.Request) -> Interaction:
        interaction = self._interactions.get(request.match_info["token"])
        if interaction is None or time.monotonic() - interaction.given_at > TOKEN_SECONDS:
            raise Refusal(*INVALID_TOKEN)
        return interaction

    def _answer_named(self, request: web.Request) -> Message:
        interaction, name = self._alive(request), request.match_info["message"]
        message = interaction.answer if name == "@original" else self._kept.get(int(name))
        if message is None or message.id not in self._kept or message.token != interaction.token:
            raise Refusal(*UNKNOWN_MESSAGE)
        return message
