"""A backup that leaves through standard output and comes back through standard input, as with a container."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from bot.__main__ import INTERRUPTED_STATUS
from bot.cli.maintenance import PIPE, restore
from bot.config import StorageSettings
from bot.sqlite_file import replacing
from sandbox.discord.emulator import DiscordServer
from tests.cli.commands import SECRET, keep_key, kept_key, names_in, ran
from tests.support.patience import PATIENCE, until
from tests.support.process import bot_process


@pytest.mark.promise
async def test_a_backup_goes_out_and_comes_back_through_pipes(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    theirs = [tmp_path / "data" / f"studii.db.{word}" for word in ("leaving", "coming", "part")]
    for file in theirs:
        file.write_text("dear")
    async with DiscordServer() as discord, bot_process(discord, tmp_path, "backup", "-") as process:
        copy, words = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, words
    assert copy.startswith(b"SQLite format 3\x00")
    assert str(tmp_path / "data" / "encryption.key") in words.decode()
    assert "docker compose run --rm -T studii restore - < FILE" in words.decode()
    assert SECRET.encode() not in copy
    await keep_key(tmp_path, "stu_another_key_since")
    status, told = await taken_back(tmp_path, copy)
    assert status == 0, told
    assert "studii.db.replaced-1" in told
    assert await kept_key(tmp_path) == SECRET
    assert [file.read_text() for file in theirs] == ["dear"] * 3
    names = {"studii.db", "studii.db.lock", "studii.db.replaced-1", "encryption.key"}
    assert names_in(tmp_path / "data") - {file.name for file in theirs} == names


@pytest.mark.promise
async def test_what_comes_in_and_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    for nonsense in (b"", b"Dear diary. " * 500):
        status, told = await taken_back(tmp_path, nonsense)
        assert status == 2
        assert "backup" in told
        assert "Nothing was changed" in told
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
async def test_nothing_is_left_on_a_new_machine_by_what_is_no_backup(tmp_path: Path) -> None:
    status, told = await taken_back(tmp_path, b"Dear diary. " * 500)
    assert (status, "Nothing was changed" in told) == (2, True)
    assert names_in(tmp_path) == set()


async def test_a_backup_that_is_not_there_or_was_cut_off_is_refused(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    status, _, errors = await ran(tmp_path, "restore", "gone.db")
    assert (status, "it doesn't exist. Nothing was changed." in errors) == (2, True), errors
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    whole = (tmp_path / "copy.db").read_bytes()
    (tmp_path / "copy.db").write_bytes(whole[: len(whole) // 2])
    status, _, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 2
    assert "isn't a sound backup: it is damaged. Nothing was changed." in errors
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("command", "part"), [("restore", ".coming"), ("backup", ".leaving")])
async def test_a_pipe_whose_other_end_does_nothing_keeps_nobody_waiting(
    tmp_path: Path, command: str, part: str, number: int
) -> None:
    await keep_key(tmp_path)
    data = tmp_path / "data"
    async with DiscordServer() as discord, bot_process(discord, tmp_path, command, "-") as process:
        await until(lambda: any(name.endswith(part) for name in names_in(data)), f"the file {part}")
        process.send_signal(number)
        told = await asyncio.wait_for(process.stderr.read(), PATIENCE)  # the pipe stays as it is
        await process.communicate()
    assert (process.returncode, told) == (INTERRUPTED_STATUS, b"Interrupted.\n")
    assert not [name for name in names_in(data) if name.endswith((part, ".part"))]
    assert await kept_key(tmp_path) == SECRET


async def taken_back(folder: Path, content: bytes) -> tuple[int | None, str]:
    """What `restore -` does with that on its standard input."""
    async with (
        DiscordServer() as discord,
        bot_process(discord, folder, "restore", "-") as process,
    ):
        out, errors = await asyncio.wait_for(process.communicate(content), PATIENCE)
        return process.returncode, (out + errors).decode()


def test_an_interrupt_while_a_file_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.sqlite_file._give_to_owner", interrupted)
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "studii.db"):
        pass
    settings = StorageSettings.read(database_url=f"sqlite:///{tmp_path / 'studii.db'}")
    with pytest.raises(KeyboardInterrupt):
        restore(settings, PIPE)
    assert names_in(tmp_path) == set()
