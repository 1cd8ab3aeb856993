import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.db import Database
from bot.errors import SettingsError
from bot.vault import Vault, lane_names

SECRET = "stu_0123456789abcdef"


def new_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "encryption.key"


def test_without_a_key_one_is_made_for_its_owner_alone_and_found_again(key_file: Path) -> None:
    sealed = Vault.open([], key_file).seal(SECRET)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]
    assert Vault.open([], key_file).unseal(sealed) == SECRET


def test_an_operator_who_sets_a_key_later_keeps_what_the_key_file_sealed(key_file: Path) -> None:
    before = Vault.open([], key_file).seal(SECRET)
    key = new_key()
    vault = Vault.open([key], key_file)
    assert vault.unseal(before) == SECRET
    key_file.unlink()
    assert Vault.open([key], key_file).unseal(vault.seal(vault.unseal(before))) == SECRET


@pytest.mark.parametrize("wrong", ["hunter2", "", "x" * 44, "ß" * 10, "QUJDRA" * 6])
def test_what_is_no_encryption_key_is_refused_without_being_quoted(wrong: str, key_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"key 2 of 2 .*Fernet\.generate_key") as caught:
        Vault.open([new_key(), wrong], key_file)
    if wrong:
        assert wrong not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\xff\xfe\x00"])
def test_a_damaged_key_file_is_named_and_left_as_it_is(content: bytes, key_file: Path) -> None:
    key_file.parent.mkdir()
    key_file.write_bytes(content)
    with pytest.raises(SettingsError, match="encryption\\.key"):
        Vault.open([], key_file)
    assert key_file.read_bytes() == content


def test_a_key_file_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file", "utf-8")
    with pytest.raises(SettingsError, match="ENCRYPTION_KEYS"):
        Vault.open([], tmp_path / "occupied" / "encryption.key")


async def test_lanes_keep_their_names_through_restarts_and_new_encryption_keys(
    db: Database, key_file: Path
) -> None:
    old, new = new_key(), new_key()
    lane = (await db.write(lane_names, Vault.open([old], key_file)))(SECRET)
    assert (await db.write(lane_names, Vault.open([new, old], key_file)))(SECRET) == lane
    assert (await db.write(lane_names, Vault.open([new], key_file)))(SECRET) == lane
