"""`health`, which is asked every minute, whatever else is wrong."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.discord.emulator import DiscordServer
from tests.cli.commands import ran
from tests.support.patience import PATIENCE
from tests.support.process import bot_process, environment


@pytest.mark.promise
async def test_health_is_asked_of_the_running_bot(tmp_path: Path, unused_tcp_port: int) -> None:
    port = {"HEALTH_PORT": str(unused_tcp_port)}
    async with (
        DiscordServer() as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9", **port),
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        status, told = 1, ""
        ended = asyncio.get_running_loop().time() + PATIENCE
        while status != 0 and asyncio.get_running_loop().time() < ended:  # the gateway is still greeting
            status, told, _ = await ran(tmp_path, "health", **port)
        assert status == 0, told
        assert '"ok": true' in told
    status, told, _ = await ran(tmp_path, "health", **port)
    assert status == 1
    assert "doesn't answer" in told


@pytest.mark.promise
def test_asking_for_the_health_imports_little(tmp_path: Path, unused_tcp_port: int) -> None:
    """It is a process of its own every minute: what the bot itself imports costs a second of processor."""
    program = "import sys; from bot.__main__ import main; print(main(['health']), *sys.modules)"
    asked = subprocess.run(  # noqa: S603
        (sys.executable, "-c", program),
        cwd=tmp_path,
        env=environment({"HEALTH_PORT": str(unused_tcp_port)}),
        capture_output=True,
        text=True,
        check=True,
    )
    words, _, last = asked.stdout.strip().rpartition("\n")
    status, *imported = last.split()
    assert (status, "doesn't answer" in words) == ("1", True)
    assert not {"aiohttp", "discord", "sqlalchemy", "PIL", "cryptography"} & set(imported)


@pytest.mark.promise
async def test_the_health_is_asked_whatever_else_is_wrong(tmp_path: Path, unused_tcp_port: int) -> None:
    port = str(unused_tcp_port)
    status, told, _ = await ran(tmp_path, "health", HEALTH_PORT=port, DISCORD_TOKEN="", SPOOL_MB="lots")
    assert (status, f"http://127.0.0.1:{port}/healthz doesn't answer" in told) == (1, True)
    wrong = [
        ("", "HEALTH_PORT isn't set"),
        ("80.5", "HEALTH_PORT must be a whole number from 0 to 65535"),
        ("65536", "HEALTH_PORT must be a whole number from 0 to 65535"),
        ("9" * 5000, "HEALTH_PORT must be a whole number from 0 to 65535"),
    ]
    for port, sentence in wrong:
        for told in ({}, {"HEALTH_ADDRESS": "127.0.0.1"}):
            status, _, errors = await ran(tmp_path, "health", HEALTH_PORT=port, **told)
            assert (status, sentence in errors) == (2, True), errors
