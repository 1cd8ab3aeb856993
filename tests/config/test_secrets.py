"""Secrets: they show nowhere, and may come from files."""

import os
import traceback
from pathlib import Path

import pytest

from bot.config import MAX_SECRET_BYTES, Settings
from bot.errors import SettingsError
from bot.validation import Secret
from tests.config.reading import TOKEN, complaint


def test_a_secret_shows_in_no_text_and_no_list_of_variables() -> None:
    secret = Secret("stu_hidden")
    shown = f"{secret} {secret!r} {[secret]}" + "".join(
        traceback.TracebackException(ValueError, ValueError(secret), None, capture_locals=True).format()
    )
    assert "hidden" not in shown
    assert secret.reveal() == "stu_hidden"
    assert secret == Secret("stu_hidden") != Secret("other")


@pytest.mark.usefixtures("token")
def test_no_secret_shows_when_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:database-password@db/studii")
    monkeypatch.setenv("ENCRYPTION_KEYS", "encryption-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://maya:proxy-password@proxy:3128")
    settings = Settings.read()
    printed = repr(settings) + repr(settings.proxy)
    secrets = (TOKEN, "database-password", "encryption-secret", "proxy-password", "bWF5")
    assert not any(secret in printed for secret in secrets)


@pytest.mark.promise
def test_no_secret_shows_in_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_URL", "mysql://bot:database-password@db/studii")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "database-password" not in str(caught.value)
    assert caught.value.__cause__ is None


SECRETS = [("DISCORD_TOKEN", TOKEN), ("ENCRYPTION_KEYS", "newest,older")]


def revealed(settings: Settings, name: str) -> str:
    if name == "DISCORD_TOKEN":
        return settings.discord_token.reveal()
    return ",".join(key.reveal() for key in settings.encryption_keys)


@pytest.fixture
def other_secrets(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A token in the environment for tests of the other secret."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    return monkeypatch


@pytest.mark.promise
@pytest.mark.parametrize(("name", "secret"), SECRETS)
@pytest.mark.parametrize("written", ["{}", "{}\n", "\ufeff{}\r\n"])
def test_a_secret_can_come_from_a_file(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str, written: str
) -> None:
    (tmp_path / "secret").write_bytes(written.format(secret).encode())
    other_secrets.setenv(f"{name}_FILE", "secret")
    other_secrets.setenv(name, "")  # as .env.example leaves it
    settings = Settings.read()
    assert revealed(settings, name) == secret
    assert secret not in repr(settings)


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_a_secret_comes_from_one_place(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str
) -> None:
    (tmp_path / "secret").write_text(secret)
    other_secrets.setenv(f"{name}_FILE", "secret")
    other_secrets.setenv(name, secret)
    assert complaint() == f"{name} and {name}_FILE are both set. Leave one of them empty."


@pytest.mark.promise
@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "ENCRYPTION_KEYS"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, ": the file doesn't exist. Create it, or name another one."),
        (b"", ": the file is empty. Write the secret into it."),
        (b" ,\n", ": the file is empty. Write the secret into it."),
        (b"\xff\xfe\x00", ": it isn't text."),
        (b"x" * (MAX_SECRET_BYTES + 1), ": the file is too long. It must hold only the secret."),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_named(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    other_secrets.delenv(name, raising=False)
    other_secrets.setenv(f"{name}_FILE", "secret")
    line = complaint()
    assert line.startswith(f"{name} can't be read from secret ({name}_FILE)")
    assert line.endswith(reason)


def test_a_secrets_file_that_may_not_be_read_says_who_needs_to(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other_secrets.setenv("ENCRYPTION_KEYS_FILE", str(tmp_path))  # a folder: modes do not stop root
    assert "it isn't a regular file. Write the secret into one." in complaint()


def test_a_pipe_in_the_place_of_a_secrets_file_is_not_waited_for(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "secret")
    other_secrets.setenv("ENCRYPTION_KEYS_FILE", "secret")
    assert "it isn't a regular file" in complaint()


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_what_is_right_can_be_had_although_a_secrets_file_is_missing(
    other_secrets: pytest.MonkeyPatch, name: str, secret: str
) -> None:
    del secret
    other_secrets.setenv(name, "")
    other_secrets.setenv(f"{name}_FILE", "nope")
    _, wrong = Settings.read_leniently()
    assert wrong.keys() == {name.lower()}
    assert "the file doesn't exist" in wrong[name.lower()]
