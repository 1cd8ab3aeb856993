"""The bot on a machine from which a proxy is the only way out, as a process with nothing else changed."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from unittest.mock import AsyncMock
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from bot.aio.net import Connector, Proxy
from bot.delivery import CdnPhotoSource
from bot.jobs.models import SourcePhoto
from sandbox.discord.emulator import DiscordServer
from sandbox.studii import StudiiServer
from tests.support.jobs import staging
from tests.support.patience import PATIENCE
from tests.support.process import environment, killed_at_the_end
from tests.support.proxy import PASSWORD, ConnectProxy
from tests.support.tls import certificate, contexts

HOSTS = ("discord.com", "gateway.discord.gg", "studii.tech")


@asynccontextmanager
async def proxied(folder: Path) -> AsyncGenerator[tuple[DiscordServer, ConnectProxy, Path]]:
    """Discord and Studii under their own names behind a proxy; their certificate's file."""
    file = certificate(folder, *HOSTS)
    serving, _ = contexts(file)
    gateway = "wss://gateway.discord.gg/gateway/"
    async with DiscordServer(tls=serving, gateway=gateway) as discord, StudiiServer(tls=serving) as studii:
        discord_port, studii_port = (urlsplit(url).port or 0 for url in (discord.api, studii.url))
        ways = dict(zip([f"{host}:443" for host in HOSTS], [discord_port] * 2 + [studii_port], strict=True))
        async with ConnectProxy(ways) as proxy:
            yield discord, proxy, file


@asynccontextmanager
async def bot(folder: Path, command: str, **settings: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", command),
        cwd=folder,
        env=environment({"LOG_LEVEL": "DEBUG", "COLUMNS": "300", **settings}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with killed_at_the_end(process):
        yield process


async def told(process: asyncio.subprocess.Process) -> str:
    out, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    return " ".join((out + errors).decode().split())


@pytest.mark.promise
async def test_the_bot_and_the_doctor_reach_everything_through_it(tmp_path: Path) -> None:
    async with proxied(tmp_path) as (discord, proxy, file):
        # In .env, where the operator's settings are; so libraries that look at the environment see nothing.
        (tmp_path / ".env").write_text(f"HTTPS_PROXY={proxy.address()}\n")
        async with bot(tmp_path, "run", SSL_CERT_FILE=str(file)) as process:
            await asyncio.wait_for(discord.ready.wait(), PATIENCE)
            process.send_signal(signal.SIGTERM)
            words = await told(process)
            assert process.returncode == 0, words
        assert set(proxy.asked) == {"discord.com:443", "gateway.discord.gg:443"}
        async with bot(tmp_path, "doctor", SSL_CERT_FILE=str(file)) as process:
            words += await told(process)
            assert process.returncode == 0, words
        assert "The token belongs to Studii" in words
        assert "https://studii.tech/api/v1 answers." in words
        assert PASSWORD not in words
        assert "pass%3A" not in words


@pytest.mark.promise
async def test_a_proxy_that_refuses_is_named_without_its_password(tmp_path: Path) -> None:
    async with proxied(tmp_path) as (_, proxy, file):
        settings = {"SSL_CERT_FILE": str(file), "HTTPS_PROXY": proxy.address("wrong-word")}
        async with bot(tmp_path, "doctor", **settings) as process:
            words = await told(process)
            assert process.returncode == 1
        assert f"the proxy 127.0.0.1:{proxy.port} refused the user and password in HTTPS_PROXY" in words
        assert "wrong-word" not in words


@pytest.mark.promise
async def test_photos_come_through_it(tmp_path: Path) -> None:
    host = "cdn.discordapp.com"
    serving, trusting = contexts(certificate(tmp_path, host))

    async def photo(_request: web.Request) -> web.Response:
        return web.Response(body=b"the photo")

    app = web.Application()
    app.router.add_get("/attachments/1/2/room.jpg", photo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving).start()
    async with ConnectProxy({f"{host}:443": runner.addresses[0][1]}) as proxy:
        connect = partial(Connector, Proxy.parse(proxy.address()), ssl=trusting)
        url = f"https://{host}/attachments/1/2/room.jpg"
        async with CdnPhotoSource(AsyncMock(), connect) as source:
            job = staging(source=SourcePhoto(url, "room.jpg", "image/jpeg", 9))
            await source.fetch(job, tmp_path / "photo", 100)
    await runner.cleanup()
    assert (tmp_path / "photo").read_bytes() == b"the photo"
    assert proxy.asked == [f"{host}:443"]
