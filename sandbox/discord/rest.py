"""Discord's REST calls around messages and interactions, on 127.0.0.1, with a record of what was done.

For a bot that is logged in and not connected to the gateway. Facts:
https://discord.com/developers/docs/resources/message
https://discord.com/developers/docs/interactions/receiving-and-responding

It is as strict as Discord about what it takes and as forgetful about what it tells later. It knows no
permissions (but `readable`), rate limits, upload limits, threads or gateway, and makes no events.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.discord.answers import Answers
from sandbox.discord.interactions import command, press
from sandbox.discord.messages import (
    BOT,
    BOT_ID,
    UNKNOWN_MESSAGE,
    Message,
    Messages,
    Refusal,
    answer_with,
    ensure_valid,
    read_request,
)

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
        self.messages = Messages()
        self.sends = 0
        self.url = ""
        self.readable = True
        self.before_answer: Callable[[], float] = lambda: 0.0
        self._answers = answers = Answers(self.messages, first_answer, lambda: self.before_answer())
        self._faults: list[tuple[str, Fault]] = []
        self._nonces: dict[str, Message] = {}
        app = web.Application(client_max_size=2**30, middlewares=[self._answer_refusals])
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_put("/applications/{application}/commands", self._commands)
        answer, message = "/webhooks/{application}/{token}", "/channels/{channel}/messages/{message}"
        for method, path, name, handler in (
            ("POST", "/interactions/{interaction}/{token}/callback", "callback", answers.callback),
            ("POST", answer, "followup", answers.followup),
            ("GET", f"{answer}/messages/{{message}}", "original", answers.look_at),
            ("PATCH", f"{answer}/messages/{{message}}", "answer", answers.edit),
            ("DELETE", f"{answer}/messages/{{message}}", "answer", answers.delete),
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

    def slash(
        self, guild_id: int, channel_id: int, user_id: int, name: str, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Somebody uses a slash command; returns what the gateway tells the bot of it."""
        return command(self._answers.begin(channel_id), guild_id, user_id, name, options)

    def press(self, guild_id: int, message: Message, user_id: int, custom_id: str) -> dict[str, Any]:
        """Somebody presses a button; returns what the gateway tells the bot of it."""
        return press(self._answers.begin(message.channel_id, message), guild_id, user_id, custom_id)

    def fail(self, call: str, *faults: Fault) -> None:
        """Spoil the next requests of that kind, one after the other."""
        self._faults += [(call, fault) for fault in faults]

    def forget(self) -> None:
        """As if nothing had ever been said, asked or spoilt."""
        self.messages.clear()
        self._answers.forget()
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
            return answer_with({"message": str(refusal), "code": refusal.code}, status=refusal.status)

    async def _me(self, _: web.Request) -> web.Response:
        return answer_with(BOT)

    async def _application(self, _: web.Request) -> web.Response:
        about = {
            "id": str(BOT_ID),
            "name": "Studii",
            "description": "",
            "icon": None,
            "owner": BOT,
            "flags": 0,
        }
        return answer_with(about | {"bot_public": True, "bot_require_code_grant": False, "verify_key": ""})

    async def _commands(self, _: web.Request) -> web.Response:
        return answer_with([])

    async def _open_dm(self, request: web.Request) -> web.Response:
        person = (await request.json())["recipient_id"]
        recipient = BOT | {"id": str(person), "bot": False}
        return answer_with({"id": str(dm_of(int(person))), "type": 1, "recipients": [recipient]})

    async def _send(self, request: web.Request) -> web.Response:
        channel = int(request.match_info["channel"])
        payload, files = await read_request(request)
        self.sends += 1
        nonce = payload.get("nonce")
        known = self._nonces.get(str(nonce)) if payload.get("enforce_nonce") else None
        if known is None:
            ensure_valid(payload)
            self._ensure_target(payload)
            known = self.messages.keep(channel, payload, files)
            if nonce is not None:
                self._nonces[str(nonce)] = known
        elif known.id not in self.messages:  # it was deleted since
            raise Refusal(*UNKNOWN_MESSAGE)
        await asyncio.sleep(self.before_answer())
        return answer_with(known.as_discord_tells() | {"nonce": nonce})

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
        return answer_with([one.as_discord_tells() for one in told[-limit:][::-1]])

    async def _edit(self, request: web.Request) -> web.Response:
        payload, files = await read_request(request)
        message = self._named(request)
        message.change(payload, files)
        return answer_with(message.as_discord_tells())

    async def _delete(self, request: web.Request) -> web.Response:
        del self.messages[self._named(request).id]
        return web.Response(status=204)

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


def dm_of(user_id: int) -> int:
    """The channel of the direct messages with somebody."""
    return user_id + 1
