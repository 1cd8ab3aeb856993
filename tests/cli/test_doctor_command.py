"""What `doctor` says of a setup, and whether it would stop the bot."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.vault import Vault
from sandbox.studii import StudiiServer
from tests.cli.commands import SECRET, database, keep_key, ran


@pytest.mark.promise
async def test_the_doctor_finds_a_good_setup_good(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    async with StudiiServer() as studii:
        status, told, errors = await ran(tmp_path, "doctor", STUDII_API_URL=studii.url, COLUMNS="300")
    assert status == 0, errors
    assert "stops" not in told
    for sentence in ("The token belongs to Studii", "Writable", "all sums agree", "answers"):
        assert sentence in told
    assert SECRET not in told + errors


@pytest.mark.promise
async def test_the_doctor_changes_nothing_before_the_first_start(tmp_path: Path) -> None:
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "The first start makes" in told
    assert "jobs wait" in told  # Studii is not there
    assert not (tmp_path / "data").exists()


@pytest.mark.promise
async def test_the_doctor_recomputes_the_ledger(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        columns = (
            "id, guild_id, channel_id, user_id, tool, inputs, variant, private, state, version, created_at, "
            "changed_at, estimate, reserved, settled, attempts, posting"
        )
        values = "'00112233445566aa', 1, 1, 1, 'studio', '{}', '', 0, 'failed', 1, "
        moments = "'2026-03-02 12:00:00.000000', '2026-03-02 12:00:00.000000', 8, 0, 8, 0, 0"
        connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({values}{moments})")  # noqa: S608
        connection.commit()
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 1
    assert "sums differ" in told


@pytest.mark.promise
async def test_the_doctor_says_whose_key_the_encryption_key_does_not_open(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    Vault.open((), tmp_path / "data" / "encryption.key")
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "doesn't open the Studii keys of 1 server." in told
