"""`doctor` fails exactly where the bot would not start or not work, and says in plain words what to do."""

import asyncio
import errno
import re
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from discord.http import Route

from bot.cli.doctor import Verdict, of_settings
from bot.media import pool
from bot.media.pool import DecoderProcess
from sandbox.discord.emulator import TOKEN
from tests.cli.commands import keep_key, ran
from tests.cli.doctor import found, stopping


async def test_nothing_stops_a_good_setup_before_and_after_the_first_start(
    tmp_path: Path, around: dict[str, str]
) -> None:
    assert stopping(await found(around)) == set()
    await keep_key(tmp_path)
    findings = await found(around)
    assert stopping(findings) == set()
    assert set(findings) == {
        *(
            "Settings",
            "Discord",
            "Clock",
            "Intents",
            "Disk",
            "Bot",
        ),
        *("Encryption key", "Database", "Ledger", "Pictures", "Studii"),
    }


@pytest.mark.promise
async def test_wrong_settings_are_told_as_the_start_tells_them(tmp_path: Path) -> None:
    told = [
        await ran(tmp_path, command, SPOOL_MB="lots", DISCORD_TOKEN="7001", COLUMNS="300")
        for command in ("doctor", "run")
    ]
    assert told[0] == told[1]
    status, out, errors = told[0]
    assert (status, out) == (2, "")
    assert "SPOOL_MB must be a whole number of at least 50." in errors
    assert "not the application's id, public key or client secret" in errors


@pytest.mark.promise
async def test_a_check_that_fails_unexpectedly_hides_no_other(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_path: Path) -> None:
        raise ZeroDivisionError("with a password")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    findings = await found(around)
    assert stopping(findings) == {"Disk"}
    assert "ZeroDivisionError at test_doctor.py:" in findings["Disk"].words
    assert "password" not in findings["Disk"].words


@pytest.mark.promise
async def test_files_of_another_user_are_named_and_no_reason_to_report_a_fault(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "data" / "spool")

    def closed(_path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", place)

    monkeypatch.setattr(shutil, "disk_usage", closed)
    findings = await found(around)
    assert stopping(findings) == {"Disk"}
    assert findings["Disk"].words.startswith(f"The user who runs this isn't allowed to open {place}.")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("line", "mode", "minded"),
    [
        (f"DISCORD_TOKEN={TOKEN}", 0o644, True),
        (f"discord_token={TOKEN}", 0o602, True),
        (f"DISCORD_TOKEN={TOKEN}", 0o640, True),
        (f"DISCORD_TOKEN={TOKEN}", 0o600, False),
        ("DATABASE_URL=postgresql://bot:word@db/studii", 0o644, True),
        ("ENCRYPTION_KEYS=newest", 0o644, True),
        ("DISCORD_TOKEN=\nDISCORD_TOKEN_FILE=/run/secrets/discord_token", 0o644, False),
    ],
)
def test_a_dotenv_file_that_others_can_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, mode: int, minded: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    file.chmod(mode)
    findings = {one.what: one for one in of_settings()}
    assert (".env" in findings) is minded
    if minded:
        assert findings[".env"].verdict is Verdict.WARN
        assert f"chmod 600 {file}" in findings[".env"].words


@pytest.mark.promise
@pytest.mark.parametrize(("off", "where"), [(95, "ahead of"), (-3_600, "behind")])
async def test_a_clock_that_is_off_is_told(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch, off: int, where: str
) -> None:
    assert (await found(around))["Clock"].verdict is Verdict.GOOD

    def now(_: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=off)

    monkeypatch.setattr("bot.client.login.SystemClock.now", now)
    clock = (await found(around))["Clock"]
    assert clock.verdict is Verdict.WARN
    seconds = re.search(rf"is ([\d,]+) seconds {where} Discord's", clock.words)
    assert seconds is not None
    assert abs(int(seconds[1].replace(",", "")) - abs(off)) <= 10  # Discord tells whole seconds, some ago


@pytest.mark.promise
async def test_a_port_that_is_taken_is_told_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, _, errors = await ran(tmp_path, "run", HEALTH_PORT=port)
        assert status == 1  # it may be free later
        assert "can't be used (address already in use). Set another port" in errors


async def test_a_server_for_developing_in_which_the_bot_is_not_stops_it(tmp_path: Path) -> None:
    status, _, errors = await ran(tmp_path, "run", DEV_GUILD_ID="555")
    assert status == 2, errors
    assert "DEV_GUILD_ID: the bot isn't in server 555" in errors
    assert "Traceback" not in errors


@pytest.mark.promise
async def test_a_discord_that_is_away_stops_it_and_all_else_is_looked_at(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", "http://127.0.0.1:9/api/v10")
    findings = await found(around)
    assert stopping(findings) == {"Discord"}
    assert "Check this machine's network" in findings["Discord"].words
    assert "Studii" in findings


async def test_an_encryption_key_that_is_missing_from_a_database_in_use_is_told_before_it_is_replaced(
    tmp_path: Path, around: dict[str, str]
) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    findings = await found(around)
    assert findings["Encryption key"].verdict is Verdict.WARN
    assert "Put it back" in findings["Encryption key"].words
    assert not await asyncio.to_thread((tmp_path / "data" / "encryption.key").exists)


async def test_the_limits_of_the_processes_that_open_pictures_are_looked_at(
    around: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = (await found(around))["Pictures"]
    if sys.platform == "linux":
        assert pictures.verdict is Verdict.GOOD

    real = DecoderProcess.start

    async def start() -> DecoderProcess:
        process = await real()
        process.missing = ("memory", "processor time")
        return process

    with monkeypatch.context() as patch:
        patch.setattr(DecoderProcess, "start", start)
        lacking = (await found(around))["Pictures"]
    assert lacking.verdict is Verdict.WARN
    assert "can't limit the memory and processor time of a process" in lacking.words

    (tmp_path / "program.py").write_text("raise ModuleNotFoundError('No module named PIL')")
    monkeypatch.setattr(pool, "_PROGRAM", tmp_path / "program.py")
    broken = (await found(around))["Pictures"]
    assert broken.verdict is Verdict.STOPS
    assert "No module named PIL" in broken.words
