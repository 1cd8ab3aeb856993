"""What an operator types beside `run`: each is a process of its own, as on their machine."""

import asyncio
import errno
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.__main__ import main
from sandbox.discord.emulator import APPLICATION_ID, TOKEN, DiscordServer
from tests.cli.commands import SECRET, keep_key, kept_key, ran
from tests.support.patience import PATIENCE
from tests.support.process import bot_process


@pytest.mark.promise
async def test_the_invitation_asks_for_the_least(tmp_path: Path) -> None:
    status, told, errors = await ran(tmp_path, "invite")
    assert status == 0, errors
    asked = parse_qs(urlsplit(told).query)
    assert asked["client_id"] == [str(APPLICATION_ID)]
    assert set(asked["scope"][0].split()) == {"bot", "applications.commands"}
    permissions = int(asked["permissions"][0])
    assert permissions == sum(1 << bit for bit in (6, 10, 11, 15, 16, 18, 38))  # none that manages anything


async def test_what_works_on_files_alone_needs_no_token_and_minds_no_other_setting(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    for command in (("backup", "copy.db"), ("restore", "copy.db"), ("rotate-keys",)):
        status, _, errors = await ran(tmp_path, *command, DISCORD_TOKEN="", SPOOL_MB="lots")
        assert status == 0, errors
    assert await kept_key(tmp_path) == SECRET


async def test_a_running_bot_keeps_its_database_and_its_keys(tmp_path: Path) -> None:
    async with (
        DiscordServer() as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9"),
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
        for command in (("restore", "copy.db"), ("rotate-keys",)):
            status, _, errors = await ran(tmp_path, *command)
            assert status == 2
            assert "Stop it first" in errors


@pytest.mark.promise
@pytest.mark.parametrize("command", [("backup", "copy.db"), ("restore", "data/copy.db"), ("rotate-keys",)])
def test_a_folder_of_another_user_is_named_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    stat = Path.stat

    def closed(path: Path, **options: bool) -> os.stat_result:  # modes do not stop root
        if path.parent.name == "data":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    assert main(command) == 2
    told = capsys.readouterr().err
    assert re.match(r"The user who runs this isn't allowed to open \S*data/\S+\. If it is the bot's", told)
