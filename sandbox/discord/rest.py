"""Discord's REST calls around messages and interactions, on 127.0.0.1, with a record of what was done.

For a bot that is logged in and not connected to the gateway. Facts:
https://discord.com/developers/docs/resources/message
https://discord.com/developers/docs/interactions/receiving-and-responding

It is as strict as Discord about what it takes and as forgetful about what it tells later. It knows no
permissions (but `readable`), rate limits, upload limits, threads or gateway, and makes no events.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.discord.interactions import Interaction, command, press
from sandbox.discord.messages import (
    BOT,
    BOT_ID,
    EPHEMERAL,
    UNKNOWN_MESSAGE,
    Attached,
    Message,
    Refusal,
    ensure_valid,
    read_message,
    snowflake,
)

BEHIND = 20.0  # seconds that Discord's clock is behind ours
TOKEN_SECONDS = 15 * 60.0
UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
INVALID_TOKEN = (401, 50027, "Invalid Webhook Token")
MISSING_ACCESS = (403, 50001, "Missing Access")

# What can be spoilt: `callback`, `original` (a look at an answer), `followup`, `answer` (its edit or removal
# by token), `send`, `edit`, `delete`, `history`, `dm`.
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """How a request goes wrong: the status of a page that a proxy made (None: the connection is reset),
    before or `after` it has taken effect.

    `delay`: seconds until the answer; with `status` 200 that is all that goes wrong. `refusal`: what Discord
    itself says instead of doing it.
    """

    status: int | None = 502
    after: bool = False
    delay: float = 0.0
    refusal: tuple[int, int, str] | None = None


class DiscordRest:
    """Serves while its context is open; `url` takes the place of discord.py's `Route.BASE`.

    A message whose nonce is known is not made a second time, until `forget_nonces`. `before_answer` says how
    many seconds pass between a message's being taken and its sender's being told. `readable`: whether the bot
    may read what was sent in its channels. `first_answer`: seconds in which an interaction is to be answered.
    """

    def __init__(self, *, first_answer: float = 3.0) -> None:
        self.messages: dict[int, Message] = {}
        self.sends = 0
        self.url = ""
        self.readable = True
        self.before_answer: Callable[[], float] = lambda: 0.0
        self._first_answer = first_answer
        self._interactions: dict[str, Interaction] = {}  # by token
        self._faults: list[tuple[str, Fault]] = []
        self._nonces: dict[str, Message] = {}
        self._numbers = count(1)
        app = web.Application(client_max_size=2**30, middlewares=[self._answer_refusals])
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_put("/applications/{application}/commands", self._commands)
        answer, message = "/webhooks/{application}/{token}", "/channels/{channel}/messages/{message}"
        for method, path, name, handler in (
            ("POST", "/interactions/{interaction}/{token}/callback", "callback", self._callback),
            ("POST", answer, "followup", self._followup),
            ("GET", f"{answer}/messages/{{message}}", "original", self._look_at_answer),
            ("PATCH", f"{answer}/messages/{{message}}", "answer", self._edit_answer),
            ("DELETE", f"{answer}/messages/{{message}}", "answer", self._delete_answer),
            ("POST", "/users/@me/channels", "dm", self._open_dm),
            ("POST", "/channels/{channel}/messages", "send", self._send),
            ("GET", "/channels/{channel}/messages", "history", self._history),
            ("PATCH", message, "edit", self._edit),
            ("DELETE", message, "delete", self._delete),
        ):
            app.router.add_route(method, path, self._spoilt(name, handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    def in_channel(self, channel_id: int) -> list[Message]:
        """The messages that stand there for everyone, oldest first."""
        return [one for one in self.messages.values() if one.channel_id == channel_id and not one.ephemeral]

    def put_card(self, channel_id: int) -> int:
        """A message that the bot has posted before, as a command's answer; returns its id."""
        return self._keep(channel_id, {"content": "A card"}, {}).id

    def slash(
        self, guild_id: int, channel_id: int, user_id: int, name: str, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Somebody uses a slash command; returns what the gateway tells the bot of it."""
        return command(self._interaction(channel_id), guild_id, user_id, name, options)

    def press(self, guild_id: int, message: Message, user_id: int, custom_id: str) -> dict[str, Any]:
        """Somebody presses a button; returns what the gateway tells the bot of it."""
        return press(self._interaction(message.channel_id, message), guild_id, user_id, custom_id)

    def fail(self, call: str, *faults: Fault) -> None:
        """Spoil the next requests of that kind, one after the other."""
        self._faults += [(call, fault) for fault in faults]

    def forget(self) -> None:
        """As if nothing had ever been said, asked or spoilt."""
        self.messages.clear()
        self._interactions.clear()
        self._faults.clear()
        self._nonces.clear()

    def forget_nonces(self) -> None:
        """As after a few minutes."""
        self._nonces.clear()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def _spoilt(self, call: str, handler: _Handler) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            found = next((one for one in self._faults if one[0] == call), None)
            if found is None:
                return await handler(request)
            self._faults.remove(found)
            fault = found[1]
            if fault.refusal is not None:
                raise Refusal(*fault.refusal)
            answer: web.StreamResponse | None = None
            if fault.after or fault.status == 200:
                answer = await handler(request)
            await asyncio.sleep(fault.delay)
            if fault.status == 200 and answer is not None:
                return answer
            if fault.status is None and request.transport is not None:
                request.transport.abort()
            return web.Response(text="<html>", status=fault.status or 502, content_type="text/html")

        return handle

    @web.middleware
    async def _answer_refusals(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _answer({"message": str(refusal), "code": refusal.code}, status=refusal.status)

    async def _me(self, _: web.Request) -> web.Response:
        return _answer(BOT)

    async def _application(self, _: web.Request) -> web.Response:
        about = {
            "id": str(BOT_ID),
            "name": "Studii",
            "description": "",
            "icon": None,
            "owner": BOT,
            "flags": 0,
        }
        return _answer(about | {"bot_public": True, "bot_require_code_grant": False, "verify_key": ""})

    async def _commands(self, _: web.Request) -> web.Response:
        return _answer([])

    async def _open_dm(self, request: web.Request) -> web.Response:
        person = (await request.json())["recipient_id"]
        recipient = BOT | {"id": str(person), "bot": False}
        return _answer({"id": str(dm_of(int(person))), "type": 1, "recipients": [recipient]})

    async def _callback(self, request: web.Request) -> web.Response:
        body, files = await _read(request)
        interaction = self._interactions.get(request.match_info["token"])
        if interaction is None or time.monotonic() - interaction.given_at > self._first_answer:
            raise Refusal(*UNKNOWN_INTERACTION)
        if interaction.answered:
            raise Refusal(*ALREADY_ACKNOWLEDGED)
        payload: dict[str, Any] = body.get("data") or {}
        match body["type"]:
            case 4:
                ensure_valid(payload)
                interaction.answer = self._keep(interaction.channel_id, payload, files, interaction.token)
            case 5:
                interaction.answer = self._keep(
                    interaction.channel_id, {"content": "…"} | payload, {}, interaction.token
                )
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
        await asyncio.sleep(self.before_answer())
        return _answer({"interaction": told, "resource": resource})

    async def _followup(self, request: web.Request) -> web.Response:
        payload, files = await _read(request)
        interaction = self._alive(request)
        if interaction.waits and interaction.answer is not None:  # it takes the place of the deferral
            interaction.waits = False
            visibility = interaction.answer.flags & EPHEMERAL
            interaction.answer.payload = {"flags": visibility}
            kept = int(payload.get("flags") or 0) & ~EPHEMERAL | visibility
            interaction.answer.change(payload | {"flags": kept}, files)
            return _answer(interaction.answer.as_discord_tells())
        ensure_valid(payload)
        said = self._keep(interaction.channel_id, payload, files, interaction.token)
        return _answer(said.as_discord_tells())

    async def _look_at_answer(self, request: web.Request) -> web.Response:
        return _answer(self._answer_named(request).as_discord_tells())

    async def _edit_answer(self, request: web.Request) -> web.Response:
        payload, files = await _read(request)
        message = self._answer_named(request)
        message.change(payload, files)
        return _answer(message.as_discord_tells())

    async def _delete_answer(self, request: web.Request) -> web.Response:
        del self.messages[self._answer_named(request).id]
        return web.Response(status=204)

    async def _send(self, request: web.Request) -> web.Response:
        channel = int(request.match_info["channel"])
        payload, files = await _read(request)
        self.sends += 1
        nonce = payload.get("nonce")
        known = self._nonces.get(str(nonce)) if payload.get("enforce_nonce") else None
        if known is None:
            ensure_valid(payload)
            self._ensure_target(payload)
            known = self._keep(channel, payload, files)
            if nonce is not None:
                self._nonces[str(nonce)] = known
        elif known.id not in self.messages:  # it was deleted since
            raise Refusal(*UNKNOWN_MESSAGE)
        await asyncio.sleep(self.before_answer())
        return _answer(known.as_discord_tells() | {"nonce": nonce})

    async def _history(self, request: web.Request) -> web.Response:
        if not self.readable:
            raise Refusal(*MISSING_ACCESS)
        told, limit = (
            self.in_channel(int(request.match_info["channel"])),
            int(request.query.get("limit", "50")),
        )
        if "before" in request.query:
            told = [one for one in told if one.id < int(request.query["before"])]
        if "after" in request.query:
            told = [one for one in told if one.id > int(request.query["after"])][:limit]
        return _answer([one.as_discord_tells() for one in told[-limit:][::-1]])

    async def _edit(self, request: web.Request) -> web.Response:
        payload, files = await _read(request)
        message = self._named(request)
        message.change(payload, files)
        return _answer(message.as_discord_tells())

    async def _delete(self, request: web.Request) -> web.Response:
        del self.messages[self._named(request).id]
        return web.Response(status=204)

    def _interaction(self, channel_id: int, pressed: Message | None = None) -> Interaction:
        number = self._number()
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
        message = interaction.answer if name == "@original" else self.messages.get(int(name))
        if message is None or message.id not in self.messages or message.token != interaction.token:
            raise Refusal(*UNKNOWN_MESSAGE)
        return message

    def _named(self, request: web.Request) -> Message:
        message = self.messages.get(int(request.match_info["message"]))
        if message is None or message.channel_id != int(request.match_info["channel"]) or message.ephemeral:
            raise Refusal(*UNKNOWN_MESSAGE)
        return message

    def _ensure_target(self, payload: Mapping[str, Any]) -> None:
        reference: Mapping[str, Any] = payload.get("message_reference") or {}
        target = reference.get("message_id")
        if target is None or not reference.get("fail_if_not_exists", True):
            return
        if int(target) not in self.messages:
            raise Refusal(400, 50035, "Unknown message")

    def _keep(
        self,
        channel_id: int,
        payload: Mapping[str, Any],
        files: Mapping[str, Attached],
        token: str | None = None,
    ) -> Message:
        message = Message(self._number(), channel_id, dict(payload), dict(files), token=token)
        self.messages[message.id] = message
        return message

    def _number(self) -> int:
        return snowflake(time.time() - BEHIND, next(self._numbers) & 0x3FFFFF)


def dm_of(user_id: int) -> int:
    """The channel of the direct messages with somebody."""
    return user_id + 1


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, Attached]]:
    try:
        return await read_message(request)
    except OSError:  # the sender is gone: nothing was taken
        raise Refusal(400, 0, "Bad Request") from None


def _answer(content: Any, status: int = 200) -> web.Response:
    # Without a charset, as Discord answers: discord.py compares the whole header.
    return web.Response(body=json.dumps(content).encode(), status=status, content_type="application/json")
