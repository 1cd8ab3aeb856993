"""Discord in memory: the sandbox's emulator, reached through the simulated network.

REST, gateway and CDN are at their real names. The emulator is as strict as Discord about what it takes (see
`sandbox/discord/emulator`); here is what it does by itself: lateness, order, and sessions that end.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.discord.emulator.answers import TOKEN_SECONDS
from sandbox.discord.emulator.files import Attached, Cdn
from sandbox.discord.emulator.gateway import (
    GIVEN_UP,
    HEARTBEAT,
    HEARTBEAT_ACK,
    HELLO,
    IDENTIFY,
    INVALID_SESSION,
    RESUME,
)
from sandbox.discord.emulator.ids import BEHIND, snowflake
from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.limits import RateLimits
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import Channel
from sandbox.discord.emulator.refusals import answer_with
from sandbox.discord.emulator.routes import routes
from sandbox.discord.emulator.server import PREFIX, REAL, DiscordServer
from sandbox.discord.emulator.sessions import MESSAGE_CONTENT, Closed, Rules, Session
from tests.simulation.loop import Clock
from tests.simulation.network import Connection, Network, Request, finish

API, GATEWAY, CDN = "discord.com", "gateway.discord.gg", "cdn.discordapp.com"
RECONNECT = 7  # https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway
NONCE_SECONDS = 300.0  # for which a nonce is known
LATE_EVENT = (0.01, 0.12)  # seconds from what happened to its event
OVERTAKEN = frozenset({"MESSAGE_CREATE", "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"})


@dataclass(frozen=True)
class Said:
    """What a message showed from a moment on. `edited`: it was there before, so nobody was notified."""

    at: float
    message: Message
    words: str
    files: tuple[str, ...]
    custom_ids: tuple[str, ...]
    pings: Mapping[str, Any] | None
    edited: bool

    @property
    def to(self) -> int | None:
        """Return who alone saw it, or None if a channel did."""
        return self.message.for_user if self.message.ephemeral else self.message.channel.recipient


class Discord(DiscordServer):
    """Discord, whose time is the clock's.

    `asked` are all interactions, and `heard` has, by their ids, whether a process was connected when the
    gateway told of it. `ever` are all messages, with those that were deleted, and `said` what the bot's
    showed, with each edit. `edits` counts those that others than one person saw: one's own message is also
    edited as its buttons are pressed. `deleted` are those that people deleted, and when. `too_late` are calls
    with tokens that had expired for longer than a minute.
    """

    name = "discord"

    def __init__(self, clock: Clock, network: Network) -> None:
        super().__init__(message_content=True, gateway=f"wss://{GATEWAY}/", rules=Rules(twice=2))
        self.clock, self._network, self._rand = clock, network, clock.random("discord")
        self._by_number: dict[int, Interaction] = {}
        self.heard: dict[int, bool] = {}
        self.asked: list[Interaction] = []
        self.ever: list[Message] = []
        self.said: list[Said] = []
        self.edits = 0
        self.too_late: list[tuple[Interaction, float, str]] = []
        self.deleted: dict[int, float] = {}
        self._by_token: dict[str, Interaction] = {}
        keep = self.messages.keep
        self.messages.keep = partial(self._remember, keep)
        vars(self.channels)["_nonces"] = _Nonces(clock)
        self._sockets: list[_Socket] = []
        # Discord's clock is its own: the machine's may jump.
        numbers = itertools.count(1)
        vars(self._numbers)["next"] = lambda: snowflake(clock.now - BEHIND, next(numbers) & 0x3FFFFF)
        self.limits = RateLimits(REAL, lambda: clock.now)
        vars(self.sessions)["_now"] = lambda: clock.now
        self.cdn.read = _read  # pyright: ignore[reportAttributeAccessIssue]
        self._routes = [
            (
                method,
                re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", f"{PREFIX}{path}")),
                self.limits.limited(call, handler),
            )
            for method, path, call, handler in routes(self.account, self.channels, self._answers)
        ]
        network.add(API, self)
        network.add(GATEWAY, self)
        network.add(CDN, _Cdn(self.cdn))

    def _remember(self, keep: Callable[..., Message], *args: Any, **more: Any) -> Message:
        message = keep(*args, **more)
        self.ever.append(message)
        where = "for" if message.ephemeral else "in"
        self.clock.note("says", where, message.channel_id, repr(message.words()[:200]), *message.files)
        if message.of_the_bot:
            change = message.change

            def changed(payload: Mapping[str, Any], files: Mapping[str, Attached]) -> None:
                change(payload, files)
                self._note(message, edited=True)

            vars(message)["change"] = changed
            self._note(message, edited=False)
        return message

    def _note(self, message: Message, *, edited: bool) -> None:
        if message.ephemeral and message.for_user is None and message.token is not None:
            message.for_user = self._by_token[message.token].user_id
        files = tuple(file.sha256 for file in message.files.values())
        pings, words = message.payload.get("allowed_mentions"), message.words()
        custom_ids = tuple(message.custom_ids())
        said = Said(self.clock.now, message, words, files, custom_ids, pings, edited)
        self.said.append(said)
        self.edits += edited and said.to is None
        if edited:
            self.clock.note("edits", message.channel_id, repr(words[:200]), *message.files)

    def answer(self, request: Any) -> web.StreamResponse:
        """Do what a request asks for."""
        if (token := re.search(r"/webhooks/\d+/([^/]+)", request.raw_path)) is not None:
            asked = self._by_token.get(token[1])
            if asked is not None and self.clock.now - asked.told_at > TOKEN_SECONDS + 60:
                self.too_late.append((asked, self.clock.now, request.method))
        for method, pattern, handler in self._routes:
            if method == request.method and (match := pattern.fullmatch(request.raw_path)):
                request.match_info = match.groupdict()
                return finish(self._guard(request, handler))
        raise NotImplementedError(f"{request.method} {request.path}")

    def delete(self, message: Message) -> None:
        """Let somebody delete a message."""
        self.clock.note("deleted", message.id, "in", message.channel_id)
        self.deleted[message.id] = self.clock.now
        super().delete(message)

    def remove_channel(self, channel_id: int) -> Channel:
        """Delete a channel with its messages, and note when."""
        self.clock.note("deleted channel", channel_id)
        self.deleted |= {one.id: self.clock.now for one in self.in_channel(channel_id)}
        return super().remove_channel(channel_id)

    def limited(self) -> web.Response:
        """Answer as if others had used up a shared limit."""
        wait = self._rand.choice((0.3, 1.5, 8.0))
        answer = answer_with(
            {"message": "You are being rate limited.", "retry_after": wait, "global": False}, 429
        )
        answer.headers.update({"Retry-After": str(wait), "X-RateLimit-Scope": "shared", "Via": "1.1 google"})
        return answer

    def send(self, begun: tuple[Interaction, Mapping[str, Any]]) -> Interaction:
        """Tell the gateway of an interaction, and remember it."""
        interaction, told = begun
        self.asked.append(interaction)
        self._by_number[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        what = told["data"].get("name") or told["data"].get("custom_id")
        self.clock.note("does", interaction.user_id, interaction.kind, what)
        return super().send(begun)

    def tell(self, name: str, guild_id: int | None, data: Mapping[str, Any]) -> None:
        """Let the gateway tell of an event, some moments later; some are overtaken by others."""
        late = self._rand.uniform(*LATE_EVENT)
        if name in OVERTAKEN and self._rand.random() < 0.05:
            late += self._rand.uniform(0, 2)
        self.clock.after(late, self._tell, name, guild_id, data)

    def _tell(self, name: str, guild_id: int | None, data: Mapping[str, Any]) -> None:
        connected = self.sessions.tell(name, guild_id, data)
        if name == "INTERACTION_CREATE":
            number = int(data["id"])
            self.heard[number] = connected > 0
            self._by_number[number].told_at = self.clock.now
        for one in self._sockets:
            one.pump()

    # The gateway.

    def upgrade(self, connection: Connection) -> "_Socket":
        """Begin a connection to the gateway."""
        made = _Socket(self, connection)
        self._sockets.append(made)
        return made

    def left(self, socket: "_Socket") -> None:
        """Forget a connection."""
        self._sockets.remove(socket)

    def disturb(self, how: str) -> None:
        """End the gateway's connections: `reconnect` asks for it, `lost` cuts them, and after `invalid` no
        session can be resumed."""
        for one in tuple(self._sockets):
            one.disturb(how)
        if how == "invalid":
            self.sessions.forget()


class _Nonces(dict[tuple[int, str], Message]):
    """Messages by channel and nonce, which are forgotten after some minutes."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def __setitem__(self, key: tuple[int, str], message: Message) -> None:
        super().__setitem__(key, message)
        self._clock.after(NONCE_SECONDS, self.pop, key, None)


class _Socket:
    """One connection to the gateway, of one session at a time."""

    def __init__(self, discord: Discord, connection: Connection) -> None:
        self._discord, self._connection = discord, connection
        self._session: Session | None = None
        self._sent, self._left = 0, False
        interval = int(discord.sessions.rules.heartbeat * 1000)
        self._send({"op": HELLO, "d": {"heartbeat_interval": interval}})

    def _send(self, event: Mapping[str, Any]) -> None:
        self._connection.send(json.dumps(event))

    def received(self, text: str) -> None:
        event = json.loads(text)
        try:
            match event["op"]:
                case op if op == HEARTBEAT:
                    self._send({"op": HEARTBEAT_ACK})
                case op if op == IDENTIFY:
                    self._identify(event["d"])
                case op if op == RESUME:
                    self._resume(event["d"])
                case _:
                    pass
        except Closed as closed:
            self._connection.close_with(closed.code)
            self.gone(closed.code)

    def _identify(self, data: Mapping[str, Any]) -> None:
        discord = self._discord
        allowed = MESSAGE_CONTENT if discord.account.message_content else 0
        session = discord.sessions.identify(data, allowed, discord.connections.guilds_of)
        discord.clock.note("identifies", session is not None)
        if session is None:
            self._send({"op": INVALID_SESSION, "d": False})
            return
        discord.connections.begin(session)
        self._use(session, 0)

    def _resume(self, data: Mapping[str, Any]) -> None:
        discord, number = self._discord, int(data["seq"] or 0)
        session = discord.sessions.resume(data["session_id"], number)
        discord.clock.note("resumes", session is not None)
        if session is None:
            self._send({"op": INVALID_SESSION, "d": False})
            return
        session.add("RESUMED", {})
        self._use(session, max(0, number - discord.sessions.rules.twice))

    def _use(self, session: Session, sent: int) -> None:
        self._session, self._sent = session, sent
        session.owner = self
        self.pump()

    def pump(self) -> None:
        """Send what the session has not been told."""
        session = self._session
        if session is not None and session.owner is self:
            for number, text in session.since(self._sent):
                self._connection.send(text)
                self._sent = number

    def disturb(self, how: str) -> None:
        if how == "reconnect":
            self._send({"op": RECONNECT, "d": None})
            return
        self._connection.hang_up()
        self.gone(None)

    def gone(self, code: int | None) -> None:
        if self._left:
            return
        self._left = True
        self._discord.left(self)
        if self._session is not None:
            self._discord.sessions.left(self._session, self, for_good=code in GIVEN_UP)


class _Cdn:
    """Serves the files that were attached."""

    name = "cdn"

    def __init__(self, cdn: Cdn) -> None:
        self._cdn = cdn

    def answer(self, request: Any) -> web.StreamResponse:
        request.match_info = {"path": request.path.removeprefix("/")}
        return finish(self._cdn.serve(request))

    def limited(self) -> web.Response:
        return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "2"})

    def upgrade(self, connection: Connection) -> Any:
        raise NotImplementedError


async def _read(request: Request) -> tuple[dict[str, Any], dict[str, Attached]]:
    """Return the payload and the files of a request."""
    if request.content_type == "application/json":
        return await request.json(), {}
    payload: dict[str, Any] = {}
    files: dict[str, Attached] = {}
    for name, filename, kind, data in request.parts():
        if name == "payload_json":
            payload = json.loads(data)
        else:
            files[str(filename)] = Attached(len(data), hashlib.sha256(data).hexdigest(), kind, data)
    return payload, files
