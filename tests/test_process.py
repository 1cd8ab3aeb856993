"""What an operator sees of the process: it starts, it stops, and it says what is wrong with its settings."""

import asyncio
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from bot import app as bot_itself
from bot.sqlite_file import instance_lock
from sandbox.discord.emulator import DiscordServer, Rules
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE
from tests.support.process import bot_process, started_process, until_it_says

API = "http://127.0.0.1:9/api/v1"  # nobody is there, and a bot without jobs asks nobody


async def said(process: ForkedProcess | asyncio.subprocess.Process) -> str:
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    return errors.decode()


# One of them from its very start, which takes two seconds more.
@pytest.mark.promise
@pytest.mark.parametrize(
    ("start", "number"),
    [(started_process, signal.SIGTERM), (bot_process, signal.SIGINT)],
    ids=["term", "int"],
)
async def test_it_ends_cleanly_when_told_to(tmp_path: Path, start: Any, number: signal.Signals) -> None:
    async with (
        DiscordServer() as discord,
        start(discord, tmp_path, "run", STUDII_API_URL=API) as process,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        process.send_signal(number)
        errors = await said(process)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        assert (tmp_path / "data" / "studii.db").exists()


@pytest.mark.promise
async def test_it_ends_cleanly_while_it_still_waits_for_another_instance(tmp_path: Path) -> None:
    async with (
        DiscordServer() as discord,
        instance_lock(f"sqlite+aiosqlite:///{tmp_path}/data/studii.db"),
        bot_process(discord, tmp_path, "run", STUDII_API_URL=API) as process,
    ):
        await until_it_says(process, b"Another instance of the bot is running")
        process.send_signal(signal.SIGTERM)
        errors = await said(process)
        assert process.returncode == 0, errors
        assert not discord.ready.is_set()


@pytest.mark.promise
async def test_a_bot_that_identifies_too_soon_after_another_comes_up_a_little_later(tmp_path: Path) -> None:
    async with DiscordServer(rules=Rules(identify_every=600)) as discord:
        discord.sessions.identify({"intents": 1}, 0, discord.connections.guilds_of)
        async with bot_process(discord, tmp_path, "run", STUDII_API_URL=API):
            async with asyncio.timeout(PATIENCE):
                while discord.sessions.used < 2:  # noqa: ASYNC110 - counted by the emulator
                    await asyncio.sleep(0.02)
            assert not discord.ready.is_set()
            discord.sessions.rules.identify_every = 0.0
            await asyncio.wait_for(discord.ready.wait(), PATIENCE)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DISCORD_TOKEN", "", "DISCORD_TOKEN isn't set"),
        ("DISCORD_TOKEN", "a.wrong.one", "Discord refused DISCORD_TOKEN"),
        ("DATABASE_URL", "mysql://somewhere/else", "DATABASE_URL mysql is not supported"),
        ("STUDII_API_URL", "studii.tech", "STUDII_API_URL must be an address"),
        ("STUDII_TOOLS_FILE", "nowhere.toml", "nowhere.toml can't be read"),
        ("ENCRYPTION_KEYS", "short", "ENCRYPTION_KEYS"),
        ("MAX_SOURCE_MB", "many", "MAX_SOURCE_MB"),
    ],
)
async def test_a_wrong_setting_is_one_clear_line_and_a_failure(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    async with DiscordServer() as discord, bot_process(discord, tmp_path, "run", **{name: value}) as process:
        errors = await said(process)
        assert process.returncode == 2
        said_last = [line for line in errors.splitlines() if not line.endswith("is starting.")]
        assert len(said_last) == 1, errors
        assert sentence in said_last[0]


@pytest.mark.promise
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("is_running", [False, True])
async def test_it_ends_when_told_to_where_the_loop_has_no_signal_handlers(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, *, is_running: bool
) -> None:
    """As the loop of Windows."""
    serves = asyncio.Event()

    async def serve(_: object, stop: asyncio.Event, parts_run: asyncio.Event) -> None:
        if is_running:
            parts_run.set()
        serves.set()
        await stop.wait()
        assert is_running

    def no_handler(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(bot_itself, "_serve", serve)
    monkeypatch.setattr(bot_itself, "hide_memory", lambda: None)
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", no_handler)
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        running = asyncio.create_task(bot_itself.run(cast("Any", None)))
        await asyncio.wait_for(serves.wait(), PATIENCE)
        signal.raise_signal(number)
        await asyncio.wait_for(running, PATIENCE)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
