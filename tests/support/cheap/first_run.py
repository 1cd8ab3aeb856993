"""One run of the bot, after which everything is there that any run loads, compiles or translates."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

_WORKS = 1.0  # seconds that it works for once it is connected: what it does first is done then
_WITHIN = 60.0  # seconds until it has to be connected
_TOLD_WITHIN = 0.4  # seconds; two in earnest
_SERVER = 1 << 30
_PYTHONS_OWN = (700, 10, 10)  # when garbage is collected


def run_once() -> None:
    """Run the bot in this process, against a Discord in another, and stop it soon.

    Processes that are forked off later share what it has loaded, compiled and translated.
    """
    from tests.support.cheap.extensions import share_extensions
    from tests.support.cheap.payloads import share_payloads
    from tests.support.cheap.statements import share_statements
    from tests.support.cheap.upgrades import share_upgrades

    forever = pytest.MonkeyPatch()
    share_extensions(forever)
    share_payloads(forever)
    share_upgrades(forever)
    share_statements()
    _be_ready_soon()
    with TemporaryDirectory() as folder:
        _run(Path(folder))
    gc.set_threshold(*_PYTHONS_OWN)
    if threading.enumerate() != [threading.main_thread()]:
        raise RuntimeError(f"threads that would be missing in a fork: {threading.enumerate()}")


def _be_ready_soon() -> None:
    """Let bots wait less for servers that Discord may still tell of, which the sandbox tells at once."""
    from bot import app
    from bot.client.bot import StudiiBot

    class SoonReady(StudiiBot):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._connection.guild_ready_timeout = _TOLD_WITHIN

    app.StudiiBot = SoonReady  # type: ignore[misc]


def _run(folder: Path) -> None:
    from bot.__main__ import main
    from sandbox.discord.emulator import TOKEN
    from sandbox.discord.launch import point_to

    environment = {"DISCORD_TOKEN": TOKEN, "STUDII_API_URL": "http://127.0.0.1:9"}
    addresses, told = os.pipe()
    discord = os.fork()
    if not discord:
        asyncio.run(_discord(os.getppid(), told))
        os._exit(0)
    os.close(told)
    log = folder / "log"
    with os.fdopen(addresses) as told_here, pytest.MonkeyPatch.context() as patch, _logging_to(log):
        for name in os.environ:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        point_to(*told_here.readline().split())
        status = main(["run"])
    os.kill(discord, signal.SIGKILL)
    os.waitpid(discord, 0)
    if status or b"Ready as" not in log.read_bytes():
        raise RuntimeError(log.read_text())


async def _discord(bot: int, told: int) -> None:
    from sandbox.discord.emulator import DiscordServer

    async with DiscordServer(guilds=[_SERVER], message_content=True) as discord:
        with os.fdopen(told, "w") as addresses:
            addresses.write(f"{discord.api} {discord.cdn_address}\n")
        with suppress(TimeoutError):
            await asyncio.wait_for(discord.ready.wait(), _WITHIN)
        await asyncio.sleep(_WORKS)
        os.kill(bot, signal.SIGTERM)
        await asyncio.sleep(_WITHIN)  # until it is killed


@contextmanager
def _logging_to(file: Path) -> Generator[None]:
    """Send to the file what goes to standard error meanwhile."""
    kept = os.dup(2)
    with file.open("wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
