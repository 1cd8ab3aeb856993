"""Serves the page of the demo: its files, uploads, and one WebSocket for each open page.

A page says who looks at which channel in which language, and what that person does; it is told what has
changed since. Nothing is sent, and nothing is worked out, while nothing happens.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

from aiohttp import WSMsgType, web
from discord import Locale

from bot.languages import OWN_NAMES, Language, known_language
from sandbox.demo.acts import Acts, File, NotPossibleError
from sandbox.demo.place import MAYA, PEOPLE, PHOTO_DESK, SERVER
from sandbox.demo.view import View
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.inputs import NotFilledInError

STATIC = Path(__file__).parent / "static"
GATHER_SECONDS = 0.05  # in which changes are told together
KEPT_BYTES = 512 * 1024 * 1024  # of uploads that were not used yet
MAX_UPLOAD_BYTES = 100 * 1024 * 1024  # bytes of one upload
# The languages that the bot speaks, by Discord's names; of two for one language, the later in the alphabet.
LOCALES = {
    max(one.value for one in Locale if known_language(one.value) is language): OWN_NAMES[language]
    for language in Language
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class TourShown:
    """How far the tour is, as the page shows it."""

    total: int = 0
    number: int = 0
    title: str = ""
    detail: str = ""
    failed: bool = False
    running: bool = False


@dataclass
class _Reader:
    """An open page: who looks where, and what it was told last."""

    socket: web.WebSocketResponse
    changed: asyncio.Event
    who: int = MAYA
    channel_id: int = PHOTO_DESK
    locale: str = "en-US"
    told: dict[str, str] = field(default_factory=dict[str, str])


class Site:
    """The page, on 127.0.0.1 while its context is open."""

    def __init__(self, server: DiscordServer, *, port: int = 0) -> None:
        self._server = server
        self._port = port
        self._view = View(server)
        self.acts = Acts(server, self._view)
        self.tour = TourShown()
        self._play: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._readers: list[_Reader] = []
        self._uploads: dict[str, File] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._hosts: tuple[str, ...] = ()
        self.url = ""
        server.after_request = self.changed

    def changed(self) -> None:
        """Tell every open page what is new."""
        for reader in self._readers:
            reader.changed.set()

    def offer_tour(self, play: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Offer a tour, which `play` runs."""
        self._play = play
        self.changed()

    def show(self, tour: TourShown) -> None:
        """Show how far the tour is."""
        self.tour = tour
        self.changed()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_UPLOAD_BYTES, middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/live", self._live)
        app.router.add_post("/upload", self._upload)
        app.router.add_get("/cdn/{path:.*}", self._server.cdn.serve)
        app.router.add_static("/static/", STATIC)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        port = self._runner.addresses[0][1]
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.url = f"http://{self._hosts[0]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in tuple(self._readers):
            await reader.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        # Other pages in the same browser must not act here, under whatever name they reach this address.
        origin = request.headers.get("Origin")
        if request.host not in self._hosts or (origin and origin.partition("://")[2] not in self._hosts):
            raise web.HTTPForbidden
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _upload(self, request: web.Request) -> web.Response:
        data = await request.read()
        token = secrets.token_hex(8)
        self._uploads[token] = (request.query["name"], data, request.content_type)
        while sum(len(one) for _, one, _ in self._uploads.values()) > KEPT_BYTES:
            del self._uploads[next(iter(self._uploads))]
        return web.json_response({"upload": token})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        reader = _Reader(socket, asyncio.Event())
        self._readers.append(reader)
        teller = asyncio.create_task(self._tell(reader), name="page teller")
        try:
            await socket.send_json({"server": SERVER, "people": self._view.people(), "locales": LOCALES})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._start(self._do(reader, json.loads(message.data)))
        finally:
            self._readers.remove(reader)
            teller.cancel()
            with suppress(asyncio.CancelledError):
                await teller
        return socket

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, reader: _Reader) -> None:
        """Tell the page each part of what it shows, when it has changed."""
        while True:
            await reader.changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            reader.changed.clear()
            news = {name: text for name, text in self._shown(reader).items() if reader.told.get(name) != text}
            if news:
                reader.told |= news
                parts = ",".join(f'"{name}":{text}' for name, text in news.items())
                await reader.socket.send_str(f"{{{parts}}}")

    def _shown(self, reader: _Reader) -> dict[str, str]:
        if not self._view.sees(reader.who, reader.channel_id):
            reader.channel_id = PHOTO_DESK
        shown: dict[str, Any] = {
            "names": self._view.names(),
            "channels": self._view.channels(reader.who),
            "commands": self._view.commands(reader.who, reader.channel_id, reader.locale),
            "messages": {
                "channel": str(reader.channel_id),
                "who": str(reader.who),
                "all": self._view.messages(reader.who, reader.channel_id),
            },
            "tour": asdict(self.tour) | {"offered": self._play is not None},
        }
        return {name: json.dumps(value) for name, value in shown.items()}

    async def _do(self, reader: _Reader, wish: Mapping[str, Any]) -> None:
        try:
            answer = await self._done(reader, wish)
        except (NotPossibleError, NotFilledInError) as error:
            answer = {"error": str(error)}
        except (KeyError, ValueError, TypeError, StopIteration):
            answer = {"error": "That isn't possible here."}
        self.changed()
        with suppress(ConnectionError):
            await reader.socket.send_json({"re": wish.get("id"), **answer})

    async def _done(self, reader: _Reader, wish: Mapping[str, Any]) -> dict[str, Any]:
        who, where, acts = reader.who, reader.channel_id, self.acts
        match wish["do"]:
            case "look":
                return self._look(reader, wish)
            case "command":
                values = {name: self._file(value) for name, value in wish["values"].items()}
                return await acts.command(
                    who, where, wish["path"], values, locale=reader.locale, focused=wish.get("focused")
                )
            case "menu":
                return await acts.menu(who, int(wish["message"]), wish["name"], locale=reader.locale)
            case "press":
                return await acts.press(
                    who, int(wish["message"]), wish["button"], wish.get("values"), locale=reader.locale
                )
            case "submit":
                values = {name: self._files(value) for name, value in wish["values"].items()}
                return await acts.submit(who, wish["token"], values)
            case "post":
                files = self._files(wish.get("files", []))
                reply_to = int(wish["reply_to"]) if wish.get("reply_to") else None
                acts.post(who, where, wish["words"], files, reply_to)
            case "react":
                acts.react(who, int(wish["message"]), wish["emoji"])
            case "delete":
                acts.delete(who, int(wish["message"]))
            case "tour":
                self._start_tour()
            case _:
                raise NotPossibleError("That isn't possible here.")
        return {}

    def _look(self, reader: _Reader, wish: Mapping[str, Any]) -> dict[str, Any]:
        who = int(wish["who"])
        if who not in {one.id for one in PEOPLE} or wish["locale"] not in LOCALES:
            raise NotPossibleError("There is no such person here.")
        reader.who, reader.channel_id, reader.locale = who, int(wish["channel"] or PHOTO_DESK), wish["locale"]
        return {}

    def _start_tour(self) -> None:
        if self._play is None or self.tour.running:
            raise NotPossibleError("The tour is already running.")
        self.show(replace(self.tour, running=True))
        self._start(self._play())

    def _file(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = self._uploads.pop(str(cast("dict[str, Any]", value)["upload"]), None)
        if found is None:
            raise NotPossibleError("The file didn't arrive. Choose it again.")
        return found

    def _files(self, value: Any) -> Any:
        return [self._file(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value
