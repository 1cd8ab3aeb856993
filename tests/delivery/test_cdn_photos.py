"""Photos from Discord's CDN: a real server with Discord's name, reached over TLS on this machine."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.delivery import CdnPhotoSource
from bot.delivery.cdn_photos import Find
from bot.errors import PhotoDelayed, PhotoUnavailable, Refused
from bot.jobs.models import Job, SourcePhoto
from bot.ui.reading.pictures import PhotoGone
from tests.support.jobs import staging
from tests.support.tls import certificate, contexts

HOST = "cdn.discordapp.com"
BYTES = b"\xff\xd8" + bytes(range(256)) * 4000
Answer = Callable[[web.Request], web.StreamResponse]


class ThisMachine(AbstractResolver):
    """Every name is this machine's."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def cdn(
    folder: Path, answer: Answer, find: Find | None = None
) -> AsyncGenerator[tuple[CdnPhotoSource, str]]:
    """A source, and the address of a photo that its server answers with `answer`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_get("/attachments/1/2/room.jpg", handle)
    serving, trusting = contexts(certificate(folder, HOST))

    def connect(**_: Any) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(ssl=trusting, resolver=ThisMachine())

    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving).start()
        port = runner.addresses[0][1]
        async with CdnPhotoSource(find or AsyncMock(), connect) as source:
            yield source, f"https://{HOST}:{port}/attachments/1/2/room.jpg"
    finally:
        await runner.cleanup()


async def fetched(folder: Path, answer: Answer, limit: int = 10_000_000) -> bytes:
    async with cdn(folder, answer) as (source, url):
        job = staging(source=SourcePhoto(url, "room.jpg", "image/jpeg", len(BYTES)))
        await source.fetch(job, folder / "photo", limit)
        return (folder / "photo").read_bytes()


@pytest.mark.parametrize("status", [302, 429, 500])
async def test_trouble_at_discord_is_said_to_be_that_and_no_redirect_is_followed(
    tmp_path: Path, status: int
) -> None:
    with pytest.raises(PhotoUnavailable, match="photo_not_fetched"):
        await fetched(tmp_path, lambda _: web.Response(status=status, headers={"Location": "/elsewhere"}))


@pytest.mark.promise
async def test_a_photo_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    with pytest.raises(PhotoUnavailable, match="photo_larger_than_taken"):
        await fetched(tmp_path, lambda _: web.Response(body=BYTES), limit=500_000)
    assert (tmp_path / "photo").stat().st_size <= 500_000


@pytest.mark.promise
@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.png",
        "https://example.com/a.png",
        "https://cdn.discordapp.com.example.com/a.png",
        "https://cdn.discordapp.com@example.com/a.png",
        "https://[x",
        "file:///etc/passwd",
    ],
)
async def test_photos_come_from_discord_and_from_nowhere_else(tmp_path: Path, url: str) -> None:
    async with CdnPhotoSource(AsyncMock()) as source:
        with pytest.raises(PhotoUnavailable):
            await source.fetch(staging(source=SourcePhoto(url, "a", None, 1)), tmp_path / "photo", 10)
    assert not (tmp_path / "photo").exists()


@pytest.mark.promise
async def test_discords_name_is_not_believed_where_it_leads_into_a_private_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    visits: list[None] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(None)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        source = SourcePhoto(f"https://{HOST}:{port}/attachments/1/2/p.jpg", "p.jpg", "image/jpeg", 10)
        async with CdnPhotoSource(AsyncMock()) as photos:
            with pytest.raises(PhotoDelayed):
                await photos.fetch(staging(source=source), tmp_path / "photo", 1000)
    assert not visits


def signed(request: web.Request) -> web.StreamResponse:
    return web.Response(body=BYTES) if request.query.get("ex") == "new" else web.Response(status=404)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(PhotoGone("gone"), "photo_gone"), (Refused("away"), "photo_not_fetched")],
)
async def test_a_photo_that_is_not_in_its_message_any_more_is_told_as_such(
    tmp_path: Path, trouble: Refused, code: str
) -> None:
    async def find(job: Job, source: SourcePhoto) -> SourcePhoto:
        raise trouble

    async with cdn(tmp_path, signed, find) as (source, url):
        photo = SourcePhoto(url, "room.jpg", "image/jpeg", len(BYTES), message_id=7)
        with pytest.raises(PhotoUnavailable, match=code):
            await source.fetch(staging(source=photo), tmp_path / "photo", 1000)


async def test_a_message_leads_to_no_other_host(tmp_path: Path) -> None:
    async def find(job: Job, source: SourcePhoto) -> SourcePhoto:
        return replace(source, url="https://example.com/room.jpg")

    async with cdn(tmp_path, signed, find) as (source, url):
        photo = SourcePhoto(url, "room.jpg", "image/jpeg", len(BYTES), message_id=7)
        with pytest.raises(PhotoUnavailable):
            await source.fetch(staging(source=photo), tmp_path / "photo", 1000)
