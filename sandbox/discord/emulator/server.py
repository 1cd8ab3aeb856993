"""An emulator of Discord on 127.0.0.1: its REST API, its gateway and its CDN, for bots in any process.

Facts: https://discord.com/developers/docs. It is as strict as Discord about what it takes and as forgetful
about what it tells later. It leaves out: compression of the gateway, voice, presence, lists of members,
webhooks of servers, forums, private threads, the checks of a command's definition, automod and slowmode. A
member of a server is whoever acts there; nobody has to join.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from ssl import SSLContext
from typing import Any, Self

from aiohttp import web

from sandbox.discord.emulator.account import Account
from sandbox.discord.emulator.answers import Answers
from sandbox.discord.emulator.channels import Channels
from sandbox.discord.emulator.faults import Fault, FaultHandler, Faults
from sandbox.discord.emulator.files import MAX_KEPT_FILE_BYTES, Attached, Cdn
from sandbox.discord.emulator.forms import ATTACHMENT_OPTION, is_offered
from sandbox.discord.emulator.gateway import Gateway
from sandbox.discord.emulator.ids import Ids
from sandbox.discord.emulator.interactions import COMMAND, COMPONENT, MODAL, Interaction, command_data, event
from sandbox.discord.emulator.limits import Limits, RateLimits
from sandbox.discord.emulator.messages import Message, Messages
from sandbox.discord.emulator.places import EVERYONE_PERMISSIONS, MIB, Channel, Guild, Places
from sandbox.discord.emulator.refusals import UNAUTHORIZED, Refusal, answer_with
from sandbox.discord.emulator.routes import routes
from sandbox.discord.emulator.sessions import Rules, Sessions

TOKEN = "sandbox.bot.token"  # noqa: S105 # of no use anywhere else
PREFIX = "/api/v10"
REAL = Limits()


class DiscordServer:
    """Discord while its context is open.

    With `tls` it speaks TLS, and `gateway` is the address that it tells for its gateway, instead of its own.
    `host` is this machine's name in all addresses. The bot is in the servers `guilds`, each of which has one
    channel with the server's own id. An interaction is to be answered in `answers` seconds. `rules` are
    the gateway's, and `limits` those of requests, if there are any. `keep_files`: bytes of the largest file
    that can be fetched again.

    A test in the same process steers it by these methods and by its parts: `places`, `messages`, `faults`,
    `sessions.rules`, `connections`, `limits`. `address` is where it listens.
    """

    def __init__(
        self,
        *,
        message_content: bool = False,
        guilds: Sequence[int] = (),
        tls: SSLContext | None = None,
        gateway: str | None = None,
        host: str = "127.0.0.1",
        answers: float = 3.0,
        rules: Rules | None = None,
        limits: Limits | None = REAL,
        keep_files: int = MAX_KEPT_FILE_BYTES,
    ) -> None:
        self._tls = tls
        self._gateway_told = gateway
        self._host = host
        self._runner: web.AppRunner | None = None
        self.address = ""
        self._numbers = Ids()
        self.before_answer: Callable[[], float] = lambda: 0.0
        self.after_request: Callable[[], None] = lambda: None
        self.requests: list[tuple[str, str]] = []
        self.places = Places()
        self.faults = Faults()
        self.limits = RateLimits(limits)
        self.sessions = Sessions(rules or Rules())
        self.cdn = Cdn(self._numbers, keep_files)
        self.messages = Messages(self._numbers, self.cdn)
        self.connections = Gateway(TOKEN, self.places, self.sessions, lambda: self.gateway)
        self.account = Account(self.places, self.sessions, lambda: self.gateway)
        self.channels = Channels(
            self.places, self.messages, self._numbers, self.cdn, self.tell, lambda: self.before_answer()
        )
        self._answers = Answers(self._numbers, self.messages, self.cdn, answers, lambda: self.before_answer())
        self._answers.told = self.channels.tell_of
        self.channels.sees_content = lambda: self.account.message_content
        self.allow_message_content(message_content)
        for guild_id in guilds:
            self.add_guild(guild_id)

    @property
    def api(self) -> str:
        """What takes the place of discord.py's `Route.BASE`."""
        return f"{self.address}{PREFIX}"

    @property
    def gateway(self) -> str:
        """What takes the place of discord.py's `DiscordWebSocket.DEFAULT_GATEWAY`."""
        return self._gateway_told or f"{self.address.replace('http', 'ws', 1)}/gateway/"

    @property
    def cdn_address(self) -> str:
        """What takes the place of the CDN's address."""
        return f"{self.address}/cdn"

    @property
    def ready(self) -> asyncio.Event:
        """Set when a bot has identified itself."""
        return self.connections.ready

    @property
    def intents(self) -> int | None:
        """What the last bot that identified itself wants to hear of."""
        return self.connections.intents

    @property
    def commands(self) -> list[dict[str, Any]]:
        """The commands that are registered."""
        return self.account.commands

    def allow_message_content(self, allowed: bool) -> None:
        """Let the application read what people write, or not."""
        self.account.message_content = self.connections.message_content = allowed

    # What is there.

    def add_guild(
        self,
        guild_id: int,
        channels: Iterable[int] | None = None,
        *,
        everyone: int = EVERYONE_PERMISSIONS,
        upload_limit: int = 10 * MIB,
    ) -> Guild:
        """Add the bot to a server: with one channel of the server's own id, if no others are named."""
        named = (guild_id,) if channels is None else channels
        guild = self.places.add_guild(guild_id, named, everyone, upload_limit)
        self.tell("GUILD_CREATE", guild_id, guild.told())
        return guild

    def remove_guild(self, guild_id: int) -> None:
        """Remove the bot from a server."""
        self.tell("GUILD_DELETE", guild_id, {"id": str(guild_id)})
        self.places.remove_guild(guild_id)

    def remove_channel(self, channel_id: int) -> Channel:
        """Delete a channel with its messages, as an admin does."""
        channel = self.places.channels.pop(channel_id)
        for message in [one for one in self.messages.values() if one.channel_id == channel_id]:
            if not message.ephemeral:
                del self.messages[message.id]
        if channel.guild_id is not None:
            del self.places.guilds[channel.guild_id].channels[channel_id]
        self.tell("CHANNEL_DELETE", channel.guild_id, channel.told())
        return channel

    def show_guild(self, guild_id: int) -> None:
        """End the server's outage."""
        guild = self.places.guilds[guild_id]
        guild.unavailable = False
        self.tell("GUILD_CREATE", guild_id, guild.told())

    def in_channel(self, channel_id: int) -> list[Message]:
        """Return the messages there that everyone sees, oldest first."""
        return [one for one in self.messages.values() if one.channel_id == channel_id and not one.ephemeral]

    def posted_by_people(self) -> list[Message]:
        """Return what people wrote, oldest first."""
        return [one for one in self.messages.values() if not one.of_the_bot]

    @property
    def posted(self) -> list[dict[str, Any]]:
        """The payloads of the bot's messages, as they are now."""
        return [one.payload for one in self.messages.values() if one.of_the_bot]

    # What people do.

    def command(
        self, channel_id: int, user_id: int, name: str, options: Mapping[str, Any] | None = None
    ) -> tuple[Interaction, dict[str, Any]]:
        """Begin a slash command without telling the gateway; return it, and what the gateway would tell.

        Raises ValueError for a file that the person's app would not let them choose.
        """
        self._ensure_offered(name, options or {})
        return self.begin(channel_id, user_id, COMMAND, command_data(name, options or {}))

    def menu(self, message: Message, user_id: int, name: str) -> tuple[Interaction, dict[str, Any]]:
        """Begin a command of a message's menu without telling the gateway."""
        return self.begin(message.channel_id, user_id, COMMAND, command_data(name, {}, message))

    def press(
        self, message: Message, user_id: int, custom_id: str, values: Sequence[str] | None = None
    ) -> tuple[Interaction, dict[str, Any]]:
        """Begin a press of a button (with `values`: a choice from a menu) without telling the gateway."""
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": 2}
        if values is not None:
            data |= {"component_type": 3, "values": list(values)}
        return self.begin(message.channel_id, user_id, COMPONENT, data, pressed=message)

    def submit(
        self, channel_id: int, user_id: int, custom_id: str, components: Sequence[Mapping[str, Any]]
    ) -> tuple[Interaction, dict[str, Any]]:
        """Begin the submission of a form without telling the gateway."""
        data = {"custom_id": custom_id, "components": list(components)}
        return self.begin(channel_id, user_id, MODAL, data)

    def _ensure_offered(self, name: str, given: Mapping[str, Any]) -> None:
        options = [one.get("options") for one in self.commands if one["name"] == name]
        for option in next(iter(options), None) or ():
            file = given.get(option["name"]) if option["type"] == ATTACHMENT_OPTION else None
            if file is not None and not is_offered(option.get("file_types") or (), file["filename"]):
                raise ValueError(f"the app offers no file like {file} for {option['name']!r}")

    def begin(
        self,
        channel_id: int,
        user_id: int,
        kind: int,
        data: Mapping[str, Any],
        *,
        pressed: Message | None = None,
        locale: str = "en-US",
    ) -> tuple[Interaction, dict[str, Any]]:
        """Begin an interaction with data of `inputs`, without telling the gateway."""
        interaction = self._answers.begin(self.places.channels[channel_id], user_id, kind, pressed)
        interaction.locale = locale
        return interaction, event(interaction, self.places.guild_of(interaction.channel), data)

    def send(self, begun: tuple[Interaction, Mapping[str, Any]]) -> Interaction:
        """Tell the gateway of an interaction. If nobody holds its shard, it is lost."""
        interaction, told = begun
        interaction.told_at = time.monotonic()
        self.tell("INTERACTION_CREATE", interaction.channel.guild_id, told)
        return interaction

    def post(
        self,
        channel_id: int,
        user_id: int,
        content: str = "",
        files: Mapping[str, tuple[bytes, str]] | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Let a member write there; files are their bytes and media types by name."""
        attached = {name: Attached(len(data), "", kind, data) for name, (data, kind) in (files or {}).items()}
        channel = self.places.channels[channel_id]
        payload: dict[str, Any] = {"content": content}
        if reply_to is not None:
            payload["message_reference"] = {"message_id": str(reply_to), "channel_id": str(channel_id)}
        message = self.messages.keep(channel, payload, attached, author_id=user_id)
        self.channels.tell_of("MESSAGE_CREATE", message)
        return message

    def upload(self, name: str, data: bytes, kind: str, channel_id: int) -> dict[str, Any]:
        """Let a member upload a file for a command's option; return it as an attachment."""
        kept = self.cdn.keep(name, Attached(len(data), "", kind, data), channel_id)
        return kept.told(name) | {"ephemeral": True}

    def react(self, message: Message, user_id: int, emoji: str) -> None:
        """Let a member put an emoji under a message."""
        self.channels.add_reaction(message, user_id, emoji)

    def unreact(self, message: Message, user_id: int, emoji: str) -> None:
        """Let a member take their emoji away."""
        self.channels.remove_reaction(message, user_id, emoji)

    def delete(self, message: Message) -> None:
        """Let somebody delete a message."""
        self.channels.remove(message)

    def tell(self, name: str, guild_id: int | None, data: Mapping[str, Any]) -> None:
        """Let the gateway tell of an event."""
        self.sessions.tell(name, guild_id, data)

    # What goes wrong.

    def fail(self, call: str, *faults: Fault) -> None:
        """Spoil the next requests of that kind (see `routes`), one after the other."""
        self.faults.add(call, *faults)

    def forget(self) -> None:
        """Forget everything that was said, asked, counted or spoilt."""
        self.messages.clear()
        self.cdn.forget()
        self._answers.forget()
        self.faults.clear()
        self.limits.clear()
        self.channels.forget_nonces()

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls, backlog=4096).start()
        port = self._runner.addresses[0][1]
        self.address = f"{'https' if self._tls else 'http'}://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connections.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=2**30, middlewares=[self._guard])
        for method, path, call, handler in routes(self.account, self.channels, self._answers):
            limited = self.limits.limited(call, self.faults.spoilt(call, handler))
            app.router.add_route(method, f"{PREFIX}{path}", limited)
        app.router.add_get("/gateway/", self.connections.serve)
        app.router.add_get("/cdn/{path:.*}", self.faults.spoilt("cdn", self.cdn.serve))
        return app

    def _ensure_authorized(self, request: web.Request, path: str) -> None:
        # Answers to interactions carry the interaction's token instead.
        by_token = path.startswith(("/interactions/", "/webhooks/", "/gateway/", "/cdn/"))
        allowed = request.headers.get("Authorization") == f"Bot {TOKEN}" and not self.sessions.token_reset
        if not (by_token or allowed):
            raise Refusal(*UNAUTHORIZED)

    @web.middleware
    async def _guard(self, request: web.Request, handler: FaultHandler) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        self.requests.append((request.method, path))
        try:
            self._ensure_authorized(request, path)
            response = await handler(request)
        except Refusal as refusal:
            response = answer_with({"message": str(refusal), "code": refusal.code}, status=refusal.status)
        self.limits.note(response.status)
        self.after_request()
        return response
