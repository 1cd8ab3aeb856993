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


@pytest.mark.promise
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(("name", "secret"), SECRETS)
@pytest.mark.parametrize("written", ["{}", "{}\n", "\ufeff{}\r\n"])
def test_a_secret_can_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str, written: str
) -> None:
    (tmp_path / "secret").write_bytes(written.format(secret).encode())
    monkeypatch.setenv(f"{name}_FILE", "secret")
    monkeypatch.setenv(name, "")  # as .env.example leaves it
    settings = Settings.read()
    assert revealed(settings, name) == secret
    assert secret not in repr(settings)
    monkeypatch.setenv(name, secret)
    assert complaint() == f"{name} and {name}_FILE are both set. Leave one of them empty."


@pytest.mark.promise
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "ENCRYPTION_KEYS"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, ": the file doesn't exist. Create it, or name another one."),
        (b"", ": the file is empty. Write the secret into it."),
        (b" ,\n", ": the file is empty. Write the secret into it."),
        (b"\xff\xfe\x00", ": it isn't text."),
        (b"x" * (MAX_SECRET_BYTES + 1), ": the file is too long. It must hold only the secret."),
        ("a folder", ": it isn't a regular file. Write the secret into one."),
        ("a pipe", ": it isn't a regular file. Write the secret into one."),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | str | None, reason: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / "secret").write_bytes(content)
    elif content is not None:
        (os.mkfifo if content == "a pipe" else os.mkdir)(tmp_path / "secret")
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", "secret")
    wanted = f"{name} can't be read from secret ({name}_FILE){reason}"
    assert complaint() == wanted
