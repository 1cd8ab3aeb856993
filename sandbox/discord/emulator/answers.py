"""How Discord takes a bot's answers to interactions.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.discord.emulator.files import Attached, Cdn
from sandbox.discord.emulator.forms import ensure_form
from sandbox.discord.emulator.ids import Ids
from sandbox.discord.emulator.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from sandbox.discord.emulator.messages import (
    EPHEMERAL,
    LOADING,
    Message,
    Messages,
    ensure_valid,
    with_ids_told,
)
from sandbox.discord.emulator.places import Channel, person
from sandbox.discord.emulator.refusals import (
    ALREADY_ACKNOWLEDGED,
    INVALID_FORM,
    INVALID_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    Refusal,
    answer_with,
)

TOKEN_SECONDS = 15 * 60.0
SAY, DEFER, DEFER_UPDATE, UPDATE, COMPLETE, FORM = 4, 5, 6, 7, 8, 9
_TAKEN = {  # the first answers that Discord takes, by the kind of interaction
    COMMAND: {SAY, DEFER, FORM},
    COMPONENT: {SAY, DEFER, DEFER_UPDATE, UPDATE, FORM},
    AUTOCOMPLETE: {COMPLETE},
    MODAL: {SAY, DEFER, DEFER_UPDATE, UPDATE},
}


class Answers:
    """The calls by an interaction's token. Its first answer is to come within `answers` seconds."""

    def __init__(
        self, ids: Ids, kept: Messages, cdn: Cdn, answers: float, before_answer: Callable[[], float]
    ) -> None:
        self._ids = ids
        self._kept = kept
        self._cdn = cdn
        self._first_answer = answers
        self._before_answer = before_answer
        self._interactions: dict[str, Interaction] = {}  # by token
        self.told: Callable[[str, Message], None] = lambda _name, _message: None

    def forget(self) -> None:
        """Forget all tokens: none works any more."""
        self._interactions.clear()

    def begin(self, channel: Channel, user_id: int, kind: int, pressed: Message | None = None) -> Interaction:
        """Note that somebody uses a command there, or presses a button of that message."""
        number = self._ids.next()
        token = f"token-{number}"
        interaction = Interaction(number, token, channel, user_id, time.monotonic(), kind, pressed)
        self._interactions[token] = interaction
        return interaction

    async def callback(self, request: web.Request) -> web.Response:
        body, files = await self._cdn.read(request)
        now, interaction = time.monotonic(), self._interactions.get(request.match_info["token"])
        if interaction is None or now - interaction.told_at > self._first_answer:
            raise Refusal(*UNKNOWN_INTERACTION)
        if interaction.answered_at is not None:
            raise Refusal(*ALREADY_ACKNOWLEDGED)
        kind: Any = body.get("type")
        if kind not in _TAKEN[interaction.kind] or (kind == UPDATE and interaction.pressed is None):
            raise Refusal(*INVALID_FORM)
        self._take(interaction, kind, body.get("data") or {}, files, now)
        interaction.answered_at, interaction.answered_as = now, kind
        told = {"id": str(interaction.id), "type": interaction.kind}
        told |= {"response_message_loading": interaction.waits}
        told["response_message_ephemeral"] = interaction.answer is not None and interaction.answer.ephemeral
        resource: dict[str, Any] = {"type": kind}
        if kind in {SAY, UPDATE} and interaction.answer is not None:
            told["response_message_id"] = str(interaction.answer.id)
            resource["message"] = interaction.answer.told()
        await asyncio.sleep(self._before_answer())
        return answer_with({"interaction": told, "resource": resource})

    def _take(
        self,
        interaction: Interaction,
        kind: int,
        payload: Mapping[str, Any],
        files: Mapping[str, Attached],
        now: float,
    ) -> None:
        if kind == SAY:
            ensure_valid(payload, files)
            interaction.answer = self._say(interaction, payload, files)
            interaction.says(payload, now)
        elif kind == DEFER:
            visibility = int(payload.get("flags") or 0) & EPHEMERAL
            interaction.answer = self._say(interaction, {"content": "", "flags": visibility | LOADING}, {})
            interaction.waits = interaction.deferred = True
        elif kind == UPDATE and interaction.pressed is not None:
            interaction.pressed.change(payload, self._kept.store(interaction.channel, files))
            interaction.answer = interaction.pressed
            interaction.says(payload, now)
            self.told("MESSAGE_UPDATE", interaction.pressed)
        else:
            if kind == FORM:
                ensure_form(payload)
                for one in payload["components"]:
                    if "component" in one:
                        one["component"] = with_ids_told(one["component"])
            interaction.answer = interaction.pressed
            if kind in {COMPLETE, FORM}:
                interaction.says(payload, now)
            interaction.deferred = kind == DEFER_UPDATE

    async def followup(self, request: web.Request) -> web.Response:
        payload, files = await self._cdn.read(request)
        interaction = self._alive(request)
        if interaction.waits and interaction.answer is not None:  # it takes the place of the deferral
            self._fill(interaction, payload, files)
            said = interaction.answer
        else:
            ensure_valid(payload, files)
            said = self._say(interaction, payload, files)
        interaction.says(payload, time.monotonic())
        return answer_with(said.told())

    async def look_at(self, request: web.Request) -> web.Response:
        _, message = self._answer_named(request)
        return answer_with(message.told())

    async def edit(self, request: web.Request) -> web.Response:
        payload, files = await self._cdn.read(request)
        interaction, message = self._answer_named(request)
        if interaction.waits and message is interaction.answer:
            self._fill(interaction, payload, files)
        else:
            message.change(payload, self._kept.store(interaction.channel, files))
            if not message.ephemeral:
                self.told("MESSAGE_UPDATE", message)
        interaction.says(payload, time.monotonic())
        return answer_with(message.told())

    async def delete(self, request: web.Request) -> web.Response:
        interaction, message = self._answer_named(request)
        if message is interaction.answer and interaction.waits:
            interaction.waits, interaction.dropped_at = False, time.monotonic()
        del self._kept[message.id]
        if not message.ephemeral:
            self.told("MESSAGE_DELETE", message)
        return web.Response(status=204)

    def _fill(
        self, interaction: Interaction, payload: Mapping[str, Any], files: Mapping[str, Attached]
    ) -> None:
        """Let the payload take the place of a deferral, whose visibility stays whatever the payload says."""
        message = interaction.answer
        if message is None:
            raise Refusal(*UNKNOWN_MESSAGE)
        kept = self._kept.store(interaction.channel, files)
        visibility = message.flags & EPHEMERAL
        flags = int(payload.get("flags") or 0) & ~(EPHEMERAL | LOADING) | visibility
        ensure_valid(dict(payload) | {"flags": flags}, kept)
        message.payload = {"flags": visibility}
        message.change(dict(payload) | {"flags": flags}, kept)
        interaction.waits = False
        if not message.ephemeral:
            self.told("MESSAGE_UPDATE", message)

    def _say(
        self, interaction: Interaction, payload: Mapping[str, Any], files: Mapping[str, Attached]
    ) -> Message:
        told = interaction.metadata(person(interaction.user_id))
        said = self._kept.keep(interaction.channel, payload, files, token=interaction.token, metadata=told)
        if said.ephemeral:
            said.for_user = interaction.user_id
        else:
            self.told("MESSAGE_CREATE", said)
        return said

    def _alive(self, request: web.Request) -> Interaction:
        interaction = self._interactions.get(request.match_info["token"])
        if interaction is None or time.monotonic() - interaction.told_at > TOKEN_SECONDS:
            raise Refusal(*INVALID_TOKEN)
        return interaction

    def _answer_named(self, request: web.Request) -> tuple[Interaction, Message]:
        interaction, name = self._alive(request), request.match_info["message"]
        message = interaction.answer if name == "@original" else self._kept.get(int(name))
        if message is None or message.id not in self._kept:
            raise Refusal(*UNKNOWN_MESSAGE)
        if message.token != interaction.token and message is not interaction.answer:
            raise Refusal(*UNKNOWN_MESSAGE)
        return interaction, message
